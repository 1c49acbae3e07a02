"""Nodes of the tree: what hangs on one run of pages."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radixproof.impl.radix.pools import Slots

if TYPE_CHECKING:
    from radixproof.impl.radix.backup import Backup


@dataclass(slots=True, eq=False)
class State:
    """One component of one node: its slots on either tier, one per token, and how many locks cover it on the device."""

    device: Slots | None = None
    host: Slots | None = None
    locks: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A run of whole pages of a key, in one namespace.

    The root has no parent, no pages and no state. Any other node without a parent has left the tree. A node that is split keeps its
    identity as the lower half.
    """

    id: int
    parent: Node | None
    namespace: str
    segment: tuple[int, ...]
    end: int
    """Tokens from the root to the end of the segment."""
    accessed: int
    """Time of last use, on the tree's clock."""
    full: State = field(default_factory=State)
    swa: State = field(default_factory=State)
    children: dict[Hashable, Node] = field(default_factory=dict)
    """By `Tree.edge`."""
    resident_children: int = 0
    """Children with FULL on the device."""
    hits: int = 0
    boundary: object | None = None
    """Identity of the SWA locks whose coverage is complete at this node; see `locks`."""
    pending: Backup | None = None
    """The backup in flight that reads this node's device slots."""

    @property
    def states(self) -> tuple[State, State]:
        """Indexed by `Component`."""
        return self.full, self.swa

    @property
    def is_root(self) -> bool:
        return self.id == 0

    @property
    def start(self) -> int:
        """Tokens from the root to the beginning of the segment."""
        return self.end - len(self.segment)

    @property
    def backed(self) -> bool:
        """Whether FULL has a host copy, or one in flight."""
        return self.full.host is not None

    def __repr__(self) -> str:
        return f"<node {self.id}: {len(self.segment)} tokens to {self.end}>"
