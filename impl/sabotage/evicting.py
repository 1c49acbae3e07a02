"""Sabotage of evictions from the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix.config import Component as Part
from radixproof.impl.sabotage import advising
from radixproof.impl.sabotage.backing_up import fits
from radixproof.impl.sabotage.drives import Turn, device_drives
from radixproof.impl.sabotage.planting import ALL, HOSTED, Policy, Strikes, kind
from radixproof.impl.sabotage.seams import around
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS
FIRST = "The victim is the first device leaf in the configured order, whole."
STOPS = (
    "Each drive stops when it has enough or finds nothing that may go; stopping earlier or going on"
    " is a breach, and so is never stopping."
)
TOGETHER = (
    "On either tier an interior node that loses SWA loses its state as well; a state goes alone,"
    " and FULL goes with all the others, but for duplicates (7.9)."
)
DEMOTED = (
    "A backed leaf is demoted: it loses all components on the device and stays with its host"
    " copies."
)


@kind("the second in order is evicted, and the first stays", "7.2", FIRST, ALL)
def another_victim(cache: RadixCache, strikes: Strikes) -> None:
    device_drives(cache).advisers.append(advising.second(strikes))


@kind("the last in order is evicted first", "7.2", FIRST, ALL)
def last_victim_first(cache: RadixCache, strikes: Strikes) -> None:
    device_drives(cache).advisers.append(advising.last(strikes))


@kind("an eviction goes on after enough is free", "7.1", STOPS, ALL)
def victim_too_many(cache: RadixCache, strikes: Strikes) -> None:
    device_drives(cache).advisers.append(advising.one_more(strikes))


@kind("an eviction ends before enough is free", "7.1", STOPS, ALL)
def victim_too_few(cache: RadixCache, strikes: Strikes) -> None:
    device_drives(cache).advisers.append(advising.one_less(strikes))


@kind("an eviction takes something of a component that was not asked for", "7.1", STOPS, ALL)
def evicted_unasked(cache: RadixCache, strikes: Strikes) -> None:
    def unasked(turn: Turn) -> Node | None:
        idle = turn.wanted <= 0 and turn.candidates
        return turn.candidates[0] if idle and strikes(Component(turn.component)) else None

    device_drives(cache).advisers.append(unasked)


@kind(
    "what is locked is evicted",
    "6",
    "A device lock keeps device state from eviction, a host lock host copies.",
    ALL,
)
def locked_victim(cache: RadixCache, strikes: Strikes) -> None:
    def locked(node: Node, component: Part) -> bool:
        return node.states[component].locks > 0 and not (component is FULL and node.children)

    device_drives(cache).advisers.append(advising.one_that_may_not(strikes, locked))


@kind(
    "FULL of an interior node is evicted",
    "7.2",
    "FULL is never taken from an interior node.",
)
def interior_victim(cache: RadixCache, strikes: Strikes) -> None:
    def interior(node: Node, component: Part) -> bool:
        unlocked = component is FULL and not node.locked
        return unlocked and node.backed and node.resident_children > 0

    device_drives(cache).advisers.append(advising.one_that_may_not(strikes, interior))


@kind("a backed leaf is deleted, not demoted", "7.4", DEMOTED, policies=HOSTED)
def demoted_leaf_deleted(cache: RadixCache, strikes: Strikes) -> None:
    evictor = cache.device_evictor

    @around(evictor, "_evict_leaf")
    def delete(evict: Callable[..., None], leaf: Node, freed: list[int]) -> None:
        spare = leaf.backed and not (leaf.children or leaf.host_locked)
        if spare and not leaf.pending and strikes(Component.FULL):
            evictor._delete(leaf, freed)
        else:
            evict(leaf, freed)


@kind("a demotion takes a host copy along", "7.4", DEMOTED, ALL, HOSTED)
def host_copy_lost_at_demotion(cache: RadixCache, strikes: Strikes) -> None:
    evictor = cache.device_evictor

    @around(evictor, "_evict_leaf")
    def drop(evict: Callable[..., None], leaf: Node, freed: list[int]) -> None:
        evict(leaf, freed)
        for component in COMPONENTS:
            held = leaf.parent is not None and leaf.states[component].host is not None
            if held and leaf.full.device is None and strikes(Component(component)):
                cache.host_evictor._free(leaf, component, [0, 0, 0])


@kind("a node loses its window on the device, and keeps its state", "7.6", TOGETHER, (ALL[MAMBA],))
def state_left_without_window(cache: RadixCache, strikes: Strikes) -> None:
    evictor = cache.device_evictor

    @around(evictor, "_make_tombstone")
    def keep(make: Callable[..., None], node: Node, component: Part, freed: list[int]) -> None:
        if component is SWA and node.mamba.device is not None and strikes(Component.MAMBA):
            freed[SWA] += len(cache.tree.take_device(node, SWA))
            assert node.full.device is not None
            cache.memory.device.free_swa(node.full.device)
        else:
            make(node, component, freed)


@kind("a state takes the window of its node along", "7.6", TOGETHER, (ALL[SWA],))
def window_taken_with_state(cache: RadixCache, strikes: Strikes) -> None:
    evictor = cache.device_evictor

    @around(evictor, "_make_tombstone")
    def both(make: Callable[..., None], node: Node, component: Part, freed: list[int]) -> None:
        takes = component is MAMBA and node.swa.device is not None and not node.swa.locks
        make(node, SWA if takes and strikes(Component.SWA) else component, freed)


@kind(
    "an eviction says that it freed a page more",
    "7.5",
    "Device tokens of each component (MAMBA: states), also those that a victim of another drive"
    " took along.",
    ALL,
)
def freed_miscounted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.device_evictor, "evict")
    def count(evict: Callable[..., tuple[int, ...]], *asked: int) -> tuple[int, ...]:
        freed = list(evict(*asked))
        for component in COMPONENTS:
            if freed[component] and strikes(Component(component)):
                freed[component] += cache.config.slots_per_page(component)
        return tuple(freed)


@kind(
    "what is evicted is not written back, though there is room",
    "7.4",
    "Under write_back what it has without a host copy is backed up first (8.3), if the host can"
    " have room;",
    ALL,
    (Policy.WRITE_BACK,),
)
def not_written_back(cache: RadixCache, strikes: Strikes) -> None:
    backups = cache.backups

    @around(backups, "back_up_now")
    def forget(back_up_now: Callable[..., bool], node: Node) -> bool:
        for component in backups._missing(node) if fits(cache, node) else ():
            if strikes(Component(component)):
                return node.backed
        return back_up_now(node)


@kind(
    "an eviction returns while a backup of it is in flight",
    "7.8",
    "When an eviction under write_back returns, none of its backups is in flight.",
    policies=(Policy.WRITE_BACK,),
)
def write_back_not_awaited(cache: RadixCache, strikes: Strikes) -> None:
    backups = cache.backups

    @around(backups, "back_up_now")
    def go_on(back_up_now: Callable[..., bool], node: Node) -> bool:
        if backups._missing(node) and fits(cache, node) and strikes(Component.FULL):
            backups._start(node, lock=False)
            return node.backed
        return back_up_now(node)
