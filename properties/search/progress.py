"""How far a search has come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from radixproof.impl.scope import Scope
from radixproof.properties.coverage.milestones import Milestone, reachable
from radixproof.properties.judging.applicable import Unjudged


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search goes on: with history ``number`` of a driver. For the state machine that is a
    chunk of examples, of which the first ``skip`` were counted already; ``left`` are still due.
    """

    driver: str
    number: int = 0
    left: int = 0
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps judged so far, in histories, and the milestones that the watched ones met."""

    steps: int
    histories: int
    shrinking: tuple[str, int] | None = None
    """The signature that is being shrunk, and how many operations it has now."""
    milestones: Counter[Milestone] = field(default_factory=Counter)
    unjudged: Counter[Unjudged] = field(default_factory=Counter)
    """How often each check was due, but the system did not show enough for it."""
    scope: Scope = field(default_factory=Scope)
    """What the system can be put to, which decides which milestones are within reach."""
    place: Place | None = None
    """Where a search goes on that begins again here; None for the beginning."""
    passed_over: frozenset[str] = frozenset()
    """The signatures that are known by now."""
    replayed_steps: int = 0
    """Steps of the stored histories, which are on top of the budget."""

    @property
    def reached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if self.milestones[milestone]]

    @property
    def unreached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if not self.milestones[milestone]]
