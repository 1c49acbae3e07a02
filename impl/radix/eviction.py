"""Eviction: making room on the device and on the host, least recently used first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.tree import Tree
from radixproof.model.config import Component


class Evictor:
    """Takes slots off nodes that nobody has locked. Backups in flight hold locks, so their slots are never taken."""

    def __init__(self, tree: Tree, memory: Memory) -> None:
        self._tree = tree
        self._memory = memory

    def evict(self, full: int, swa: int) -> tuple[int, int]:
        """Free at least ``full`` FULL and ``swa`` SWA tokens on the device, as far as there are any evictable (semantics 7).

        FULL goes leaf by leaf, and a leaf's SWA with it, which counts. SWA alone is taken off interior nodes. Returns the tokens
        freed of each.
        """
        freed = [0, 0]
        for leaf in _by_age(self._tree.device_leaves):
            if freed[Component.FULL] >= full:
                break
            self._evict_leaf(leaf, freed)
        for node in self._tree.swa_order:
            if freed[Component.SWA] >= swa:
                break
            if node in self._tree.device_leaves:
                self._evict_leaf(node, freed)
            elif not node.swa.locks:
                self._make_tombstone(node, freed)
        return freed[Component.FULL], freed[Component.SWA]

    def evict_host(self, tokens: int, component: Component) -> int:
        """Free at least ``tokens`` tokens of ``component`` on the host, as far as there are any evictable (semantics 7.9).

        Copies of what is on the device stay. Host leaves go as a whole; SWA alone is taken off other nodes. Returns the tokens of
        ``component`` freed.
        """
        freed = [0, 0]
        leaves = self._tree.host_leaves
        for node in _by_age(leaves) if component is Component.FULL else self._tree.swa_host_order:
            if freed[component] >= tokens:
                break
            if node in leaves:
                self._delete(node, freed)
            else:
                freed[component] += self._free_host(node, component)
        return freed[component]

    def reclaimable(self, component: Component) -> int:
        """Tokens of ``component`` that `evict_host` could free if it were asked for everything."""
        if component is Component.SWA:
            return sum(len(node.segment) for node in self._tree.swa_host_order)
        # Whoever locks a node locks its ancestors: below an unlocked node nothing is locked, and all of it can go.
        counted: set[Node] = set()
        tokens = 0
        for leaf in self._tree.host_leaves:
            node: Node | None = leaf
            while node is not None and node.full.device is None and node.backed and not node.full.locks and node not in counted:
                counted.add(node)
                tokens += len(node.segment)
                node = node.parent
        return tokens

    def _evict_leaf(self, leaf: Node, freed: list[int]) -> None:
        """Demote a backed device leaf to the host; delete one that is not (semantics 7.4)."""
        if leaf.swa.device is not None:
            freed[Component.SWA] += len(self._tree.take_device(leaf, Component.SWA))
        slots = self._tree.take_device(leaf, Component.FULL)
        freed[Component.FULL] += len(slots)
        self._memory.device.free(slots)
        if not leaf.backed:
            # Under write-through, what hangs below a node without a host copy has none either: nothing can be left below.
            self._tree.unlink(leaf)

    def _make_tombstone(self, node: Node, freed: list[int]) -> None:
        """Take SWA off the device; a host copy stays."""
        freed[Component.SWA] += len(self._tree.take_device(node, Component.SWA))
        assert node.full.device is not None
        self._memory.device.free_swa(node.full.device)

    def _delete(self, leaf: Node, freed: list[int]) -> None:
        """Delete a host leaf with all that is on it."""
        for component in (Component.FULL, Component.SWA):
            if leaf.states[component].host is not None:
                freed[component] += self._free_host(leaf, component)
        self._tree.unlink(leaf)

    def _free_host(self, node: Node, component: Component) -> int:
        slots = self._tree.take_host(node, component)
        self._memory.host[component].free(slots)
        return len(slots)


def _by_age(leaves: dict[Node, None]) -> Iterator[Node]:
    """The members of a leaf set, least recently used first. A parent that became a member when a leaf was taken takes its turn."""
    heap = [(leaf.accessed, leaf.id, leaf) for leaf in leaves]
    heapq.heapify(heap)
    while heap:
        leaf = heapq.heappop(heap)[-1]
        parent = leaf.parent
        yield leaf
        if parent in leaves:
            heapq.heappush(heap, (parent.accessed, parent.id, parent))
