"""Pure rules, each one sentence of the semantics."""

from __future__ import annotations

from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.trie import Page


def boundaries(path: list[Page], window: int | None, on_device: bool) -> list[Page]:
    """The node ends on ``path`` at which a match may stop (semantics 3.2).

    FULL must be present; SWA demands that since the last page without it a whole window has accumulated. Before any such page
    every length will do. ``on_device`` asks for device state; otherwise either tier serves.
    """
    ends: list[Page] = []
    accumulated: float = float("inf")
    for page in path:
        if window is not None and not (page.has(Pool.SWA) or (not on_device and page.has(Pool.SWA_HOST))):
            accumulated = 0
            continue
        accumulated += len(page.tokens)
        full = page.has(Pool.FULL) or (not on_device and page.has(Pool.FULL_HOST))
        if page.cut and full and (window is None or accumulated >= window):
            ends.append(page)
    return ends


def window_nodes(anchor: Page, reach: int) -> list[Page]:
    """Pages of the nodes from ``anchor`` upward until ``reach`` tokens are covered, top first (semantics 3.5, 6.1)."""
    pages: list[Page] = []
    covered, end = 0, anchor
    while end.parent is not None and covered < reach:
        node = end.node()
        pages[:0] = node
        covered += sum(len(page.tokens) for page in node)
        above = node[0].parent
        assert above is not None
        end = above
    return pages


def window_lock(anchor: Page, window: int, dialect: Dialect) -> list[Page]:
    """Pages a SWA lock at ``anchor`` covers: one window of nodes (semantics 6.1)."""
    if dialect.segment_locks:
        return window_nodes(anchor, window)
    pages: list[Page] = []
    covered, end = 0, anchor
    while end.parent is not None and covered < window:
        node = end.node()
        if end.has(Pool.SWA):
            pages[:0] = node
            covered += sum(len(page.tokens) for page in node)
        above = node[0].parent
        assert above is not None
        end = above
    return pages


def is_device_leaf(end: Page) -> bool:
    """A node FULL eviction may take: on device, nothing below it on device, no component locked (semantics 1.6)."""
    return end.cut and end.has(Pool.FULL) and not end.locked and not any(child.has(Pool.FULL) for child in end.children.values())


def is_host_leaf(end: Page) -> bool:
    """A node host eviction may delete: on host only, no children, not locked (semantics 1.6)."""
    return end.cut and end.host_only and not end.children and not end.locked


def live_from(protected: int, evicted: int) -> int:
    """From this token on, an insert's slots have SWA peers that the tree may take (semantics 4.1)."""
    return max(protected, evicted)


def host_need(node: list[Page], component: Component, config: Config) -> int:
    """Host slots that backing up ``node`` takes for one component (semantics 8.3)."""
    pool = Pool.FULL if component is Component.FULL else Pool.SWA
    return sum(page.has(pool) for page in node) * config.page_size
