"""The order of eviction: which leaf goes first, on either tier."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import TypeAlias

from radixproof.impl.radix.config import EvictionPolicy
from radixproof.impl.radix.node import Node

Turn: TypeAlias = Callable[[Node], tuple[int, ...]]

# The halves of a split node have one time of use; the upper one counts as older, as a parent does
# in every match.
_TURNS: dict[EvictionPolicy, Turn] = {
    "lru": lambda node: (node.accessed, node.end),
    "lfu": lambda node: (node.hits, node.accessed, node.end),
    "fifo": lambda node: (node.created, node.accessed, node.end),
    "mru": lambda node: (-node.accessed, -node.end),
    "filo": lambda node: (-node.created, node.accessed, node.end),
    "priority": lambda node: (node.priority, node.accessed, node.end),
    "slru": lambda node: (node.hits >= 2, node.accessed, node.end),
}
"""When a node has its turn: the smallest first."""


class EvictionOrder:
    """Puts leaves in the order of one policy; among equals the least recently used goes first.

    ``turn`` says when a node has its turn: the one with the smallest goes first.
    """

    def __init__(self, policy: EvictionPolicy) -> None:
        self.turn = _TURNS[policy]

    def take_turns(self, leaves: dict[Node, None]) -> Iterator[Node]:
        """The members of a leaf set, in their turn.

        A parent that becomes a member once a leaf has been taken gets its turn, too.
        """
        heap = [(self.turn(leaf), leaf) for leaf in leaves]
        heapq.heapify(heap)
        while heap:
            leaf = heapq.heappop(heap)[-1]
            parent = leaf.parent
            yield leaf
            if parent in leaves:
                heapq.heappush(heap, (self.turn(parent), parent))
