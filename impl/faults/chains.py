"""Bugs in which nodes are backed up, in which order, and in the room that is made for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.locks import Receipt
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

FULL, SWA, MAMBA = COMPONENTS


@fault(
    "B01, SGLang pull request 25065, its chain of ancestors: their order",
    "a node is backed up before its ancestors, from below",
    Property.BACKUP,
)
def chain_backed_up_from_below(cache: RadixCache) -> None:
    backups = cache.backups

    def upward(node: Node) -> None:
        above: Node | None = node
        while above is not None and not above.is_root and (above is node or not above.backed):
            if not backups._start(above, lock=True):
                return
            above = above.parent

    backups._back_up = upward  # type: ignore[method-assign]


@fault(
    "B01, SGLang pull request 25065, its chain of ancestors: their number",
    "of the ancestors without a host copy the parent alone is backed up first",
    Property.BACKUP,
)
def only_the_parent_backed_up_first(cache: RadixCache) -> None:
    backups = cache.backups

    def with_parent(node: Node) -> None:
        parent = node.parent
        assert parent is not None
        if parent.is_root or parent.backed or backups._start(parent, lock=True):
            backups._start(node, lock=True)

    backups._back_up = with_parent  # type: ignore[method-assign]


@fault(
    "family of B29, SGLang pull request 39454: when a node is due",
    "a node is due for backup one hit after its hits have reached the threshold",
    Property.PROGRESS,
)
def due_one_hit_late(cache: RadixCache) -> None:
    cache.backups._threshold += 1


@fault(
    "B22, SGLang pull request 32892: states",
    "a state attached to a node after its FULL was backed up never gets a host copy",
    Property.PROGRESS,
)
def state_never_supplemented(cache: RadixCache) -> None:
    backups = cache.backups
    missing = backups._missing

    def without_late_states(node: Node) -> dict[Component, Slots]:
        found = missing(node)
        if node.backed:
            found.pop(MAMBA, None)
        return found

    backups._missing = without_late_states  # type: ignore[method-assign]


@fault(
    "family of B01, SGLang pull request 25065: who is passed over",
    "a node that a request has locked is not backed up with its hit",
    Property.PROGRESS,
)
def locked_node_not_backed_up(cache: RadixCache) -> None:
    backups = cache.backups
    back_up = backups._back_up

    def if_unlocked(node: Node) -> None:
        if not node.locked:
            back_up(node)

    backups._back_up = if_unlocked  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 20611: what keeps the source of a backup",
    "a backup locks the parent of its node, and not the node",
    Property.LOCK,
)
def backup_locks_the_parent(cache: RadixCache) -> None:
    backups, locks = cache.backups, cache.locks
    start, lock_path = backups._start, locks.lock

    def lock_above(anchor: Node) -> Receipt:
        assert anchor.parent is not None
        return lock_path(anchor.parent)

    def start_above(node: Node, lock: bool) -> bool:
        locks.lock = lock_above  # type: ignore[method-assign]
        try:
            return start(node, lock)
        finally:
            locks.lock = lock_path  # type: ignore[method-assign]

    backups._start = start_above  # type: ignore[method-assign]


@fault(
    "family of B73, SGLang pull request 33862: room of which pool",
    "room for a backup is made for its FULL alone, not for its window and state",
    Property.PROGRESS,
)
def room_made_for_full_only(cache: RadixCache) -> None:
    evictor = cache.host_evictor
    make_room = evictor.make_room

    def for_full(wanted: dict[Component, int]) -> bool:
        return make_room({FULL: wanted[FULL]} if FULL in wanted else {})

    evictor.make_room = for_full  # type: ignore[method-assign]


@fault(
    "family of B54, SGLang pull request 32016: needed and short",
    "where the host is short of room for a backup, all that the backup needs is evicted there",
    Property.PROGRESS,
)
def room_for_the_whole_backup(cache: RadixCache) -> None:
    evictor = cache.host_evictor
    make_room, evict = evictor.make_room, evictor.evict

    def for_all_of_it(wanted: dict[Component, int]) -> bool:
        need = wanted

        def evict_whole(wanted: int, component: Component) -> int:
            return evict(need[component] if wanted else 0, component)

        evictor.evict = evict_whole  # type: ignore[method-assign]
        try:
            return make_room(wanted)
        finally:
            evictor.evict = evict  # type: ignore[method-assign]

    evictor.make_room = for_all_of_it  # type: ignore[method-assign]


@fault(
    "family of B73, SGLang pull request 33862: a host that seems too small",
    "whether the host can have room is asked of its leaves, not of what they make a leaf of",
    Property.PROGRESS,
)
def room_asked_of_leaves_only(cache: RadixCache) -> None:
    evictor, tree = cache.host_evictor, cache.tree
    reclaimable = evictor.reclaimable

    def of_leaves(component: Component) -> Iterator[int]:
        if component is not FULL:
            yield from reclaimable(component)
            return
        for node in (*evictor._spare_duplicates(), *tree.host_leaves):
            yield len(node.segment)

    evictor.reclaimable = of_leaves  # type: ignore[method-assign]
