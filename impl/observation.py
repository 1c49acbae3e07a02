"""Observations: what can be seen of a system between two operations, as plain data.

What a system does not show, as its `Sight` says, is None or left at its default.

An observation is either *whole* (the entire tree and all pools) or a *delta*: the nodes that
changed since the last one. Deltas keep the price of checking proportional to what a step touched;
whole observations, taken now and then, keep deltas honest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

ROOT = 0
"""``NodeView.parent`` of a node that hangs under the root, in every namespace."""

Slots = tuple[int, ...]
PerComponent: TypeAlias = tuple[int, int, int]
"""A count per `Component`."""
PerPool: TypeAlias = tuple[int, int, int, int, int, int]
SlotsPerPool: TypeAlias = tuple[
    Slots | None, Slots | None, Slots | None, Slots | None, Slots | None, Slots | None
]
"""Slots per `Pool`, None where a node has nothing in it (for SWA and MAMBA on device: a
tombstone).
"""


class NodeView(NamedTuple):
    """One node of the tree under test.

    ``id`` is the system's own name for the node (positive, never used again for another).
    ``segment`` is the node's part of the key, a whole number of pages. ``slots`` holds one slot per
    token, of MAMBA one for the state at the end of the node. ``locks`` and ``host_locks`` count per
    component how often it is locked on each tier. ``pending`` and ``loading`` say that a backup of
    it, or a load-back into it, is in flight.
    """

    id: int
    parent: int
    namespace: str
    segment: tuple[int, ...] | tuple[tuple[int, int], ...]
    """Tokens, or pairs of tokens where keys are bigrams."""
    slots: SlotsPerPool
    locks: PerComponent | None = None
    pending: bool = False
    host_locks: PerComponent | None = None
    loading: bool = False

    @classmethod
    def full(
        cls,
        id: int,
        parent: int,
        tokens: Sequence[int],
        slots: Sequence[int],
        locks: int | None = None,
    ) -> NodeView:
        """A node of a cache that has FULL on the device, and nothing else."""
        held = (tuple(slots), None, None, None, None, None)
        return cls(id, parent, "", tuple(tokens), held, None if locks is None else (locks, 0, 0))


class Event(NamedTuple):
    """One message of the stream that tells a router what is cached where (semantics 4.1, 8.4, 9.4,
    12.1).

    ``kind`` is "stored", "removed" or "cleared". ``blocks`` are names of pages; those stored hang
    under ``parent`` (None: the root of ``namespace``) one below the other, and have ``tokens``.
    """

    kind: str
    on_host: bool = False
    blocks: tuple[int, ...] = ()
    parent: int | None = None
    tokens: tuple[int, ...] | tuple[tuple[int, int], ...] = ()
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """The part of an observation that costs the whole tree."""

    free: SlotsPerPool | None = None
    """Free slots per `Pool`, in any order."""
    swa_of: Mapping[int, int] | None = None
    """The full→SWA map: entries that are not 0 (semantics 13.1)."""
    device_leaves: frozenset[int] | None = None
    """Ids of nodes that FULL eviction may take (semantics 1.6)."""
    host_leaves: frozenset[int] | None = None
    lru_lists: tuple[Slots, Slots, Slots, Slots] | None = None
    """Node ids of the LRU lists, oldest first: SWA and MAMBA on device, SWA and MAMBA on the host
    only.
    """
    ages: Mapping[int, int] | None = None
    """Per node id: when it was last used; a parent as early as its child, or earlier (semantics
    1.7).
    """


@dataclass(slots=True)
class Observation:
    """State of a system. ``nodes`` has parents before children and never the root."""

    nodes: tuple[NodeView, ...]
    removed: tuple[int, ...] = ()
    """Ids of nodes that left the tree since the last observation (deltas only)."""
    free: PerPool | None = None
    """Free slots per `Pool`."""
    evictable: PerComponent | None = None
    """Evictable size per `Component`, in tokens (MAMBA: states), as the system counts it (semantics
    1.5).
    """
    protected: PerComponent | None = None
    whole: Whole | None = None
    events: tuple[Event, ...] | None = None
    """Since the last observation."""

    @classmethod
    def full(
        cls,
        nodes: Iterable[NodeView],
        free: Sequence[int] | None = None,
        evictable: int | None = None,
        protected: int | None = None,
        ages: Mapping[int, int] | None = None,
    ) -> Observation:
        """A whole observation of a cache that has FULL on the device, and nothing else.

        ``free`` are its free slots, by number; the rest is as in `Observation` and `Whole`.
        """
        return cls(
            tuple(nodes),
            free=None if free is None else (len(free), 0, 0, 0, 0, 0),
            evictable=None if evictable is None else (evictable, 0, 0),
            protected=None if protected is None else (protected, 0, 0),
            whole=Whole(
                free=None if free is None else (tuple(free), None, None, None, None, None),
                ages=ages,
            ),
        )
