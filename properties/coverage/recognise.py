"""Which milestones an operation is about to reach, recognised in the model alone: one function per
kind of operation. Those of inserts and evictions are next door.

Nothing here changes the model, and nothing is remembered: milestones that need a memory are left to
the `Watcher`.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from radixproof.impl.operations import (
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
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.nodes import is_device_leaf, window_nodes
from radixproof.model.specification.trie import Holder, HolderKind, Page
from radixproof.properties.coverage import inserting
from radixproof.properties.coverage.milestones import Met, Milestone
from radixproof.properties.generating.preview import (
    LoadPreview,
    MatchPreview,
    ends_of,
    evictable,
    load_is_refused,
    preview_kept,
    preview_load,
    preview_match,
    receipts_on,
)

FULL, SWA, MAMBA = Component


# -- looking up ------------------------------------------------------------------------------------


def of_prompt(
    model: Cache,
    operation: Match | Lock | HostLock | Insert | HostInsert | Prefetch | LoadBack,
) -> Met:
    """An operation on a prompt: it is looked up first, whatever else happens, if no match of it was
    kept.
    """
    kept = None if isinstance(operation, Insert | HostInsert | Prefetch) else operation.kept
    if isinstance(operation, Match) or kept is None:
        found = preview_match(model, operation.key)
        yield from of_key(model, found)
    else:
        found = preview_kept(model, kept)
    match operation:
        case Lock():
            yield from of_lock(model, found)
        case Insert():
            yield from inserting.of_insert(model, operation, found)
        case HostInsert():
            yield from inserting.of_host_insert(model, operation, found)
        case Prefetch():
            yield from inserting.of_prefetch(model, operation, found)
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
