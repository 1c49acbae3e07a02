"""`check` and `replay`: what the commands of the same names do, as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.properties.known.files import Known, passed_over
from radixproof.properties.reporting.narrate import retold
from radixproof.properties.reporting.report import render
from radixproof.properties.running.run import Verdict, run_history
from radixproof.properties.search.budget import PROFILES
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found, and how much it has searched."""

    target: Target
    findings: tuple[Finding, ...]
    steps: int
    histories: int
    reached: tuple[str, ...]
    """Situations that bugs need, by their sentences: those that the search reached."""
    unreached: tuple[str, ...]
    """Those within reach of the system that the search did not reach."""
    unjudged: tuple[str, ...]
    """Checks that were due but could not be made, since the system does not show enough."""
    enough: bool = False
    """Whether so much was searched that "nothing found" means something: nothing cut the search
    short, and it reached as many of the situations as its profile demands.
    """
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Known signatures that were met, and how often."""

    def report(self) -> str:
        """All findings as text: the property in words, the shortest history, the tree."""
        return "\n".join(_report(self.target, finding) for finding in self.findings)


def check(
    target: Target,
    *,
    seed: int = 1,
    profile: str = "dev",
    steps: int | None = None,
    seconds: float | None = None,
    known: Iterable[str] | Known = (),
    stored: Iterable[History] = (),
    on_progress: Callable[[int], None] = lambda _: None,
) -> CheckResult:
    """Search ``target`` for bugs, in this process; findings come with shortest histories.

    ``profile`` is ``dev``, ``ci`` or ``nightly``; ``steps`` replaces its number of steps, and
    ``seconds`` ends the search early. Signatures that are ``known`` are passed over; known findings
    of a file are, as far as they are about this target and count today. Histories that are
    ``stored`` are replayed first, on top of the budget in steps. ``on_progress`` is given the
    number of steps so far. The same seed and the same budget in steps give the same findings.

    A system that hangs, or ends the process, does so here: ``radixproof check`` searches such a
    system in processes of its own, and reports it.

    Raises ValueError for an unknown profile, TypeError where ``known`` is one text, and
    `Unavailable` if the system cannot be built.
    """
    accepted = passed_over(known, target.name)
    if profile not in PROFILES:
        raise ValueError(f"no profile is called {profile!r} (known: {', '.join(PROFILES)})")
    budget = replace(PROFILES[profile], seconds=seconds)
    if steps is not None:
        share = budget.examples * steps // budget.steps
        budget = replace(budget, steps=steps, examples=min(share, budget.examples), more=0)
    findings: list[Finding] = []

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            findings.append(news)
        else:
            on_progress(news.steps)

    done = search(target, seed, budget, tell, tuple(stored), accepted)
    return CheckResult(
        target,
        tuple(findings),
        done.steps,
        done.histories,
        tuple(milestone.value for milestone in done.reached),
        tuple(milestone.value for milestone in done.unreached),
        tuple(sorted(str(check) for check in done.unjudged)),
        done.enough(budget),
        {name: met for name, met in sorted(done.passed_over.items()) if name in accepted},
    )


def replay(
    target: Target, history: History, *, known: Iterable[str] | Known = ()
) -> Verdict | None:
    """Run a history with every step inspected: its first breach that is not ``known``, or None.

    Raises `Unavailable` if the system cannot be built with the history's configuration.
    """
    return run_history(target, history, passed_over(known, target.name).__contains__)


def _report(target: Target, finding: Finding) -> str:
    return render(target.name, finding.history, retold(target, finding))
