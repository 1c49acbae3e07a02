"""Which milestones an operation is about to reach, recognised in the model alone: one function per
kind of operation.

Nothing here changes the model, and nothing is remembered: milestones that need a memory are left to
the `Watcher`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

from radixproof.impl.operations import (
    Evict,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Prefetch,
    RunCopies,
)
from radixproof.model.config import DEVICE, HOST, Component, Config, Pool
from radixproof.model.key import Key
from radixproof.model.specification.backing_up import host_need
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.nodes import is_device_leaf, is_host_leaf, window_nodes
from radixproof.model.specification.ordering import in_order
from radixproof.model.specification.trie import Holder, HolderKind, Page
from radixproof.properties.coverage.milestones import Milestone
from radixproof.properties.generating.preview import (
    InsertPreview,
    LoadPreview,
    MatchPreview,
    allocated,
    ends_of,
    evictable,
    load_is_refused,
    preview_load,
    preview_match,
    receipts_on,
    unlocked_on_host,
)

FULL, SWA, MAMBA = Component
Met: TypeAlias = Iterator[Milestone]


# -- looking up ------------------------------------------------------------------------------------


def of_prompt(
    model: Cache,
    operation: Match | Lock | HostLock | Insert | HostInsert | Prefetch | LoadBack,
) -> Met:
    """An operation on a prompt: it is looked up first, whatever else happens."""
    found = preview_match(model, operation.key)
    yield from of_key(model, found)
    match operation:
        case Lock():
            yield from of_lock(model, found)
        case Insert():
            yield from _of_insert(model, operation, found)
        case HostInsert():
            yield from _of_host_insert(model, operation, found)
        case Prefetch():
            yield from _of_prefetch(model, operation, found)
        case LoadBack():
            yield from of_load(model, operation.quota, found)


def of_key(model: Cache, found: MatchPreview) -> Met:
    """A key is looked up."""
    if not found.path:
        return
    if found.best.end > found.device.end:
        yield Milestone.HOST_HIT
    if found.device is not found.path[-1]:
        yield from _of_veto(found, model.config)
    if model.config.window is not None:
        kept = [page.has(Pool.SWA) for page in found.path if page.has(Pool.FULL)]
        if [there for there, _ in groupby(kept)].count(False) > 1:
            yield Milestone.TOMBSTONES_APART
    if any(
        found.path[0].tokens in other.children
        for other in model.trie.roots.values()
        if other is not found.root
    ):
        yield Milestone.NAMESPACES_SHARE
    if model.config.bigram:
        yield Milestone.BIGRAM_MATCH
    if not found.path[-1].cut:
        yield from _of_split(model, found.path[-1])


def _of_veto(found: MatchPreview, config: Config) -> Met:
    """A match ends on the device before its walk: but for SWA, or the states, it would go on."""
    if config.window is not None:
        without = replace(config, window=None, swa_pages=0, swa_host_pages=0)
        if ends_of(found.path, found.root, without)[0].end > found.device.end:
            yield Milestone.WINDOW_VETO
    if config.mamba_states:
        without = replace(config, mamba_states=0, mamba_host_states=0)
        if ends_of(found.path, found.root, without)[0].end > found.device.end:
            yield Milestone.STATE_VETO


def _of_split(model: Cache, end: Page) -> Met:
    """A node is about to be cut after ``end``."""
    copies = model.copies.flying
    if receipts_on(end, Pool.FULL):
        yield Milestone.SPLIT_LOCKED
    if any(receipts_on(end, pool) for pool in HOST):
        yield Milestone.SPLIT_HOST_LOCKED
    if any(end in copy.node for copy in copies if not copy.load):
        yield Milestone.SPLIT_IN_FLIGHT
    if any(end in copy.node for copy in copies if copy.load):
        yield Milestone.SPLIT_LOADING
    if end.host_only:
        yield Milestone.SPLIT_HOST_ONLY
    if model.config.window is not None and end.has(Pool.FULL) and not end.has(Pool.SWA):
        yield Milestone.SPLIT_TOMBSTONE
    if end.node_end().has(Pool.MAMBA):
        yield Milestone.SPLIT_ABOVE_STATE


def of_lock(model: Cache, found: MatchPreview) -> Met:
    """A lock on the device node that a key matches."""
    device = found.device
    if model.config.window is None or device.parent is None:
        return
    window = window_nodes(device.path(), model.config.window)
    if sum(len(page.tokens) for page in window) > model.config.window:
        yield Milestone.WINDOW_INSIDE_NODE
        if receipts_on(window[0], Pool.SWA):
            yield Milestone.WINDOW_SHARED


# -- inserting -------------------------------------------------------------------------------------


def _of_insert(model: Cache, operation: Insert, found: MatchPreview) -> Met:
    trie, config = model.trie, model.config
    served = found.device.end if operation.reuse else 0
    units = len(operation.key.units(config.bigram))
    need = allocated(units - served, operation.state, config)
    if operation.evicted > config.floor(units) or any(
        trie.free(pool) < count for pool, count in need.items()
    ):
        return
    if any(pool in model.refusing for pool in need):
        yield Milestone.INSERT_REFUSED
        return
    coming = InsertPreview(
        found.path,
        config.floor(units),
        max(operation.evicted, served),
        operation.state,
    )
    if not coming.length:
        return
    if coming.end == coming.length and all(page.has(Pool.FULL) for page in coming.path):
        yield Milestone.DUPLICATE
    if served and coming.end < coming.length:
        yield Milestone.REUSE
    if any(page.host_only for page in coming.path):
        yield Milestone.REVIVE
    if config.window is not None:
        yield from _of_window(model, coming, config.window)
    if config.mamba_states and coming.state and coming.end == coming.length:
        yield from _of_state(coming.path[-1])
    if config.hosted and not config.write_back:
        yield from _of_backup(model, coming)


def _of_window(model: Cache, coming: InsertPreview, window: int) -> Met:
    evicted, end, length = coming.evicted, coming.end, coming.length
    if any(page.host_only and not coming.brings_swa(page) for page in coming.path):
        yield Milestone.REVIVE_BELOW_BOUNDARY
    lost = [
        page
        for page in coming.path
        if page.has(Pool.FULL) and not page.has(Pool.SWA) and coming.brings_swa(page)
    ]
    if lost:
        yield Milestone.RECOVER
    if any(receipts_on(page, Pool.FULL) for page in lost):
        yield Milestone.RECOVER_LOCKED
    if any(page.end == evicted and not page.cut for page in coming.path):
        yield Milestone.BOUNDARY_INSIDE_NODE
        if model.config.page_size > 1:
            yield Milestone.BOUNDARY_INSIDE_PAGED_NODE
    if end < evicted < length:
        yield Milestone.BOUNDARY_INSIDE_LEAF
    if end < length <= evicted:
        yield Milestone.LEAF_BELOW_BOUNDARY
    if length - max(end, evicted) > window:
        yield Milestone.LEAF_LONGER_THAN_WINDOW


def _of_state(last: Page) -> Met:
    if last.has(Pool.MAMBA):
        yield Milestone.STATE_TWICE
    else:
        yield Milestone.STATE_REVIVED if last.has(Pool.MAMBA_HOST) else Milestone.STATE_ATTACHED


def _of_backup(model: Cache, coming: InsertPreview) -> Met:
    """Under write-through, what the hits of an insert make due for backup."""
    path, threshold, new = coming.path, model.config.threshold, coming.length - coming.end
    unbacked = [page for page in path if not page.has(Pool.FULL_HOST)]
    due = any(page.hits + 1 >= threshold for page in unbacked)
    if due or (new and threshold == 1):
        need = sum(len(page.tokens) for page in unbacked) + (new if threshold == 1 else 0)
        room, spare = (
            model.trie.free(Pool.FULL_HOST),
            len(model.trie.host_only[FULL]) * model.config.page_size,
        )
        if unbacked and (new or sum(page.cut for page in unbacked) > 1):
            yield Milestone.BACKUP_OF_ANCESTORS
        if room < need <= room + spare:
            yield from _of_backup_room(model, coming)
        if any(pool.on_host for locked in model.receipts.values() for pool in locked):
            yield Milestone.BACKUP_UNDER_HOST_LOCK
        if need > room + spare:
            yield Milestone.BACKUP_TOO_LARGE
        if need <= room and model.refusing.intersection(HOST):
            yield Milestone.BACKUP_REFUSED
    backed = [page for page in path if page.has(Pool.FULL_HOST) and page.hits + 1 >= threshold]
    late = (
        page
        for page in backed
        if not page.has(Pool.SWA_HOST) and (page.has(Pool.SWA) or coming.brings_swa(page))
    )
    if model.config.window is not None and any(late):
        yield Milestone.SUPPLEMENT_WINDOW
    attached = path[-1] if coming.state and not new else None
    if model.config.mamba_states and any(
        (page.has(Pool.MAMBA) or page is attached) and not page.has(Pool.MAMBA_HOST)
        for page in backed
    ):
        yield Milestone.SUPPLEMENT_STATE


def _of_backup_room(model: Cache, coming: InsertPreview) -> Met:
    """A backup needs room for FULL on the host, which an eviction can make."""
    trie, config = model.trie, model.config
    yield Milestone.BACKUP_MAKES_ROOM
    if any(copy.load for copy in model.copies.flying):
        yield Milestone.BACKUP_MAKES_ROOM_WHILE_LOADING
    swa = coming.length - max(coming.end, coming.evicted) if config.window is not None else 0
    state = int(coming.state and config.mamba_states > 0)
    if trie.free(Pool.SWA_HOST) < swa or trie.free(Pool.MAMBA_HOST) < state:
        yield Milestone.BACKUP_SHORT_OF_TWO


def _of_host_insert(model: Cache, operation: HostInsert, found: MatchPreview) -> Met:
    trie = model.trie
    length, start = len(trie.units(operation.key)), found.best.end
    if (
        length == start
        or trie.free(Pool.FULL_HOST) < length - start
        or Pool.FULL_HOST in model.refusing
    ):
        return
    attached = True
    for page in found.path:
        refilled = attached and page.end > start and not page.has(Pool.FULL_HOST)
        attached = page.has(Pool.FULL_HOST) or refilled
        if refilled:
            yield Milestone.HOST_INSERT_REFILLS
    if len(found.path) * model.config.page_size < length:
        adds = attached or model.config.write_back
        yield Milestone.HOST_INSERT_ADDS if adds else Milestone.HOST_INSERT_DROPPED


def _of_prefetch(model: Cache, operation: Prefetch, found: MatchPreview) -> Met:
    need = len(model.trie.units(operation.key)) - found.best.end
    short = model.trie.free(Pool.FULL_HOST) < need <= model.config.slots(Pool.FULL_HOST)
    if short and any(is_host_leaf(page) for page in model.trie.host_only[FULL]):
        yield Milestone.PREFETCH_MAKES_ROOM


# -- receipts --------------------------------------------------------------------------------------


def of_release(model: Cache, name: str) -> Met:
    """The window, and the state, of a receipt are given back early."""
    holder = Holder(HolderKind.RECEIPT, name)
    if holder not in model.receipts or not model.may_release(holder):
        return
    yield Milestone.RELEASE
    window = [page for page in model.receipts[holder].get(Pool.SWA, []) if page.has(Pool.SWA)]
    if any(len(receipts_on(page, Pool.SWA)) > 1 for page in window):
        yield Milestone.RELEASE_SHARED
    if any(
        page.cut and page.holders[Pool.SWA] == (holder,) and not _below(page, Pool.FULL)
        for page in window
    ):
        yield Milestone.RELEASE_OF_LEAF


def _below(page: Page, pool: Pool) -> bool:
    return any(child.has(pool) for child in page.children.values())


# -- evicting --------------------------------------------------------------------------------------


def of_evict(model: Cache, operation: Evict) -> Met:
    trie, order = model.trie, model.config.eviction_policy
    leaves = [page for page in trie.recency_in[FULL] if is_device_leaf(page)]
    if operation.full and leaves:
        if operation.full > sum(
            len(page.tokens) for page in trie.recency_in[FULL] if not page.locked
        ):
            yield Milestone.EVICTION_OF_TOO_MUCH
        first = next(iter(in_order(leaves, order)))
        if first is not leaves[0]:
            yield Milestone.EVICTION_BY_OTHER_ORDER
        yield from _of_leaf(model, first)
    for component, asked in ((SWA, operation.swa), (MAMBA, operation.mamba)):
        if asked and not operation.full:
            yield from _of_value(model, component)


def _of_leaf(model: Cache, leaf: Page) -> Met:
    """A leaf is the first that has to leave the device."""
    config, backed = model.config, leaf.has(Pool.FULL_HOST)
    if any(not copy.load for copy in model.copies.flying):
        yield Milestone.EVICTION_IN_FLIGHT
    if any(copy.load for copy in model.copies.flying):
        yield Milestone.EVICTION_WHILE_LOADING
    if not config.hosted:
        yield Milestone.EVICTION_WITHOUT_HOST
    elif backed:
        yield Milestone.DEMOTION
    elif any(page.host_locked for page in model.trie.subtree(leaf.node())):
        yield Milestone.EVICTION_UNDER_HOST_LOCK
    elif config.write_back:
        yield from _of_writing_back(model, leaf)
    else:
        yield Milestone.DELETION


def _of_writing_back(model: Cache, leaf: Page) -> Met:
    need = {
        component: host_need(model, [leaf.node()], component)
        for component in model.config.components
    }
    room = {component: model.trie.free(HOST[component]) for component in need}
    spare = {component: unlocked_on_host(model, HOST[component]) for component in need}
    fails = any(HOST[component] in model.refusing for component in need if need[component])
    if fails or any(need[component] > room[component] + spare[component] for component in need):
        if leaf.children:
            yield Milestone.WRITE_BACK_DELETION
    elif all(need[component] <= room[component] for component in need):
        yield Milestone.WRITE_BACK_OF_LEAF
    else:
        yield Milestone.WRITE_BACK_MAKES_ROOM


def _of_value(model: Cache, component: Component) -> Met:
    """SWA or MAMBA alone is evicted."""
    pool = DEVICE[component]
    victim = next(
        (
            page
            for page in model.trie.recency_in[component]
            if page.cut and not page.locked_in(pool)
        ),
        None,
    )
    if victim is None or is_device_leaf(victim):
        return
    yield Milestone.SWA_EVICTION_INTERIOR if component is SWA else Milestone.STATE_EVICTION_INTERIOR
    if component is SWA and victim.has(Pool.MAMBA) and not victim.locked_in(Pool.MAMBA):
        yield Milestone.STATE_LOST_WITH_WINDOW
    if model.config.write_back and not victim.has(Pool.FULL_HOST):
        yield Milestone.WRITE_BACK_INTERIOR


def of_evict_host(model: Cache, component: Component) -> Met:
    trie, pool = model.trie, HOST[component]
    ends = [page for page in trie.recency if page.cut and page.has(pool)]
    if any(copy.load and any(page.has(pool) for page in copy.node) for copy in model.copies.flying):
        yield Milestone.HOST_EVICTION_WHILE_LOADING
    if component is not FULL:
        if any(
            not is_host_leaf(page) and not page.has(DEVICE[component]) and not page.locked_in(pool)
            for page in ends
        ):
            yield (
                Milestone.HOST_EVICTION_OF_WINDOW
                if component is SWA
                else Milestone.HOST_EVICTION_OF_STATE
            )
        return
    tops = (page.node()[0].parent for page in ends if is_host_leaf(page))
    if any(above is not None and above.host_only for above in tops):
        yield Milestone.HOST_EVICTION_OF_CHAIN
    if any(page.host_only and not page.children and receipts_on(page, pool) for page in ends):
        yield Milestone.HOST_EVICTION_LOCKED
    if model.config.write_back and any(
        page.has(Pool.FULL) and not page.host_locked for page in ends
    ):
        yield Milestone.HOST_EVICTION_OF_DUPLICATE


# -- loading back ----------------------------------------------------------------------------------


def of_load(model: Cache, quota: int | None, found: MatchPreview) -> Met:
    load = preview_load(model, found.best)
    if load_is_refused(model, load, None):
        if load.full:
            yield Milestone.LOAD_TOO_SHORT
    elif load_is_refused(model, load, quota):
        yield Milestone.LOAD_OVER_QUOTA
    elif not load.fits:
        yield Milestone.LOAD_TOO_LARGE
    elif any(load.need[pool] and pool in model.refusing for pool in DEVICE):
        yield Milestone.LOAD_REFUSED
    else:
        yield from _of_loading(model, load)


def _of_loading(model: Cache, load: LoadPreview) -> Met:
    """A load-back that goes ahead."""
    ends = [page for page in load.lists[Pool.FULL] if page.cut]
    if len(ends) > 1 and load.path[0].has(Pool.FULL):
        yield Milestone.LOAD_OF_CHAIN
    if any(load.need[pool] > load.free[pool] for pool in DEVICE):
        yield Milestone.LOAD_UNDER_PRESSURE
        if model.config.write_back and any(
            _goes_unbacked(page, load.path) for page in model.trie.recency_in[FULL]
        ):
            yield Milestone.LOAD_WRITES_BACK
    if load.aux and not load.full:
        yield Milestone.LOAD_OF_AUX
    if 0 < load.full < model.config.load_threshold:
        yield Milestone.LOAD_SHORT_WITH_AUX
    if any(page in load.path for copy in model.copies.flying if copy.load for page in copy.node):
        yield Milestone.LOAD_ON_LOAD
    if any(receipts_on(page, Pool.FULL) for page in load.lists[Pool.SWA]):
        yield Milestone.LOAD_UNDER_RECEIPT


def _goes_unbacked(page: Page, path: list[Page]) -> bool:
    return is_device_leaf(page) and page not in path and not page.has(Pool.FULL_HOST)


# -- copies ----------------------------------------------------------------------------------------


def of_run(model: Cache, operation: RunCopies) -> Met:
    if operation.fail and model.copies.queued.get((operation.load, operation.rank)):
        yield Milestone.LOAD_FAILS if operation.load else Milestone.BACKUP_FAILS


def of_poll(model: Cache, load: bool) -> Met:
    waiting = [copy for copy in model.copies.flying if copy.load == load]
    complete = [copy.complete for copy in waiting]
    if waiting and not any(complete):
        yield Milestone.POLL_TOO_EARLY
    if any(complete) and not all(complete) and not load:
        yield Milestone.POLL_PARTLY
    if any(any(copy.ran) and not copy.complete for copy in waiting):
        yield Milestone.POLL_ONE_RANK_AHEAD


# -- requests --------------------------------------------------------------------------------------


def of_arrival(model: Cache, quota: int | None, found: MatchPreview) -> Met:
    """A request that comes: its prefix is loaded back and locked, and it takes a copy
    of the state there.
    """
    if found.device.parent is not None and any(
        holder.kind is HolderKind.REQUEST for holder in found.path[0].holders[Pool.FULL]
    ):
        yield Milestone.REQUESTS_SHARE
    if not model.config.mamba_states:
        return
    load = preview_load(model, found.best)
    loads = load.fits and not load_is_refused(model, load, quota)
    anchor, need = (found.best, load.need[Pool.MAMBA]) if loads else (found.device, 0)
    if anchor.parent is None or model.trie.free(Pool.MAMBA) > need:
        return
    left = (
        model.trie.free(Pool.MAMBA)
        + evictable(model.trie.recency_in[MAMBA], Pool.MAMBA, [anchor])
        - need
    )
    yield Milestone.STATE_COPY_MAKES_ROOM if left > 0 else Milestone.STATE_COPY_REFUSED


def of_progress(model: Cache, holder: Holder, key: Key) -> Met:
    """A request whose prefix ``holder`` locks computes more of its prompt."""
    known = model.receipts[holder].get(Pool.FULL, [])
    if len(model.trie.walk(key)) > len(known):
        yield Milestone.REQUEST_OVERTAKEN
