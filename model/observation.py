"""Observations: what can be seen of a system between two operations, as plain data.

An observation is either *whole* (the entire tree and all pools) or a *delta*: the nodes that changed since the last one. Deltas
keep the price of checking proportional to what a step touched; whole observations, taken now and then, keep deltas honest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from radixproof.model.config import Component, Pool

ROOT = 0
"""``NodeView.parent`` of a node that hangs under the root, in every namespace."""

Slots = tuple[int, ...]


class NodeView(NamedTuple):
    """One node of the tree under test.

    ``id`` is the system's own name for the node (positive, never used again for another). ``segment`` is the node's part of the
    key, a whole number of pages. ``slots`` is indexed by `Pool`: one slot per token, or None where the node has nothing in that
    pool (for SWA on device: a tombstone). ``locks`` is indexed by `Component`. ``pending`` says that a backup of it is in flight.
    """

    id: int
    parent: int
    namespace: str
    segment: tuple[int, ...]
    slots: tuple[Slots | None, Slots | None, Slots | None, Slots | None]
    locks: tuple[int, int]
    pending: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """The part of an observation that costs the whole tree. None marks what a system cannot show."""

    free: tuple[Slots, Slots, Slots, Slots]
    """Free slots per `Pool`, in any order."""
    swa_of: Mapping[int, int]
    """The full→SWA map: entries that are not 0 (semantics 13.1)."""
    device_leaves: frozenset[int] | None
    """Ids of nodes that FULL eviction may take (semantics 1.6)."""
    host_leaves: frozenset[int] | None
    swa_order: Slots | None
    """Node ids of the SWA device LRU list, oldest first."""
    swa_host_order: Slots | None
    ages: Mapping[int, int] | None = None
    """Per node id: when it was last used; a parent as early as its child, or earlier (semantics 1.7)."""


@dataclass(frozen=True, slots=True)
class Observation:
    """State of a system. ``nodes`` has parents before children and never the root."""

    nodes: tuple[NodeView, ...]
    removed: tuple[int, ...]
    """Ids of nodes that left the tree since the last observation (deltas only)."""
    free: tuple[int, int, int, int]
    """Free slots per `Pool`."""
    evictable: tuple[int, int]
    """Evictable size per `Component`, in tokens, as the system counts it (semantics 1.5)."""
    protected: tuple[int, int]
    whole: Whole | None = None

    def free_in(self, pool: Pool) -> int:
        return self.free[pool]

    def resident(self, component: Component) -> int:
        return self.evictable[component] + self.protected[component]
