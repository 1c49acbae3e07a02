"""Nodes of the tree: what hangs on one run of pages, and which copies of it are in flight."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from radixproof.impl.radix.engine import Copy
from radixproof.impl.radix.pools import Slots

Units: TypeAlias = tuple[int, ...] | tuple[tuple[int, int], ...]
"""A run of a key: tokens, or pairs of neighbouring tokens where keys are bigrams.

All lengths are in units.
"""


@dataclass(slots=True, eq=False)
class State:
    """One component of one node: its slots on either tier, and how many locks cover it there.

    FULL and SWA have one slot per unit. MAMBA has a single one, for the state at the end of the
    node.
    """

    device: Slots | None = None
    host: Slots | None = None
    locks: int = 0
    host_locks: int = 0


class Edge(IntEnum):
    """A kind of lock that covers part of a path.

    On the device that is the SWA window, on the host FULL and the SWA window.
    """

    WINDOW = 0
    HOST_FULL = 1
    HOST_WINDOW = 2


def _no_edges() -> list[object | None]:
    return [None] * len(Edge)


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A run of whole pages of a key, in one namespace.

    The root has no parent, no pages and no state. Any other node without a parent has left the
    tree. A node that is split keeps its identity as the lower half.
    """

    id: int
    parent: Node | None
    namespace: str
    segment: Units
    end: int
    """Units from the root to the end of the segment."""
    created: int
    """Number of the insert that made it."""
    accessed: int = 0
    """Time of last use, on the tree's clock."""
    hits: int = 0
    priority: int = 0
    full: State = field(default_factory=State)
    swa: State = field(default_factory=State)
    mamba: State = field(default_factory=State)
    states: tuple[State, State, State] = field(init=False)
    """The three above, indexed by `Component`."""
    children: dict[Hashable, Node] = field(default_factory=dict)
    """By `Tree.edge`."""
    resident_children: int = 0
    """Children with FULL on the device."""
    edges: list[object | None] = field(default_factory=_no_edges)
    """Per `Edge`, the mark of the locks whose coverage is complete at this node; see `locks`."""
    backups: list[InFlight] = field(default_factory=list)
    """Backups in flight that read this node's device slots, oldest first."""
    loads: list[InFlight] = field(default_factory=list)
    """Load-backs in flight that write this node's device slots, oldest first."""
    block: int | None = None
    """Block id of the last page, where `Events` has worked it out."""

    def __post_init__(self) -> None:
        self.states = (self.full, self.swa, self.mamba)

    @property
    def is_root(self) -> bool:
        return self.id == 0

    @property
    def start(self) -> int:
        """Units from the root to the beginning of the segment."""
        return self.end - len(self.segment)

    @property
    def backed(self) -> bool:
        """Whether FULL has a host copy, or one in flight."""
        return self.full.host is not None

    @property
    def pending(self) -> bool:
        """Whether a backup of this node is in flight."""
        return bool(self.backups)

    @property
    def loading(self) -> bool:
        """Whether a load-back into this node is in flight."""
        return bool(self.loads)

    @property
    def locked(self) -> bool:
        """Whether a device lock covers any component."""
        return bool(self.full.locks or self.swa.locks or self.mamba.locks)

    @property
    def host_locked(self) -> bool:
        """Whether a host lock covers any component."""
        return bool(self.full.host_locks or self.swa.host_locks or self.mamba.host_locks)

    def __repr__(self) -> str:
        return f"<node {self.id}: {len(self.segment)} units to {self.end}>"


@dataclass(slots=True, eq=False)
class InFlight:
    """A copy in flight, and the nodes whose slots it reads or writes.

    The pieces that these nodes are split into join them.
    """

    copy: Copy
    fragments: list[Node]
