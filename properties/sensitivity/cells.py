"""Cells of the table: a kind of sabotage, the component that it concerns, a policy, a situation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from radixproof.impl.sabotage.planting import KINDS, Policy, Situation
from radixproof.model.config import Component
from radixproof.properties.sensitivity import situations


class Cell(NamedTuple):
    kind: str
    component: Component
    policy: Policy
    situation: Situation

    def __str__(self) -> str:
        words = self.kind, self.component.name, self.policy.value, self.situation.value
        return ", ".join(words)


def every_cell(kinds: Iterable[str]) -> Iterator[Cell]:
    """The cells of these kinds, whether anything is known of them or not."""
    for name in kinds:
        kind = KINDS[name]
        for component in kind.components:
            for policy in Policy:
                for situation in situations.possible(kind, policy):
                    yield Cell(name, component, policy, situation)


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One sabotage of one history: the kind, and the number of the occasion that is taken."""

    kind: str
    component: Component
    policy: Policy
    seed: int
    number: int
    step: int
    """The operation during which that occasion comes, from 0."""
    at: int
    alone: bool
    situations: tuple[Situation, ...]

    @property
    def cells(self) -> list[Cell]:
        possible = situations.possible(KINDS[self.kind], self.policy)
        held = (one for one in self.situations if one in possible)
        return [Cell(self.kind, self.component, self.policy, one) for one in held]

    @property
    def story(self) -> tuple[int, int]:
        return self.seed, self.number

    def __str__(self) -> str:
        where = f"seed {self.seed}, history {self.number}, step {self.step}"
        return f"{self.kind} ({self.component.name}, occasion {self.at}) in {where}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a sabotage."""

    sabotage: Sabotage
    verdict: str
    """`REPORTED` or one of the others."""
    signature: str = ""
    """What was reported first."""
    steps: int = 0
    """From the sabotage to the report."""


REPORTED = "reported"
CLOSELY = "closely"
"""Reported only where the whole is inspected after every step, as a replay does."""
LATER = "later"
"""Nothing shows in that history; where it goes on otherwise something does, and is reported."""
MISSED = "missed"
LEFT_OUT = "left out"
"""Every observation, and every continuation that was tried, is that without it."""
VERDICTS = (REPORTED, CLOSELY, LATER, MISSED, LEFT_OUT)
COUNTED = (REPORTED, CLOSELY, LATER, MISSED)
