"""How far a search has come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from radixproof.impl.scope import Scope
from radixproof.properties.coverage.milestones import Milestone
from radixproof.properties.coverage.reach import reachable
from radixproof.properties.judging.applicable import Unjudged
from radixproof.properties.search.budget import Budget


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
    passed_over: Counter[str] = field(default_factory=Counter)
    """How often each known signature was met."""
    complete: bool = False
    """Whether the search has spent its budget; nothing cut it short."""

    @property
    def reached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if self.milestones[milestone]]

    @property
    def unreached(self) -> list[Milestone]:
        return [milestone for milestone in reachable(self.scope) if not self.milestones[milestone]]

    def enough(self, budget: Budget) -> bool:
        """Whether so much was seen that "nothing found" means something: the budget was spent, and
        met as many milestones as it demands.
        """
        return self.complete and self.has_met(budget.demand)

    def has_met(self, demand: int) -> bool:
        """Whether so many of the milestones within reach were met, in percent."""
        reached, unreached = len(self.reached), len(self.unreached)
        return reached * 100 >= demand * (reached + unreached)
