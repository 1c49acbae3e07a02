"""The sliding window: which nodes of a path SWA needs.

``window`` is in units of the key, as all lengths are; None stands for a cache without SWA, for
which there is nothing to check, to lock or to renew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from radixproof.impl.radix.config import Component
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.tree import Tree


@dataclass(slots=True)
class Gate:
    """Decides, node by node down a path, where a prefix may end (semantics 3.2).

    A prefix needs the SWA of its last ``window`` units. Before the first tombstone nothing is
    missing, however short the prefix.
    """

    window: int | None
    run: float = math.inf
    """Units since the last tombstone."""

    def admits(self, node: Node, present: bool) -> bool:
        """Whether a prefix may end at ``node``, the next one of the path.

        ``present`` says whether its SWA is there.
        """
        if self.window is None:
            return True
        if not present:
            self.run = 0
            return False
        self.run += len(node.segment)
        return self.run >= self.window


def renew(tree: Tree, node: Node, window: int | None) -> None:
    """Renew the SWA recency of the nodes that a prefix ending at ``node`` uses, the deepest most.

    These are the nodes within one window and one page of its end (semantics 3.5).
    """
    if window is None:
        return
    reach = node.end - window - tree.page_size
    used: list[Node] = []
    current: Node | None = node
    while current is not None and current.end > reach:
        if current.swa.device is not None:
            used.append(current)
        current = current.parent
    for current in reversed(used):
        tree.device_order[Component.SWA].renew(current)


def window_of(node: Node, window: int | None) -> Iterator[Node]:
    """The nodes that make up one window up from the end of ``node``, deepest first.

    Whole nodes, as few as cover it.
    """
    missing = window or 0
    while missing > 0 and node.parent is not None:
        yield node
        missing -= len(node.segment)
        node = node.parent


def tail(length: int, window: int, page_size: int) -> int:
    """The length of the last piece of a new leaf of ``length`` units.

    A window, rounded up to pages, or less. A lock covers whole nodes, so this is what a lock on the
    leaf will keep from eviction (semantics 4.3).
    """
    return min(length, -(-window // page_size) * page_size)
