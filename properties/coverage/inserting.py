"""Which milestones an insert, on the device or on the host, is about to reach."""

from __future__ import annotations

from collections.abc import Sequence

from radixproof.impl.operations import (
    HostInsert,
    Insert,
    Prefetch,
)
from radixproof.model.config import HOST, Component, Pool
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.nodes import is_host_leaf
from radixproof.model.specification.trie import Page
from radixproof.properties.coverage.milestones import Met, Milestone
from radixproof.properties.generating.preview import (
    InsertPreview,
    MatchPreview,
    allocated,
    receipts_on,
)
from radixproof.properties.performing.prefetches import needed, stored_of

FULL, SWA, MAMBA = Component


def of_insert(model: Cache, operation: Insert, found: MatchPreview) -> Met:
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


def of_host_insert(model: Cache, operation: HostInsert, found: MatchPreview) -> Met:
    length, start = len(model.trie.units(operation.key)), found.best.end
    if not _has_room(model, start, length):
        return
    refills = model.dialect.host_insert_refills and not model.config.write_back
    attached = True
    for page in found.path:
        lacks = attached and page.end > start and not page.has(Pool.FULL_HOST)
        attached = page.has(Pool.FULL_HOST) or (lacks and refills)
        if lacks:
            yield Milestone.HOST_INSERT_REFILLS
    if len(found.path) * model.config.page_size < length:
        adds = attached or model.config.write_back
        yield Milestone.HOST_INSERT_ADDS if adds else Milestone.HOST_INSERT_DROPPED
        if adds:
            yield from _of_fetched_window(model, found.path, start, length)
    elif attached:
        yield from _of_fetched_window(model, found.path, start, length)
        if model.config.mamba_states and not found.path[-1].has(Pool.MAMBA_HOST):
            yield Milestone.FETCHED_STATE_FILLS


def _has_room(model: Cache, start: int, length: int) -> bool:
    """There is something to fetch, and the host takes it as it is."""
    need = dict(needed(model.config, start, length))
    fits = all(model.trie.free(pool) >= count for pool, count in need.items())
    return bool(need) and fits and model.refusing.isdisjoint(need)


def _of_fetched_window(model: Cache, path: Sequence[Page], start: int, length: int) -> Met:
    """A window is fetched for the end of a key, of which ``path`` is in the tree."""
    first = length - model.config.fetched_window(start, length)
    lacking = [page for page in path if page.end > first and not page.has(Pool.SWA_HOST)]
    if first < length and lacking:
        yield Milestone.FETCHED_WINDOW_FILLS
    above = next((page for page in path if page.end == first), None)
    if (path[-1].end if path else 0) < first < length:
        yield Milestone.FETCHED_WINDOW_CUTS
    if above is not None and not above.cut and lacking and lacking[0].parent is above:
        yield Milestone.FETCHED_WINDOW_SPLITS


def fetched_end(model: Cache, operation: Prefetch, start: int) -> int:
    """The end of what a prefetch is about that begins there: what storage has, in whole pages."""
    units = model.config.floor(len(model.trie.units(operation.key)))
    return start + stored_of(model.config, operation, max(0, units - start))


def of_prefetch(model: Cache, operation: Prefetch, found: MatchPreview) -> Met:
    start = found.best.end
    need = dict(needed(model.config, start, fetched_end(model, operation, start)))
    short = [pool for pool, count in need.items() if model.trie.free(pool) < count]
    fits = all(count <= model.config.slots(pool) for pool, count in need.items())
    if short and fits and all(_can_make_room(model, pool) for pool in short):
        yield Milestone.PREFETCH_MAKES_ROOM


def _can_make_room(model: Cache, pool: Pool) -> bool:
    """Something is on the host only that may go."""
    only = model.trie.host_only[pool.component]
    return any(is_host_leaf(page) for page in only) if pool is Pool.FULL_HOST else bool(only)
