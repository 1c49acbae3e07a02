"""Pure rules, each one sentence of the semantics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from radixproof.model.config import DEVICE, HOST, Component, Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.trie import Page

PagesPerPool: TypeAlias = dict[Pool, list[Page]]

SLRU_PROTECTED = 2
"""Hits from which a node belongs to the protected segment of SLRU (semantics 7.2)."""


def boundaries(path: Sequence[Page], root: Page, config: Config) -> tuple[Page, Page]:
    """The last node ends on ``path`` at which a match may stop: for device state alone, and for either tier (semantics 3.2, 3.3).

    FULL must be present. SWA demands that since the last page without it a whole window has accumulated; before any such page
    every length will do. MAMBA demands a state right there. Two rules run side by side over every page, one a mode.
    """
    device = best = root
    window, states = config.window, config.mamba_states > 0
    on_device = on_either = float("inf")
    for page in path:
        full, swa, mamba, full_host, swa_host, mamba_host = page.resident_in
        if window is not None:
            on_device = on_device + len(page.tokens) if swa else 0
            on_either = on_either + len(page.tokens) if swa or swa_host else 0
        if not page.cut:
            continue
        if (
            (full or full_host)
            and (window is None or on_either >= window)
            and (not states or mamba or mamba_host)
        ):
            best = page
        if full and (window is None or on_device >= window) and (not states or mamba):
            device = page
    return device, best


def window_nodes(path: list[Page], reach: int) -> list[Page]:
    """The part of ``path`` that its last nodes make up, as few as cover ``reach`` tokens (semantics 3.5, 6.1)."""
    covered = 0
    for at in range(len(path) - 1, -1, -1):
        if path[at].cut and covered >= reach:
            return path[at + 1 :]
        covered += len(path[at].tokens)
    return path


def device_lock(anchor: Page, config: Config, dialect: Dialect) -> PagesPerPool:
    """Pages that a lock of ``anchor`` covers: the FULL path, one window of nodes, one state (semantics 6.1)."""
    path = anchor.path()
    here = path if dialect.segment_locks else [page for page in path if page.has(Pool.SWA)]
    locked: PagesPerPool = {Pool.FULL: path}
    if config.window is not None:
        locked[Pool.SWA] = window_nodes(here, config.window)
    if config.mamba_states and path and (dialect.segment_locks or anchor.has(Pool.MAMBA)):
        locked[Pool.MAMBA] = [anchor]
    return locked


def host_lock(anchor: Page, config: Config) -> PagesPerPool:
    """Pages whose host copies a host lock of ``anchor`` covers: its own node, one window of nodes, one state (semantics 6.6)."""
    if anchor.parent is None:
        return {}
    locked: PagesPerPool = {Pool.FULL_HOST: anchor.node()}
    if config.window is not None:
        locked[Pool.SWA_HOST] = window_nodes(anchor.path(), config.window)
    if config.mamba_states:
        locked[Pool.MAMBA_HOST] = [anchor]
    return locked


def to_load(path: list[Page], config: Config) -> PagesPerPool:
    """What a load-back of ``path`` brings to the device, per device pool (semantics 9.2).

    FULL where it is missing, SWA where one window of nodes has it on the host only, MAMBA at the end.
    """
    near = [] if config.window is None else window_nodes(path, config.window)
    parts = {Pool.FULL: path, Pool.SWA: near, Pool.MAMBA: path[-1:]}
    return {
        pool: [
            page
            for page in parts[pool]
            if page.resident_in[HOST[pool]] and not page.resident_in[pool]
        ]
        for pool in DEVICE
    }


def host_hits(path: list[Page], config: Config) -> tuple[int, int, int]:
    """What of a match that ends with ``path`` is on the host only, per component (semantics 3.4)."""
    full, swa, mamba = [
        len(pages) * config.unit(pool) for pool, pages in to_load(path, config).items()
    ]
    return full, swa, mamba


def pinned(path: list[Page]) -> int:
    """FULL tokens on device that a lock of ``path`` would be the first to protect (semantics 6.1)."""
    return sum(
        len(page.tokens) for page in path if page.has(Pool.FULL) and not page.locked_in(Pool.FULL)
    )


def refuses_load(
    full: int, others: bool, pins: int, quota: int | None, config: Config, dialect: Dialect
) -> bool:
    """Whether a load-back of ``full`` tokens (and ``others``: of a window or a state) is refused whatever room there is (9.3)."""
    if not others and full < max(1, config.load_threshold):
        return True
    counted = full + pins if dialect.quota_counts_pins else full - pins
    return quota is not None and counted > quota


def is_device_leaf(end: Page) -> bool:
    """A node FULL eviction may take: on device, nothing below it on device, no component locked (semantics 1.6)."""
    if not (end.cut and end.resident_in[Pool.FULL]) or end.locked:
        return False
    return not end.children or not any(
        child.resident_in[Pool.FULL] for child in end.children.values()
    )


def is_host_leaf(end: Page) -> bool:
    """A node host eviction may delete: on host only, no children, not locked on either tier (semantics 1.6)."""
    return end.cut and end.host_only and not end.children and not end.locked and not end.host_locked


def rank(end: Page, order: EvictionPolicy) -> int:
    """What comes before recency when a leaf is chosen, smallest first (semantics 7.2)."""
    ranks = {
        EvictionPolicy.LFU: end.hits,
        EvictionPolicy.FIFO: end.created,
        EvictionPolicy.FILO: -end.created,
        EvictionPolicy.PRIORITY: end.priority,
        EvictionPolicy.SLRU: int(end.hits >= SLRU_PROTECTED),
    }
    return ranks.get(order, 0)


def window_cut(start: int, end: int, window: int, page_size: int) -> int:
    """Where a leaf of tokens ``start`` to ``end``, all with SWA state, is cut so that its last node is one window (semantics 4.3).

    ``start`` if it is no longer than that.
    """
    return max(start, end - -(-window // page_size) * page_size)


def host_need(node: list[Page], component: Component, config: Config) -> int:
    """Host slots that backing up ``node`` takes for one component (semantics 8.3)."""
    device, host = DEVICE[component], HOST[component]
    return sum(
        [page.resident_in[device] and not page.resident_in[host] for page in node]
    ) * config.unit(host)


def nodes_of(pages: Sequence[Page]) -> list[list[Page]]:
    """A run of pages along a path, grouped into nodes."""
    nodes: list[list[Page]] = [[]]
    for page in pages:
        nodes[-1].append(page)
        if page.cut:
            nodes.append([])
    return [node for node in nodes if node]
