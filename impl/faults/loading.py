"""Bugs in loading back from the host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.loading import Load, Plan
    from radixproof.impl.radix.locks import HostReceipt
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

FULL, SWA, MAMBA = COMPONENTS


def _once_started(cache: RadixCache, then: Callable[[Load], None]) -> None:
    """Let ``then`` see every load-back right after it has been started."""
    loader = cache.loader
    load_back, outstanding = loader.load_back, loader._outstanding

    def start(anchor: Node, quota: int | None) -> int:
        before = len(outstanding)
        tokens = load_back(anchor, quota)
        if len(outstanding) > before:
            then(outstanding._entries[-1])
        return tokens

    loader.load_back = start  # type: ignore[method-assign]


def _once_refused(cache: RadixCache, then: Callable[[Node], object]) -> None:
    """Let ``then`` see the anchor of every load-back that is refused with something to load."""
    loader = cache.loader
    load_back, outstanding = loader.load_back, loader._outstanding

    def start(anchor: Node, quota: int | None) -> int:
        before = len(outstanding)
        tokens = load_back(anchor, quota)
        if len(outstanding) == before and loader._plan(anchor):
            then(anchor)
        return tokens

    loader.load_back = start  # type: ignore[method-assign]


@fault(
    "B06, SGLang pull request 27444",
    "the host source of a load-back is only pinned after room was made on the device, "
    "which may evict it",
    Property.NOCRASH,
)
def load_source_pinned_late(cache: RadixCache) -> None:
    loader, locks = cache.loader, cache.locks
    load_back, allocate, lock_host = loader.load_back, loader._allocate, locks.lock_host
    latest: list[HostReceipt] = []

    def remember(anchor: Node) -> HostReceipt:
        latest[:] = [lock_host(anchor)]
        return latest[0]

    def start(anchor: Node, quota: int | None) -> int:
        locks.lock_host = remember  # type: ignore[method-assign]
        try:
            return load_back(anchor, quota)
        finally:
            locks.lock_host = lock_host  # type: ignore[method-assign]

    def make_room(need: dict[Component, int]) -> dict[Component, Slots] | None:
        early = latest[0]
        locks.unlock_host(early)
        taken = allocate(need)
        late = lock_host(early.anchor)
        early.full_edge, early.window_edge, early.spent = late.full_edge, late.window_edge, False
        return taken

    loader.load_back = start  # type: ignore[method-assign]
    loader._allocate = make_room  # type: ignore[method-assign]


@fault(
    "B06, SGLang pull requests 26728 and 27424",
    "the host source of a load-back is released when the copy has been submitted, "
    "not when it is acknowledged",
    Property.LOCK,
)
def load_source_released_early(cache: RadixCache) -> None:
    def release(load: Load) -> None:
        cache.locks.unlock_host(load.host_receipt)
        load.host_receipt = cache.locks.lock_host(cache.tree.root)

    _once_started(cache, release)


@fault(
    "lightseekorg/tokenspeed pull request 41",
    "the device target of a load-back is released when the copy has been submitted",
    Property.LOCK,
)
def load_target_released_early(cache: RadixCache) -> None:
    def release(load: Load) -> None:
        cache.locks.unlock(load.receipt)
        load.receipt = cache.locks.lock(cache.tree.root)

    _once_started(cache, release)


@fault(
    "family of B08, SGLang pull request 24972: a release that does not mirror its acquire",
    "the host lock of a load-back is given back twice, the second time at the expense of others",
    Property.NOCRASH,
)
def load_source_released_twice(cache: RadixCache) -> None:
    outstanding = cache.loader._outstanding
    finish = outstanding.finish

    def release(blocking: bool, limit: int | None) -> list[Load]:
        finished = finish(blocking, limit)
        for load in finished:
            cache.locks.unlock_host(load.host_receipt)
            load.host_receipt.spent = False
        return finished

    outstanding.finish = release  # type: ignore[method-assign]


@fault(
    "B81, SGLang pull request 39395",
    "a load-back pins the host copies of the whole path, not only of its end",
    Property.LOCK,
)
def load_pins_the_whole_path(cache: RadixCache) -> None:
    outstanding = cache.loader._outstanding
    finish = outstanding.finish
    pinned: dict[Load, list[HostReceipt]] = {}

    def pin(load: Load) -> None:
        above, pinned[load] = load.receipt.anchor.parent, []
        while above is not None:
            pinned[load].append(cache.locks.lock_host(above))
            above = above.parent

    def unpin(blocking: bool, limit: int | None) -> list[Load]:
        finished = finish(blocking, limit)
        for receipt in [receipt for load in finished for receipt in pinned.pop(load)]:
            cache.locks.unlock_host(receipt)
        return finished

    _once_started(cache, pin)
    outstanding.finish = unpin  # type: ignore[method-assign]


@fault(
    "B38, SGLang pull requests 25085 and 25088",
    "a load-back starts at the deepest node with FULL on the host, "
    "not at the one on which all components agree",
    Property.PROGRESS,
)
def load_starts_too_deep(cache: RadixCache) -> None:
    loader = cache.loader
    load_back = loader.load_back

    def from_below(anchor: Node, quota: int | None) -> int:
        while (
            child := next((child for child in anchor.children.values() if child.backed), None)
        ) is not None:
            anchor = child
        return load_back(anchor, quota)

    loader.load_back = from_below  # type: ignore[method-assign]


@fault(
    "family of B41: a test against the wrong pool, SGLang before 0.5.13",
    "a load-back of a window or a state alone is refused, "
    "because it brings fewer FULL tokens than are worth it",
    Property.PROGRESS,
)
def threshold_refuses_windows(cache: RadixCache) -> None:
    loader = cache.loader
    load_back = loader.load_back

    def if_worth_it(anchor: Node, quota: int | None) -> int:
        tokens = sum(len(node.segment) for node in loader._plan(anchor).get(FULL, ()))
        return load_back(anchor, quota) if tokens >= cache.config.load_threshold else 0

    loader.load_back = if_worth_it  # type: ignore[method-assign]


@fault(
    "SGLang before 0.5.20: the quota of a load-back",
    "what a load-back pins on the device is added to its quota instead of being counted against it",
    Property.PROGRESS,
)
def quota_with_the_wrong_sign(cache: RadixCache) -> None:
    locks = cache.locks
    pinned_by = locks.pinned_by

    def negative(node: Node) -> int:
        return -pinned_by(node)

    locks.pinned_by = negative  # type: ignore[method-assign]


@fault(
    "family of B74, SGLang pull request 31771: how much is loaded",
    "FULL is loaded back alone, however little of it there is",
    Property.PROGRESS,
)
def loads_however_short(cache: RadixCache) -> None:
    cache.loader._config = replace(cache.config, load_threshold=1)


@fault(
    "B41, SGLang before 0.5.13",
    "FULL tokens are loaded only if the smaller of the FULL and SWA pools has room for them",
    Property.PROGRESS,
)
def room_of_the_smaller_pool(cache: RadixCache) -> None:
    loader, tree = cache.loader, cache.tree
    allocate = loader._allocate

    def in_both(need: dict[Component, int]) -> dict[Component, Slots] | None:
        pools = {
            component: pool for component, pool in loader._device.items() if component is not MAMBA
        }
        room = min(pool.available + tree.evictable[component] for component, pool in pools.items())
        return allocate(need) if need.get(FULL, 0) <= room else None

    loader._allocate = in_both  # type: ignore[method-assign]


@fault(
    "B40, SGLang pull request 27391",
    "no room is made for the window that a load-back brings along",
    Property.PROGRESS,
)
def window_not_in_the_estimate(cache: RadixCache) -> None:
    loader = cache.loader
    allocate = loader._allocate

    def if_there_is_room(need: dict[Component, int]) -> dict[Component, Slots] | None:
        return (
            allocate(need)
            if SWA not in need or need[SWA] <= loader._device[SWA].available
            else None
        )

    loader._allocate = if_there_is_room  # type: ignore[method-assign]


@fault(
    "B41, SGLang before 0.5.13: needless eviction",
    "a load-back evicts before it knows whether that can be enough",
    Property.PROGRESS,
)
def load_evicts_in_vain(cache: RadixCache) -> None:
    loader = cache.loader
    allocate = loader._allocate

    def evict_first(need: dict[Component, int]) -> dict[Component, Slots] | None:
        short = [0, 0, 0]
        for component, count in need.items():
            short[component] = max(0, count - loader._device[component].available)
        cache.device_evictor.evict(*short)
        return allocate(need)

    loader._allocate = evict_first  # type: ignore[method-assign]


@fault(
    "B54, SGLang pull request 32016",
    "a load-back evicts for all that it needs, not for what is short",
    Property.PROGRESS,
)
def load_evicts_its_whole_need(cache: RadixCache) -> None:
    loader = cache.loader
    allocate, evict = loader._allocate, cache.device_evictor.evict

    def make_room(need: dict[Component, int]) -> dict[Component, Slots] | None:
        def whole(full: int, swa: int, mamba: int) -> tuple[int, int, int]:
            short = {FULL: full, SWA: swa, MAMBA: mamba}
            return evict(
                *(need.get(component, 0) if short[component] else 0 for component in COMPONENTS)
            )

        cache.device_evictor.evict = whole  # type: ignore[method-assign]
        taken = allocate(need)
        cache.device_evictor.evict = evict  # type: ignore[method-assign]
        return taken

    loader._allocate = make_room  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 30053",
    "a load-back that is refused leaves its path locked on the device",
    Property.LOCK,
)
def refused_load_keeps_lock(cache: RadixCache) -> None:
    _once_refused(cache, cache.locks.lock)


@fault(
    "B67, SGLang pull request 30053",
    "a load-back that is refused leaves its source locked on the host",
    Property.LOCK,
)
def refused_load_keeps_host_lock(cache: RadixCache) -> None:
    _once_refused(cache, cache.locks.lock_host)


@fault(
    "B70, SGLang pull requests 16067 and 21404",
    "a load-back that gets no slots for its window or state does not give its FULL slots back",
    Property.OWN,
)
def refused_load_keeps_slots(cache: RadixCache) -> None:
    loader = cache.loader
    allocate = loader._allocate

    def one_by_one(need: dict[Component, int]) -> dict[Component, Slots] | None:
        taken = allocate(need)
        if taken is None and len(need) > 1:
            loader._device[FULL].alloc(need.get(FULL, 0))
        return taken

    loader._allocate = one_by_one  # type: ignore[method-assign]


@fault(
    "B62, SGLang pull requests 37496 and 39479",
    "the slots of a load-back are handed out from the bottom of the path, "
    "its copy is made from the top",
    Property.CONTENT,
)
def load_slots_upside_down(cache: RadixCache) -> None:
    loader = cache.loader
    put = loader._put

    def from_the_bottom(nodes: list[Node], component: Component, slots: Slots) -> None:
        ends = np.cumsum([len(node.segment) for node in nodes[:0:-1]], dtype=np.int64)
        put(nodes, component, np.concatenate(np.split(slots, ends)[::-1]))

    loader._put = from_the_bottom  # type: ignore[method-assign]


@fault(
    "family of B10, SGLang pull request 25805: what is in the map and what is not",
    "the full→SWA map is not told of the windows that a load-back brings",
    Property.MAP,
)
def loaded_window_not_mapped(cache: RadixCache) -> None:
    loader = cache.loader
    put = loader._put

    def unmapped(nodes: list[Node], component: Component, slots: Slots) -> None:
        put(nodes, component, slots)
        if component is SWA:
            for node in nodes:
                cache.memory.device.swa_of[node.full.device] = 0

    loader._put = unmapped  # type: ignore[method-assign]


@fault(
    "B74, SGLang pull request 31771",
    "a load-back brings the windows of the whole path, not only the last one",
    Property.MATCH,
)
def load_brings_all_windows(cache: RadixCache) -> None:
    loader = cache.loader
    plan_of = loader._plan

    def all_windows(anchor: Node) -> Plan:
        plan, path = plan_of(anchor), [anchor]
        while path and path[-1].parent is not None:
            path.append(path[-1].parent)
        windows = [
            node for node in reversed(path) if node.swa.device is None and node.swa.host is not None
        ]
        return {**plan, SWA: windows} if plan and windows else plan

    loader._plan = all_windows  # type: ignore[method-assign]


@fault(
    "B23, SGLang pull request 35931: the mark",
    "the nodes of a load-back above its end keep their mark after the acknowledgement",
    Property.QUIESCE,
)
def load_mark_not_cleared(cache: RadixCache) -> None:
    outstanding = cache.loader._outstanding
    finish = outstanding.finish

    def end_only(blocking: bool, limit: int | None) -> list[Load]:
        finished = finish(blocking, limit)
        for load in finished:
            load.fragments[:] = [node for node in load.fragments if node is load.receipt.anchor]
        return finished

    outstanding.finish = end_only  # type: ignore[method-assign]


@fault(
    "B33, SGLang pull request 16946, on the way back",
    "the upper half of a node that is split while it is being loaded loses the mark",
    Property.PIN,
)
def split_leaves_load(cache: RadixCache) -> None:
    tree = cache.tree
    split = tree.split

    def lower_half_only(node: Node, length: int) -> Node:
        upper = split(node, length)
        for load in upper.loads:
            load.fragments.remove(upper)
        upper.loads.clear()
        return upper

    tree.split = lower_half_only  # type: ignore[method-assign]


@fault(
    "B23, SGLang pull requests 34975 and 35931",
    "a node has room for the mark of one load-back only, "
    "and a second one that needs it takes the place",
    Property.NOCRASH,
)
def one_mark_for_all_loads(cache: RadixCache) -> None:
    def take_over(load: Load) -> None:
        for node in load.fragments:
            node.loads[:] = [load]

    _once_started(cache, take_over)


@fault(
    "B56, SGLang pull request 34519",
    "a second load-back brings nodes again that are still on their way",
    Property.NOCRASH,
)
def node_loaded_twice(cache: RadixCache) -> None:
    loader = cache.loader
    plan_of = loader._plan

    def with_those_on_their_way(anchor: Node) -> Plan:
        plan = plan_of(anchor)
        if plan and anchor.loading and anchor.full.host is not None:
            plan = {FULL: [anchor], **plan}
        return plan

    loader._plan = with_those_on_their_way  # type: ignore[method-assign]


@fault(
    "family of SGLang pull requests 18843 and 30689: what is a hit",
    "being loaded back counts as a hit",
    Property.RECENCY,
)
def load_counts_as_hit(cache: RadixCache) -> None:
    def count(load: Load) -> None:
        for node in load.fragments:
            node.hits += 1

    _once_started(cache, count)
