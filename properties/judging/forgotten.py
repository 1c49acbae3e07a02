"""What copies that a reset has forgotten are still to write, where they run all the same (semantics
12.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from radixproof.impl.system import Complete
from radixproof.model.config import DEVICE, HOST, Pool


@dataclass(slots=True)
class Late:
    """What such copies are to write to one slot, as far as known."""

    tags: set[int] = field(default_factory=set)
    """What they brought when they were forgotten."""
    sources: set[tuple[Pool, int]] = field(default_factory=set)
    """The slots that they read: whatever these hold by then, they bring."""

    def brings(self, system: Complete, seen: int) -> bool:
        """Whether they bring what is seen (-1: what is torn, by those of one rank, or of some
        layers).
        """
        if seen < 0 or seen in self.tags:
            return True
        return any(system.read(pool, [slot]) == [seen] for pool, slot in sorted(self.sources))


Written: TypeAlias = dict[int, Late]
"""By the slot that they write, in one pool."""
NO_SLOTS: Sequence[Written] = ({}, {}, {}, {}, {}, {})
"""Of each `Pool`."""


def twin(pool: Pool) -> Pool:
    """The pool of the same component on the other tier: what a copy reads, or writes."""
    return (DEVICE if pool.on_host else HOST)[pool.component]
