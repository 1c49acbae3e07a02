"""Nodes, as runs of pages: those on a path, and those that are leaves (semantics 1)."""

from __future__ import annotations

from collections.abc import Sequence

from radixproof.model.config import Pool
from radixproof.model.specification.trie import Page


def nodes_of(pages: Sequence[Page]) -> list[list[Page]]:
    """A run of pages along a path, grouped into nodes (semantics 1.1)."""
    nodes: list[list[Page]] = [[]]
    for page in pages:
        nodes[-1].append(page)
        if page.cut:
            nodes.append([])
    return [node for node in nodes if node]


def window_nodes(path: list[Page], reach: int) -> list[Page]:
    """The last nodes of ``path``, as few as cover ``reach`` tokens (semantics 3.5, 6.1)."""
    covered = 0
    for at in range(len(path) - 1, -1, -1):
        if path[at].cut and covered >= reach:
            return path[at + 1 :]
        covered += len(path[at].tokens)
    return path


def is_device_leaf(end: Page) -> bool:
    """A node on the device, with nothing on the device below it and no device lock (1.6, 7.7)."""
    if not (end.cut and end.resident_in[Pool.FULL]) or end.locked:
        return False
    return not end.children or not any(
        child.resident_in[Pool.FULL] for child in end.children.values()
    )


def is_host_leaf(end: Page) -> bool:
    """A node on the host only, without children and without a lock on either tier (1.6, 7.7)."""
    return end.cut and end.host_only and not end.children and not end.locked and not end.host_locked
