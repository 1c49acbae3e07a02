"""Pure rules, each one sentence of the semantics."""

from __future__ import annotations

from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.trie import Page


def boundaries(path: list[Page], root: Page, window: int | None) -> tuple[Page, Page]:
    """The last node ends on ``path`` at which a match may stop: for device state alone, and for either tier (semantics 3.2, 3.3).

    FULL must be present; SWA demands that since the last page without it a whole window has accumulated. Before any such page
    every length will do. Two rules run side by side over every page, one a mode.
    """
    device = best = root
    on_device = on_either = float("inf")
    for page in path:
        full, swa, full_host, swa_host = page.held_in
        if window is not None:
            on_device = on_device + len(page.tokens) if swa else 0
            on_either = on_either + len(page.tokens) if swa or swa_host else 0
        if page.cut and (full or full_host) and (window is None or on_either >= window):
            best = page
        if page.cut and full and (window is None or on_device >= window):
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


def window_lock(path: list[Page], window: int, dialect: Dialect) -> list[Page]:
    """Pages that a SWA lock at the end of ``path`` covers: one window of nodes (semantics 6.1)."""
    if not dialect.segment_locks:
        path = [page for page in path if page.has(Pool.SWA)]
    return window_nodes(path, window)


def is_device_leaf(end: Page) -> bool:
    """A node FULL eviction may take: on device, nothing below it on device, no component locked (semantics 1.6)."""
    if not (end.cut and end.held_in[Pool.FULL]) or end.locked:
        return False
    return not end.children or not any(child.held_in[Pool.FULL] for child in end.children.values())


def is_host_leaf(end: Page) -> bool:
    """A node host eviction may delete: on host only, no children, not locked (semantics 1.6)."""
    return end.cut and end.host_only and not end.children and not end.locked


def window_cut(start: int, end: int, config: Config) -> int:
    """Where a leaf of tokens ``start`` to ``end``, all with SWA state, is cut so that its last node is one window (semantics 4.3).

    ``start`` if it is no longer than that.
    """
    assert config.window is not None
    pages = -(-config.window // config.page_size)
    return max(start, end - pages * config.page_size)


def host_need(node: list[Page], component: Component, config: Config) -> int:
    """Host slots that backing up ``node`` takes for one component (semantics 8.3)."""
    pool = Pool.FULL if component is Component.FULL else Pool.SWA
    return sum(page.has(pool) for page in node) * config.page_size
