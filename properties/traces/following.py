"""A history that a trace tells, run with every check on; and how far it went as the server did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from radixproof.impl.operations import LoadBack
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Freed, Inserted, Locked, Matched, Skipped
from radixproof.properties.performing.step import Step
from radixproof.properties.running.run import Run, ends
from radixproof.properties.traces.rebuilding import Rebuilt, Said


@dataclass(slots=True)
class Followed:
    """How a trace went on a system."""

    found: dict[str, tuple[int, Breach]] = field(default_factory=dict)
    """By signature what is not known, with the first operation (from 1) at which it came up."""
    known: dict[str, int] = field(default_factory=dict)
    """What is known, likewise."""
    steps: int = 0
    """Operations that were judged."""
    cut_short: str = ""
    """A signature after which nothing can be judged."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Operations that were skipped, by reason."""
    compared: int = 0
    """Operations of which the trace tells what came of them."""
    as_told: int = 0
    """Those that came out so."""
    first_apart: int | None = None
    """The first that did not, from 1."""


def follow(
    target: Target,
    rebuilt: Rebuilt,
    known: Callable[[str], bool],
    tell: Callable[[int], None] = lambda _: None,
) -> Followed:
    """Run what a trace tells as a search runs its histories, to the end if that can be judged."""
    history, followed = rebuilt.history, Followed()
    run = Run(target, history.config)
    last = len(history.operations)
    try:
        for number, (operation, said) in enumerate(
            zip(history.operations, rebuilt.said, strict=True), 1
        ):
            breaches = run.step(operation)
            if number == last:
                breaches += run.finish()
            _compare(followed, number, said, run.steps[-1])
            run.steps.clear()
            followed.steps = number
            for breach in breaches:
                _note(followed, number, breach, known)
                if ends(breach):
                    followed.cut_short = breach.signature
                    return followed
            tell(number)
        return followed
    finally:
        run.close()


def _note(followed: Followed, number: int, breach: Breach, known: Callable[[str], bool]) -> None:
    if known(breach.signature):
        followed.known.setdefault(breach.signature, number)
    else:
        followed.found.setdefault(breach.signature, (number, breach))


def _compare(followed: Followed, number: int, said: Said, step: Step) -> None:
    outcome = step.outcome
    if isinstance(outcome, Skipped):
        followed.skipped[outcome.reason] += 1
    if said is None:
        return
    followed.compared += 1
    if _came_of(step) == said:
        followed.as_told += 1
    elif followed.first_apart is None:
        followed.first_apart = number


def _came_of(step: Step) -> Said:
    """What the trace would have said of it."""
    match step.outcome:
        case Matched(device=tokens) | Locked(length=tokens) | Inserted(prefix=tokens):
            return tokens
        case Freed(full, swa, mamba):
            return full, swa, mamba
        case done:
            return getattr(done, "count", None) if isinstance(step.operation, LoadBack) else None
