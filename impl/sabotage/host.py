"""Sabotage of evictions from the host, and of host copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix.config import Component as Part
from radixproof.impl.sabotage import advising
from radixproof.impl.sabotage.drives import host_drives
from radixproof.impl.sabotage.planting import (
    ALL,
    HOSTED,
    THROUGH,
    Policy,
    Situation,
    Strikes,
    kind,
)
from radixproof.impl.sabotage.seams import MOVING, after, around
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS
IN_ORDER = (
    "That it went in the order in which it became host-only (`host_values_in_order`) is asked of"
    " the list, and of what goes."
)
ASKED = "It asks for host tokens of one component (MAMBA: states)."
SPARED = "Nodes with a host lock or a copy in flight are spared."
LOCKED = (
    "A host lock keeps the host copies of its component and keeps its nodes from being deleted;"
    " it keeps nothing on the device."
)
ROOM = (
    "Room may be made by host eviction (7.9), if it can be made for all components; else nothing is"
    " evicted for it"
)
STAY = (
    "Under write-through host copies of nodes that are on the device stay (SWA and MAMBA: while the"
    " value itself is there)."
)


@kind("the second in order leaves the host, and the first stays", "7.9", IN_ORDER, ALL, HOSTED)
def another_host_victim(cache: RadixCache, strikes: Strikes) -> None:
    host_drives(cache).advisers.append(advising.second(strikes))


@kind("the last in order leaves the host first", "7.9", IN_ORDER, ALL, HOSTED)
def last_host_victim_first(cache: RadixCache, strikes: Strikes) -> None:
    host_drives(cache).advisers.append(advising.last(strikes))


@kind("a host eviction goes on after enough is free", "7.9", ASKED, ALL, HOSTED)
def host_victim_too_many(cache: RadixCache, strikes: Strikes) -> None:
    host_drives(cache).advisers.append(advising.one_more(strikes))


@kind("a host eviction ends before enough is free", "7.9", ASKED, ALL, HOSTED)
def host_victim_too_few(cache: RadixCache, strikes: Strikes) -> None:
    host_drives(cache).advisers.append(advising.one_less(strikes))


@kind("what is locked on the host is evicted there", "6.6", LOCKED, ALL, HOSTED)
def host_locked_victim(cache: RadixCache, strikes: Strikes) -> None:
    host_drives(cache).advisers.append(
        advising.one_that_may_not(
            strikes, lambda node, component: node.states[component].host_locks > 0
        )
    )


@kind("a host copy of a node in flight is evicted", "7.9", SPARED, ALL, HOSTED)
def host_victim_in_flight(cache: RadixCache, strikes: Strikes) -> None:
    host_drives(cache).advisers.append(
        advising.one_that_may_not(strikes, lambda node, component: node.pending or node.loading)
    )


@kind("a host eviction says that it freed a page more", "7.9", ASKED, ALL, HOSTED)
def host_freed_miscounted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "evict_host")
    def count(evict: Callable[..., int], tokens: int, component: Part) -> int:
        freed = evict(tokens, component)
        if freed and strikes(Component(component)):
            return freed + cache.config.slots_per_page(component)
        return freed


@kind("room is made on the host for a backup that has room", "8.3", ROOM, ALL, HOSTED)
def host_room_unneeded(cache: RadixCache, strikes: Strikes) -> None:
    evictor = cache.host_evictor

    @around(evictor, "make_room")
    def make_more(make_room: Callable[..., bool], wanted: dict[Part, int]) -> bool:
        for component, size in wanted.items():
            room = cache.memory.host[component].available >= size
            if room and any(evictor.reclaimable(component)) and strikes(Component(component)):
                evictor.evict(1, component)
        return make_room(wanted)


@kind("no room is made on the host, though it could be", "8.3", ROOM, ALL, HOSTED)
def host_room_refused(cache: RadixCache, strikes: Strikes) -> None:
    evictor = cache.host_evictor

    @around(evictor, "make_room")
    def refuse(make_room: Callable[..., bool], wanted: dict[Part, int]) -> bool:
        for component, size in wanted.items():
            short = size - cache.memory.host[component].available
            could = 0 < short <= sum(evictor.reclaimable(component))
            if could and strikes(Component(component)):
                return False
        return make_room(wanted)


def _dropped(cache: RadixCache, strikes: Strikes, which: Callable[[Node, Part], bool]) -> None:
    """After an operation that may move something, one more host copy is gone."""

    def drop() -> None:
        for component in COMPONENTS:
            nodes = [
                node
                for node in cache.tree.nodes()
                if node.states[component].host is not None and which(node, component)
            ]
            if nodes and strikes(Component(component)):
                if component is FULL and nodes[0] in cache.tree.host_leaves:
                    cache.host_evictor.delete(nodes[0], [0, 0, 0])
                else:
                    cache.host_evictor._free(nodes[0], component, [0, 0, 0])

    after(cache, MOVING, drop)


def _quiet(node: Node, component: Part) -> bool:
    return not (node.states[component].host_locks or node.pending or node.loading)


def _spare(node: Node, component: Part) -> bool:
    return node.states[component].device is not None and _quiet(node, component)


@kind("a host copy of what is on the device is dropped", "7.9", STAY, ALL, THROUGH)
def host_copy_dropped(cache: RadixCache, strikes: Strikes) -> None:
    _dropped(cache, strikes, _spare)


@kind(
    "a host copy of what is on the device is dropped under write_back",
    "8.3",
    ROOM,
    ALL,
    (Policy.WRITE_BACK,),
)
def duplicate_dropped(cache: RadixCache, strikes: Strikes) -> None:
    _dropped(cache, strikes, _spare)


@kind("a host copy is dropped that is the only one", "8.3", ROOM, ALL, HOSTED)
def only_copy_dropped(cache: RadixCache, strikes: Strikes) -> None:
    def only(node: Node, component: Part) -> bool:
        if component is FULL and node not in cache.tree.host_leaves:
            return False
        return node.states[component].device is None and _quiet(node, component)

    _dropped(cache, strikes, only)


@kind("a host copy under a host lock is dropped", "6.6", LOCKED, ALL, HOSTED)
def locked_host_copy_dropped(cache: RadixCache, strikes: Strikes) -> None:
    _dropped(cache, strikes, lambda node, component: node.states[component].host_locks > 0)


@kind(
    "a host copy that a backup is still to write is dropped",
    "7.9",
    SPARED,
    ALL,
    THROUGH,
    (Situation.BACKING_UP,),
)
def host_target_dropped(cache: RadixCache, strikes: Strikes) -> None:
    _dropped(cache, strikes, lambda node, component: node.pending)


@kind("a host copy that a load-back reads is dropped", "7.9", SPARED, ALL, HOSTED)
def host_source_dropped(cache: RadixCache, strikes: Strikes) -> None:
    _dropped(cache, strikes, lambda node, component: node.loading)
