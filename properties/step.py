"""What happened in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radixproof.model.operations import Operation
from radixproof.model.outcomes import Outcome


@dataclass(slots=True)
class Step:
    """One operation as it happened: what was done, what came back, and the slots it was served from."""

    operation: Operation
    outcome: Outcome
    slots: Sequence[int] = ()
    """FULL device slots that a match (of `Match`, `Lock`, or an `Insert` that reuses) returned."""
    refused: int = 0
    """Tokens that the allocator would not give."""
