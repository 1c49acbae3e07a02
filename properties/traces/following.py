"""A history that a trace tells, run with every check on; and how far it went as the server did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from radixproof.impl.operations import LoadBack
from radixproof.impl.system import Target, Unavailable
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Freed, Inserted, Locked, Matched, Skipped
from radixproof.properties.performing.step import Step
from radixproof.properties.running.replaying import declined
from radixproof.properties.running.run import Run, ends
from radixproof.properties.traces.rebuilding import Rebuilt, Said


class Found(NamedTuple):
    """Something wrong, where it first came up."""

    breach: Breach
    number: int
    """Of the operation, from 1."""
    since: int
    """Operations before the one with which the cache was empty last."""


@dataclass(slots=True)
class Followed:
    """How a trace went on a system."""

    found: dict[str, Found] = field(default_factory=dict)
    """By signature what is not known."""
    known: dict[str, Found] = field(default_factory=dict)
    """What is known, likewise."""
    steps: int = 0
    """Operations that were judged."""
    begun_anew: Counter[str] = field(default_factory=Counter)
    """How often, after what, nothing could be judged any more, and it went on with an empty cache:
    by signature.
    """
    declined: str = ""
    """The first operation that the system cannot be put to, whatever its state, and why."""
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
    tell: Callable[[], None] = lambda: None,
) -> Followed:
    """Run what a trace tells as a search runs its histories, and ``tell`` of every operation.

    After something that leaves nothing to judge it goes on with an empty cache. Raises
    `Unavailable` if the system cannot be built so.
    """
    operations, config = rebuilt.history.operations, rebuilt.history.config
    if refused := target.scope.refuses(config):
        raise Unavailable(f"{target.name} cannot be built as the cache of this trace: {refused}")
    first = declined(rebuilt.history, target.scope)
    followed = Followed(declined="" if first is None else f"operation {first[0]:,} {first[1]}")
    run, since = Run(target, config), 0
    try:
        for number, (operation, said) in enumerate(zip(operations, rebuilt.said, strict=True), 1):
            breaches = run.step(operation)
            if number == len(operations):
                breaches += run.finish()
            _compare(followed, number, said, run.steps[-1])
            run.steps.clear()
            followed.steps = number
            last = _note(followed, breaches, number, since, known)
            if last is not None:
                followed.begun_anew[last] += 1
                run.close()
                run, since = Run(target, config), number
            tell()
        return followed
    finally:
        run.close()


def _note(
    followed: Followed,
    breaches: Iterable[Breach],
    number: int,
    since: int,
    known: Callable[[str], bool],
) -> str | None:
    """Note what is wrong with a step, up to what leaves nothing to judge: returns that."""
    for breach in breaches:
        signature = breach.signature
        place = followed.known if known(signature) else followed.found
        place.setdefault(signature, Found(breach, number, since))
        if ends(breach):
            return signature
    return None


def _compare(followed: Followed, number: int, said: Said, step: Step) -> None:
    outcome = step.outcome
    if isinstance(outcome, Skipped):
        reason, name = outcome.reason, getattr(step.operation, "receipt", "")
        followed.skipped[reason.replace(name, "of its name") if name else reason] += 1
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
