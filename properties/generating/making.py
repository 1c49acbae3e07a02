"""What all that make operations of one history have in common: names, prompts and amounts."""

from __future__ import annotations

from collections import Counter

from radixproof.impl.scope import Scope
from radixproof.model.config import EvictionPolicy, Pool
from radixproof.properties.generating.in_flight import InFlight
from radixproof.properties.generating.keys import Below, Keys
from radixproof.properties.generating.late_uses import LateUses
from radixproof.properties.performing.ledger import Ledger


class Making:
    """The names, prompts and amounts of one history."""

    def __init__(self, ledger: Ledger, scope: Scope) -> None:
        self.ledger, self.scope, self.config = ledger, scope, ledger.config
        self.keys = Keys(ledger.config, scope)
        self.late = LateUses(ledger, scope)
        self.in_flight = InFlight(ledger, scope)
        self.named = 0
        self.turns: Counter[str] = Counter()
        """How often something could have been done that is done by turns."""

    def name(self, letter: str) -> str:
        """A name that nothing has in this history."""
        self.named += 1
        return f"{letter}{self.named}"

    def amount(self, pool: Pool, below: Below) -> int:
        """Some slots of a pool, mostly whole pages, mostly few, sometimes all."""
        unit = self.config.unit(pool)
        slots = (1, 1, 1, 2, 2, 3, self.config.pages(pool))[below(7)] * unit
        return slots - (0 if below(5) else below(unit))

    def priority(self, below: Below) -> int:
        """Of an insert, or a request, where priorities count: below 0, 0, or several above."""
        return below(6) - 2 if self.config.eviction_policy is EvictionPolicy.PRIORITY else 0

    def quota(self, below: Below) -> int | None:
        """None, or some pages; every fourth is a token less: nothing, or no whole pages."""
        if below(3):
            return None
        return (1 + below(4)) * self.config.page_size - self.in_turn("a ragged quota", every=4)

    def fails(self, before: str = "what goes on with it", every: int = 3) -> bool:
        """Whether a copy fails that something else goes on with: each so-manieth, if any can."""
        turn = self.in_turn(f"fails before {before}", every)
        return self.scope.failing_copies and turn

    def in_turn(self, what: str, every: int) -> bool:
        """Whether it is done now, which it is every so many times: by turns, and not by a draw."""
        self.turns[what] += 1
        return self.turns[what] % every == 0

    def brings_state(self, below: Below) -> bool:
        """Whether an insert brings a state; where none can do without, all do."""
        return self.config.mamba_states > 0 and (below(4) < 3 or not self.scope.stateless_inserts)
