"""Eviction: making room on the device and on the host."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.tree import Tree
from radixproof.model.config import COMPONENTS, HOST, POOLS, Component, Config, EvictionPolicy

if TYPE_CHECKING:
    from radixproof.impl.radix.backup import Backups

FULL, SWA, MAMBA = COMPONENTS

_Turn: TypeAlias = Callable[[Node], tuple[int, ...]]

# The halves of a node that was split have one time of use; the upper one counts as older, as a parent does in every match.
_TURNS: dict[EvictionPolicy, _Turn] = {
    EvictionPolicy.LRU: lambda node: (node.accessed, node.end),
    EvictionPolicy.LFU: lambda node: (node.hits, node.accessed, node.end),
    EvictionPolicy.FIFO: lambda node: (node.created, node.accessed, node.end),
    EvictionPolicy.MRU: lambda node: (-node.accessed, -node.end),
    EvictionPolicy.FILO: lambda node: (-node.created, node.accessed, node.end),
    EvictionPolicy.PRIORITY: lambda node: (node.priority, node.accessed, node.end),
    EvictionPolicy.SLRU: lambda node: (node.hits >= 2, node.accessed, node.end),
}
"""When a node has its turn: the smallest first."""


class Evictor:
    """Takes slots off nodes that nobody has locked. Copies in flight hold locks, so their slots are never taken.

    Leaves go in the configured order, and among equals the least recently used first. So do SWA and MAMBA of other nodes.
    """

    backups: Backups
    """Set by the cache: makes the backups that write_back takes before data leaves the device."""

    def __init__(self, tree: Tree, memory: Memory, config: Config) -> None:
        self._tree = tree
        self._memory = memory
        self._write_back = config.write_back
        self._turn = _TURNS[config.eviction_policy]

    def evict(self, full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        """Free at least so many units (``mamba``: states) on the device, as far as there are any evictable (semantics 7).

        FULL goes leaf by leaf, with all that is on the leaf, which counts. SWA and MAMBA are taken off other nodes, too. Returns
        what was freed of each.
        """
        freed = [0] * len(POOLS)
        leaves = self._tree.device_leaves
        for leaf in self._in_order(leaves):
            if freed[FULL] >= full:
                break
            self._evict_leaf(leaf, freed)
        for component, wanted in ((SWA, swa), (MAMBA, mamba)):
            for node in self._tree.device_order[component]:
                if freed[component] >= wanted:
                    break
                if node in leaves:
                    self._evict_leaf(node, freed)
                elif not node.states[component].locks:
                    if self._write_back and not node.backed:
                        self.backups.back_up_now(node)
                    self._make_tombstone(node, component, freed)
        return freed[FULL], freed[SWA], freed[MAMBA]

    def drop_windows(self, nodes: Iterable[Node]) -> None:
        """Make tombstones of those of ``nodes`` whose SWA no one needs: it is unlocked, and nothing on the device hangs below."""
        for node in nodes:
            if node.swa.device is not None and not node.swa.locks and not node.resident_children:
                self._make_tombstone(node, SWA, [0] * len(POOLS))

    def evict_host(self, wanted: int, component: Component) -> int:
        """Free at least ``wanted`` units of a component (MAMBA: states) on the host, as far as there are any evictable.

        Copies of what is on the device stay, but for those of FULL under write_back, which go first. Host leaves go as a whole; SWA
        and MAMBA are taken off other nodes, too. Returns what was freed of ``component`` (semantics 7.9).
        """
        freed = [0] * len(POOLS)
        leaves, pool = self._tree.host_leaves, HOST[component]
        if component is FULL:
            for node in sorted(
                self._spare_duplicates(),
                key=lambda node: (node in self._tree.device_leaves, self._turn(node)),
            ):
                if freed[pool] >= wanted:
                    break
                self._free_host(node, FULL, freed)
        for node in (
            self._in_order(leaves) if component is FULL else self._tree.host_order[component]
        ):
            if freed[pool] >= wanted:
                break
            if node in leaves:
                self._delete(node, freed)
            elif _may_lose_host(node, component):
                self._free_host(node, component, freed)
                if component is SWA and node.mamba.host is not None:
                    self._free_host(node, MAMBA, freed)
        return freed[pool]

    def make_room(self, wanted: dict[Component, int]) -> bool:
        """Make room on the host for so many units of each component. Evicts nothing unless there can be room for all."""
        host = self._memory.host
        for component, size in wanted.items():
            short = size - host[component].available
            if short > 0 and not _reaches(self.reclaimable(component), short):
                return False
        for component, size in wanted.items():
            short = size - host[component].available
            if short > 0:
                self.evict_host(short, component)
        return True

    def reclaimable(self, component: Component) -> Iterator[int]:
        """Units of ``component`` (MAMBA: states), node by node, that `evict_host` could free if it were asked for everything."""
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

    def _evict_leaf(self, leaf: Node, freed: list[int]) -> None:
        """Demote a device leaf that has a host copy, or gets one under write_back; delete it otherwise (semantics 7.4).

        It is not evicted if it would have to be deleted, but a host lock or a copy in flight keeps it or what hangs below it.
        """
        if leaf.backed or (self._write_back and self.backups.back_up_now(leaf)):
            self._clear_device(leaf, freed)
            return
        below = list(self._tree.below(leaf))
        if leaf.host_locked or any(
            node.host_locked or node.pending or node.loading for node in below
        ):
            return
        for node in reversed(below):
            self._delete(node, freed)
        self._delete(leaf, freed)

    def _make_tombstone(self, node: Node, component: Component, freed: list[int]) -> None:
        """Take SWA and MAMBA, or MAMBA alone, off the device; host copies stay."""
        if component is SWA:
            freed[SWA] += len(self._tree.take_device(node, SWA))
            assert node.full.device is not None
            self._memory.device.free_swa(node.full.device)
        if node.mamba.device is not None:
            self._free_state(node, freed)

    def _clear_device(self, node: Node, freed: list[int]) -> None:
        """Take everything off the device; host copies stay."""
        if node.mamba.device is not None:
            self._free_state(node, freed)
        if node.swa.device is not None:
            freed[SWA] += len(self._tree.take_device(node, SWA))
        slots = self._tree.take_device(node, FULL)
        freed[FULL] += len(slots)
        self._memory.device.free(slots)

    def _free_state(self, node: Node, freed: list[int]) -> None:
        states = self._memory.device.mamba
        assert states is not None
        states.free(self._tree.take_device(node, MAMBA))
        freed[MAMBA] += 1

    def _delete(self, leaf: Node, freed: list[int]) -> None:
        """Delete a node that has no children, with all that is on it."""
        if leaf.full.device is not None:
            self._clear_device(leaf, freed)
        for component in COMPONENTS:
            if leaf.states[component].host is not None:
                self._free_host(leaf, component, freed)
        self._tree.unlink(leaf)

    def _free_host(self, node: Node, component: Component, freed: list[int]) -> None:
        slots = self._tree.take_host(node, component)
        self._memory.host[component].free(slots)
        freed[HOST[component]] += len(slots)

    def _spare_duplicates(self) -> Iterator[Node]:
        """Nodes with FULL on both tiers whose host copy write_back can do without."""
        return filter(_may_be_spared, self._tree.duplicates if self._write_back else ())

    def _in_order(self, leaves: dict[Node, None]) -> Iterator[Node]:
        """The members of a leaf set, in their turn. So has a parent that became a member when a leaf was taken."""
        heap = [(self._turn(leaf), leaf) for leaf in leaves]
        heapq.heapify(heap)
        while heap:
            leaf = heapq.heappop(heap)[-1]
            parent = leaf.parent
            yield leaf
            if parent in leaves:
                heapq.heappush(heap, (self._turn(parent), parent))


def _reaches(sizes: Iterable[int], wanted: int) -> bool:
    """Whether some of ``sizes`` from the beginning add up to ``wanted``, which is at least 1."""
    return any(total >= wanted for total in accumulate(sizes))


def _may_lose_host(node: Node, component: Component) -> bool:
    """Whether no lock and no copy in flight keeps the host value of a component where it is."""
    return not (node.states[component].host_locks or node.pending or node.loading)


def _may_be_spared(node: Node) -> bool:
    """Whether no lock and no copy in flight keeps host copies of a node on the device where they are."""
    return not (node.host_locked or node.pending or node.loading)
