"""How far a search has come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from radixproof.impl.scope import Scope
from radixproof.properties.coverage.milestones import Milestone, reachable
from radixproof.properties.judging.applicable import Unjudged


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

    @property
    def reached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if self.milestones[milestone]]

    @property
    def unreached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if not self.milestones[milestone]]
