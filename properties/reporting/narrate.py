"""What happened, step by step: a history run once more, slowly, with the tree looked at before and after the bad step."""

from __future__ import annotations

from dataclasses import dataclass

from radixproof.impl.observation import Observation
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Outcome
from radixproof.properties.performing.step import Act
from radixproof.properties.running.run import Run

EMPTY = Observation((), (), (0, 0, 0, 0, 0, 0), (0, 0, 0), (0, 0, 0))


@dataclass(frozen=True, slots=True)
class Narrative:
    """The steps up to the first breach of ``signature`` (or all of them), and the tree on both sides of the last step."""

    steps: tuple[tuple[Act, Outcome], ...]
    breach: Breach | None
    before: Observation
    after: Observation


def narrate(target: Target, history: History, signature: str | None) -> Narrative:
    """Run ``history`` with every step inspected. With a ``signature``, only that breach ends it; else the first of any kind."""
    run = Run(target, history.config, every=1)
    before = after = EMPTY
    try:
        for operation in history.operations:
            before = after
            breaches = run.step(operation)
            after = run.seen or EMPTY
            for breach in breaches:
                if signature in (None, breach.signature):
                    return Narrative(_steps(run), breach, before, after)
        return Narrative(_steps(run), None, before, after)
    finally:
        run.close()


def _steps(run: Run) -> tuple[tuple[Act, Outcome], ...]:
    return tuple((step.operation, step.outcome) for step in run.steps)
