"""A search: a corpus if there is one, the state machine, then the soak, over one system; every new finding is shrunk as it comes.

A search goes on after a finding, with its signature known, so that a shallow bug does not hide a deep one. Its findings are a
function of the system, the corpus, the seed and the budget in steps alone; only a limit in seconds depends on the machine.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from radixproof.impl.operations import History
from radixproof.impl.scope import Scope
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.coverage.milestones import Milestone, reachable
from radixproof.properties.drivers import machine
from radixproof.properties.drivers.soak import JudgedHistory, soak
from radixproof.properties.judging.applicable import Unjudged
from radixproof.properties.running.replaying import fits, replayed
from radixproof.properties.running.run import Verdict, run_history
from radixproof.properties.search.minimise import minimise


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search may spend: ``examples`` of ``example_steps`` rules in the state machine, then a soak until ``steps`` in all."""

    steps: int
    examples: int
    example_steps: int = 50
    seconds: float | None = None
    everywhere: bool = False
    """A clean search must have come by every milestone that is within reach, or it has shown too little."""


PROFILES = {
    "dev": Budget(steps=8_000, examples=50),
    "ci": Budget(steps=100_000, examples=300, everywhere=True),
    "nightly": Budget(steps=1_000_000, examples=2_000, everywhere=True),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: a shortest history for one signature, and where it came from."""

    history: History
    verdict: Verdict
    seed: int
    driver: str
    at_step: int
    """Steps that the search had judged when it came upon it."""
    original: History

    @property
    def signature(self) -> str:
        return self.verdict.breach.signature


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps judged so far, in histories. ``shrinking`` is the signature being shrunk and the operations it has now, if any."""

    steps: int
    histories: int
    shrinking: tuple[str, int] | None = None
    milestones: Counter[Milestone] = field(default_factory=Counter)
    """What the watched histories came by."""
    unjudged: Counter[Unjudged] = field(default_factory=Counter)
    """How often in them each check was due, and the system did not show enough for it."""
    scope: Scope = field(default_factory=Scope)
    """What the system can be put to, which decides what is within reach."""

    @property
    def reached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if self.milestones[milestone]]

    @property
    def unreached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if not self.milestones[milestone]]


def calm_collector() -> None:
    """Spare the garbage collector what importing made, and call it rarely: nothing here makes garbage in large cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def search(
    target: Target,
    seed: int,
    budget: Budget,
    tell: Callable[[Progress | Found], None],
    stored: Sequence[History] = (),
) -> Progress:
    """Search ``target`` and ``tell`` of every finding and of progress, often. Returns the final progress.

    What is ``stored`` is replayed first, as far as it fits the target, on top of the budget.
    """
    known: set[str] = set()
    done = Progress(0, 0, scope=target.scope)
    started, replayed_steps = time.monotonic(), 0
    for driver, ran in _histories(target, seed, budget, known, stored):
        milestones = done.milestones + ran.milestones if ran.milestones else done.milestones
        steps = done.steps + len(ran.history.operations)
        done = replace(done, steps=steps, histories=done.histories + 1, milestones=milestones)
        if ran.unjudged:
            done = replace(done, unjudged=done.unjudged + ran.unjudged)
        if ran.breach is not None:
            found = settle(target, ran.history, ran.breach, known, partial(_shrinking, tell, done))
            if found is not None:
                known |= {found.signature, ran.breach.signature}
                tell(replace(found, seed=seed, driver=driver, at_step=done.steps))
        tell(done)
        if driver == "corpus":
            started, replayed_steps = time.monotonic(), done.steps
        if driver == "soak" and done.steps - replayed_steps >= budget.steps:
            break
        if budget.seconds is not None and time.monotonic() - started > budget.seconds:
            break
    return done


def _shrinking(
    tell: Callable[[Progress], None], now: Progress, signature: str, operations: int
) -> None:
    tell(replace(now, shrinking=(signature, operations)))


def by_machine(
    target: Target,
    seed: int,
    examples: int,
    steps: int,
    known: Callable[[], frozenset[str]] = frozenset,
) -> Iterator[JudgedHistory]:
    """What the state machine runs, as the soak tells of it."""
    for ran in machine.search(target, seed, examples, steps, known):
        yield (
            JudgedHistory(ran.history, ran.breach)
            if isinstance(ran, machine.Broken)
            else JudgedHistory(ran, None)
        )


def _histories(
    target: Target, seed: int, budget: Budget, known: set[str], stored: Sequence[History]
) -> Iterator[tuple[str, JudgedHistory]]:
    for one in replayed(target, stored, known.__contains__):
        yield "corpus", one
    for one in by_machine(
        target, seed, budget.examples, budget.example_steps, lambda: frozenset(known)
    ):
        yield "state machine", one
    for one in soak(target, seed, known.__contains__):
        yield "soak", one


def settle(
    target: Target,
    history: History,
    breach: Breach,
    known: Collection[str],
    on_progress: Callable[[str, int], None],
) -> Found | None:
    """From a history that broke something to a finding: its first bad step by strict replay, and a shortest history.

    None if strict replay shows that what was found is the consequence of something known, which no model could go on from. If the
    shortest history goes wrong in a new way before it comes to this one, that way is the finding: the other follows from it.
    """
    every: int | None = 1
    verdict = run_history(target, history, known.__contains__, every)
    if verdict is None:
        if run_history(target, history, lambda _: False, every) is not None:
            return None
        # Seen only with the deltas and inspections of the search itself: then these are what is replayed.
        every = None
        verdict = run_history(target, history, known.__contains__, every) or Verdict(
            breach, len(history.operations) - 1
        )
    signature = verdict.breach.signature

    def fails(candidate: History) -> bool:
        if not fits(candidate, target.scope):
            return False
        return run_history(target, candidate, lambda other: other != signature, every) is not None

    start = replace(history, operations=history.operations[: verdict.step + 1])
    smallest = minimise(
        start if fails(start) else history, fails, lambda left: on_progress(signature, left)
    )
    last = run_history(target, smallest, lambda other: other != signature, every) or verdict
    if set(last.earlier) - {*known, signature}:
        return settle(target, smallest, last.breach, {*known, signature}, on_progress)
    return Found(smallest, last, 0, "", 0, history)
