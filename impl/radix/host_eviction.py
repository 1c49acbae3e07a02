"""Eviction from the host: making room there, and whether it can be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.impl.radix.eviction_order import EvictionOrder
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.tree import Tree

FULL, SWA, MAMBA = COMPONENTS


class HostEvictor:
    """Takes host slots off nodes that no lock and no copy in flight keeps there.

    Host leaves go as a whole, in the configured order; SWA and MAMBA are taken off other nodes,
    too, the least recently used first. What the device has as well stays, but for FULL under
    ``write_back``, where a copy can be made again when it is needed.
    """

    def __init__(self, tree: Tree, memory: Memory, order: EvictionOrder, write_back: bool) -> None:
        self._tree = tree
        self._memory = memory
        self._order = order
        self._write_back = write_back

    def evict(self, wanted: int, component: Component) -> int:
        """Free at least ``wanted`` units of a component (MAMBA: states), as far as any can go.

        Returns what was freed of ``component`` (semantics 7.9).
        """
        freed = [0, 0, 0]
        leaves = self._tree.host_leaves
        if component is FULL:
            self._evict_duplicates(wanted, freed)
            candidates: Iterable[Node] = self._order.take_turns(leaves)
        else:
            candidates = self._tree.host_order[component]
        for node in candidates:
            if freed[component] >= wanted:
                break
            if node in leaves:
                self.delete(node, freed)
            elif _may_lose_host(node, component):
                self._free(node, component, freed)
                if component is SWA and node.mamba.host is not None:
                    self._free(node, MAMBA, freed)
        return freed[component]

    def make_room(self, wanted: dict[Component, int]) -> bool:
        """Make room for so many units of each component.

        Evicts nothing unless there can be room for all.
        """
        host = self._memory.host
        for component, size in wanted.items():
            short = size - host[component].available
            if short > 0 and not _reaches(self.reclaimable(component), short):
                return False
        for component, size in wanted.items():
            short = size - host[component].available
            if short > 0:
                self.evict(short, component)
        return True

    def reclaimable(self, component: Component) -> Iterator[int]:
        """Units of ``component`` (MAMBA: states), node by node, that `evict` could free at most."""
        if component is not FULL:
            for node in self._tree.host_order[component]:
                host = node.states[component].host
                if host is not None and _may_lose_host(node, component):
                    yield len(host)
            return
        for node in self._spare_duplicates():
            yield len(node.segment)
        # What is on the host only can go when all its children can, unless it is locked itself.
        staying: dict[Node, int] = {}
        going = list(self._tree.host_leaves)
        while going:
            node = going.pop()
            yield len(node.segment)
            parent = node.parent
            assert parent is not None
            staying[parent] = staying.get(parent, len(parent.children)) - 1
            if parent.full.device is None and not (
                staying[parent] or parent.is_root or parent.locked or parent.host_locked
            ):
                going.append(parent)

    def delete(self, leaf: Node, freed: list[int]) -> None:
        """Delete a node that has no children and nothing on the device, with its host copies.

        Adds what it frees to ``freed``, units per component.
        """
        for component in COMPONENTS:
            if leaf.states[component].host is not None:
                self._free(leaf, component, freed)
        self._tree.unlink(leaf)

    def _evict_duplicates(self, wanted: int, freed: list[int]) -> None:
        """Free host copies of FULL that is on the device, too; those of device leaves last."""
        leaves, turn = self._tree.device_leaves, self._order.turn
        for node in sorted(self._spare_duplicates(), key=lambda node: (node in leaves, turn(node))):
            if freed[FULL] >= wanted:
                break
            self._free(node, FULL, freed)

    def _spare_duplicates(self) -> Iterator[Node]:
        """Nodes with FULL on both tiers whose host copy write-back can do without."""
        return filter(_may_be_spared, self._tree.duplicates if self._write_back else ())

    def _free(self, node: Node, component: Component, freed: list[int]) -> None:
        slots = self._tree.take_host(node, component)
        self._memory.host[component].free(slots)
        freed[component] += len(slots)


def _reaches(sizes: Iterable[int], wanted: int) -> bool:
    """Whether some of ``sizes`` from the beginning add up to ``wanted``, which is at least 1."""
    return any(total >= wanted for total in accumulate(sizes))


def _may_lose_host(node: Node, component: Component) -> bool:
    """Whether no lock and no copy in flight keeps the host copy of a component where it is."""
    return not (node.states[component].host_locks or node.pending or node.loading)


def _may_be_spared(node: Node) -> bool:
    """Whether no lock and no copy in flight keeps any host copy of a node where it is."""
    return not (node.host_locked or node.pending or node.loading)
