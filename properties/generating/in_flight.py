"""Steps that are launched, and when they run (semantics 11.6).

Whether a step is launched goes by turns, and not by a draw, so that nothing is drawn of it for a
cache that computes at once.
"""

from __future__ import annotations

from collections import Counter

from radixproof.impl.operations import Operation, RunForward
from radixproof.impl.premises import unavailable
from radixproof.impl.scope import Scope
from radixproof.properties.performing.ledger import Ledger


class InFlight:
    """Says for one history which steps are launched, and when they run."""

    def __init__(self, ledger: Ledger, scope: Scope) -> None:
        self.ledger, self.scope = ledger, scope
        self.possible = unavailable(RunForward, ledger.config, scope) is None
        self.turns: Counter[type[Operation]] = Counter()

    def launched(self, kind: type[Operation]) -> bool:
        """Whether a step is only launched: most are, where they can be."""
        self.turns[kind] += 1
        return self.possible and kind in self.scope.launches and self.turns[kind] % 4 > 0

    def runs(self) -> bool:
        """Whether it is the turn of a forward pass in flight to run."""
        forward = self.ledger.forward
        if forward is None or not forward.in_flight:
            return False
        self.turns[RunForward] += 1
        return self.turns[RunForward] % 2 == 0
