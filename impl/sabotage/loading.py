"""Sabotage of load-backs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.sabotage.backing_up import BYTES, MARKS, hits_matter, misread
from radixproof.impl.sabotage.planting import ALL, FULL, HOSTED, SWA, Strikes, kind
from radixproof.impl.sabotage.seams import around, gives, instead
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.config import Component as Part
    from radixproof.impl.radix.loading import Load, Plan
    from radixproof.impl.radix.node import Node

ROOM = (
    "A refusal for want of room where room could be had is a breach, and so is going ahead where it"
    " must be refused."
)
QUOTA = (
    "a quota is given, and its FULL tokens exceed it together with those on the path that are on"
    " the device and that no lock protected before."
)
SHORT = (
    "it brings fewer FULL tokens than the load threshold, and neither SWA nor a state: with these"
    " it goes ahead however short it is;"
)
LISTS = (
    "Three lists: of FULL the nodes of the path that are not on the device, which are its lower"
    " end; of SWA what is on the host only in the nodes that make up one window up from the anchor;"
    " the anchor's state, if it is on the host only."
)
LOCKED = (
    "From before anything is evicted until the ack the anchor is locked on both tiers (6.1, 6.6)."
)
NEEDED = "eviction of what is short (7.1) does not free enough, or an allocation fails."
NO_HIT = "It counts as no hit, and as no use beyond that of the match."


def _tokens(plan: Plan) -> int:
    return sum(len(node.segment) for node in plan.get(COMPONENTS[FULL], ()))


def _is_given(cache: RadixCache, plan: Plan) -> bool:
    """Whether there is anything to load, and no allocation for it was told to fail."""
    pools = cache.memory.device_allocators
    return bool(plan) and all(gives(pools[one], 0) for one in plan)


def _of_full_alone(plan: Plan) -> bool:
    return len(plan) == 1 and _tokens(plan) > 0


@kind("a load-back is refused although there is room", "9.3", ROOM, ALL, HOSTED)
def load_refused(cache: RadixCache, strikes: Strikes) -> None:
    loader = cache.loader

    @around(loader, "_allocate")
    def refuse(allocate: Callable[..., Any], need: dict[Part, int]) -> Any:
        fits = all(gives(loader._device[one], count) for one, count in need.items())
        for component in need if fits else ():
            if strikes(Component(component)):
                return None
        return allocate(need)


@kind("a load-back goes ahead beyond its quota", "9.3", QUOTA, policies=HOSTED)
def load_over_quota(cache: RadixCache, strikes: Strikes) -> None:
    loader = cache.loader

    @around(loader, "load_back")
    def beyond(load_back: Callable[..., int], anchor: Node, quota: int | None) -> int:
        plan = loader._plan(anchor)
        wanted = _tokens(plan) + cache.locks.pinned_by(anchor)
        over = quota is not None and wanted > quota and _is_given(cache, plan)
        return load_back(anchor, None if over and strikes(FULL) else quota)


@kind("a load-back is refused for a quota that it just fits", "9.3", QUOTA, policies=HOSTED)
def load_quota_a_token_short(cache: RadixCache, strikes: Strikes) -> None:
    loader = cache.loader

    @around(loader, "load_back")
    def short(load_back: Callable[..., int], anchor: Node, quota: int | None) -> int:
        plan = loader._plan(anchor)
        fits = plan and quota == _tokens(plan) + cache.locks.pinned_by(anchor)
        if quota is not None and fits and strikes(FULL):
            return load_back(anchor, quota - 1)
        return load_back(anchor, quota)


@kind("a load-back goes ahead although it is too short", "9.3", SHORT, policies=HOSTED)
def load_too_short(cache: RadixCache, strikes: Strikes) -> None:
    loader = cache.loader

    @around(loader, "load_back")
    def short(load_back: Callable[..., int], anchor: Node, quota: int | None) -> int:
        plan = loader._plan(anchor)
        too_short = _of_full_alone(plan) and _tokens(plan) < loader._config.load_threshold
        if not (too_short and strikes(FULL)):
            return load_back(anchor, quota)
        with instead(loader, "_config", replace(loader._config, load_threshold=1)):
            return load_back(anchor, quota)


@kind("a load-back of the least length is refused", "9.3", SHORT, policies=HOSTED)
def load_threshold_a_token_long(cache: RadixCache, strikes: Strikes) -> None:
    loader = cache.loader

    @around(loader, "load_back")
    def long(load_back: Callable[..., int], anchor: Node, quota: int | None) -> int:
        plan, least = loader._plan(anchor), loader._config.load_threshold
        just = _of_full_alone(plan) and _tokens(plan) == least
        if not (just and strikes(FULL)):
            return load_back(anchor, quota)
        with instead(loader, "_config", replace(loader._config, load_threshold=least + 1)):
            return load_back(anchor, quota)


@kind("a load-back leaves out the last node of a list", "9.2", LISTS, ALL, HOSTED)
def load_a_node_less(cache: RadixCache, strikes: Strikes) -> None:
    bring = cache.loader

    @around(bring, "_bring")
    def less(original: Callable[..., Any], plan: Plan) -> Any:
        for component, nodes in list(plan.items()):
            last = len(nodes) == 1
            if not (last and len(plan) == 1) and strikes(Component(component)):
                plan[component] = nodes[:-1]
                if last:
                    del plan[component]
        return original(plan)


@kind("a load-back brings the window of a node more", "9.2", LISTS, (SWA,), HOSTED)
def load_a_window_more(cache: RadixCache, strikes: Strikes) -> None:
    part = COMPONENTS[SWA]

    @around(cache.loader, "_bring")
    def more(original: Callable[..., Any], plan: Plan) -> Any:
        above = next(iter(plan.values()))[0].parent
        while above is not None and not above.is_root:
            lost = above.swa.device is None and above.swa.host is not None
            known = above in plan.get(part, ()) or above.full.device is None
            if lost and not known and strikes(SWA):
                plan[part] = [above, *plan.get(part, [])]
                break
            above = above.parent
        return original(plan)


@kind("a load-back copies the bytes of a slot's neighbour", "17.3", BYTES, ALL, HOSTED)
def load_reads_a_neighbour(cache: RadixCache, strikes: Strikes) -> None:
    misread(cache, cache.loader._engine, cache.memory.host_pools, strikes)


def _once_started(cache: RadixCache, then: Callable[[Load], None]) -> None:
    """Let ``then`` see every load-back right after it has been started."""
    outstanding = cache.loader._outstanding

    @around(outstanding, "add")
    def note(add: Callable[..., None], load: Load) -> None:
        add(load)

    @around(cache.loader, "load_back")
    def and_then(load_back: Callable[..., int], anchor: Node, quota: int | None) -> int:
        before = len(outstanding)
        tokens = load_back(anchor, quota)
        if len(outstanding) > before:
            then(outstanding._entries[-1])
        return tokens


@kind("a load-back does not lock the device", "9.2", LOCKED, policies=HOSTED)
def load_unlocked(cache: RadixCache, strikes: Strikes) -> None:
    def release(load: Load) -> None:
        if strikes(FULL):
            cache.locks.unlock(load.receipt)
            load.receipt = cache.locks.lock(cache.tree.root)

    _once_started(cache, release)


@kind("a load-back does not lock the host", "9.2", LOCKED, policies=HOSTED)
def load_unlocked_on_host(cache: RadixCache, strikes: Strikes) -> None:
    def release(load: Load) -> None:
        if strikes(FULL):
            cache.locks.unlock_host(load.host_receipt)
            load.host_receipt = cache.locks.lock_host(cache.tree.root)

    _once_started(cache, release)


@kind("a node is not marked as being loaded back", "1.1", MARKS, policies=HOSTED)
def load_unmarked(cache: RadixCache, strikes: Strikes) -> None:
    def clear(load: Load) -> None:
        if strikes(FULL):
            node = load.fragments.pop()
            node.loads.remove(load)
            cache.tree.changed(node)

    _once_started(cache, clear)


@kind("a load-back gives up the host copy that it reads", "9.4", "Host copies stay.", ALL, HOSTED)
def load_drops_host_copy(cache: RadixCache, strikes: Strikes) -> None:
    def drop(load: Load) -> None:
        for component in COMPONENTS:
            held = [node for node in load.fragments if node.states[component].host is not None]
            if held and strikes(Component(component)):
                cache.host_evictor._free(held[-1], component, [0, 0, 0])

    _once_started(cache, drop)


@kind("a load-back counts as a hit", "9.4", NO_HIT, policies=HOSTED)
def hit_by_load(cache: RadixCache, strikes: Strikes) -> None:
    def count(load: Load) -> None:
        if hits_matter(cache) and strikes(FULL):
            load.fragments[-1].hits += 1

    _once_started(cache, count)


@kind("a load-back counts as a use of what is above what it brings", "9.4", NO_HIT, policies=HOSTED)
def use_by_load(cache: RadixCache, strikes: Strikes) -> None:
    def touch(load: Load) -> None:
        above = load.fragments[0].parent
        if above is not None and not above.is_root and strikes(FULL):
            cache.tree.touch(above)

    _once_started(cache, touch)


@kind(
    "a load-back says that it brings a page more",
    "9.6",
    "The FULL tokens that it brings, 0 if it is refused, and also if it brings SWA or a state"
    " alone.",
    policies=HOSTED,
)
def load_miscounted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "load_back")
    def more(load_back: Callable[..., int], *asked: Any) -> int:
        tokens = load_back(*asked)
        return tokens + cache.config.page_size if tokens and strikes(FULL) else tokens


@kind(
    "a window that is loaded back is not entered in the map",
    "9.4",
    "SWA is entered in the map (13.1) for the FULL slots that are there now.",
    (SWA,),
    HOSTED,
)
def load_not_mapped(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.memory.device, "pair")
    def forget(pair: Callable[..., None], full: Any, swa: Any) -> None:
        pair(full, swa)
        if strikes(SWA):
            cache.memory.device.swa_of[full[-1]] = 0


@kind("a load-back that has room makes more", "9.3", NEEDED, policies=HOSTED)
def load_evicts_unneeded(cache: RadixCache, strikes: Strikes) -> None:
    loader = cache.loader

    @around(loader, "_allocate")
    def make_room(allocate: Callable[..., Any], need: dict[Part, int]) -> Any:
        fits = all(count <= loader._device[one].available for one, count in need.items())
        if fits and cache.tree.device_leaves and strikes(FULL):
            cache.device_evictor.evict(1, 0, 0)
        return allocate(need)
