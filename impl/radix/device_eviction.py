"""Eviction from the device: making room there, by demotion where the host has a copy."""

from __future__ import annotations

from collections.abc import Iterable

from radixproof.impl.radix.backup import Backups
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.impl.radix.eviction_order import EvictionOrder
from radixproof.impl.radix.host_eviction import HostEvictor
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.tree import Tree

FULL, SWA, MAMBA = COMPONENTS


class DeviceEvictor:
    """Takes device slots off nodes that nobody has locked.

    Copies in flight hold locks, so their slots are never taken. Leaves go as a whole, in the
    configured order; SWA and MAMBA are taken off other nodes, too, the least recently used first.
    ``write_back`` makes the copies that are due before data leaves the device; None if none are.
    """

    def __init__(
        self,
        tree: Tree,
        memory: Memory,
        order: EvictionOrder,
        host: HostEvictor,
        write_back: Backups | None,
    ) -> None:
        self._tree = tree
        self._memory = memory
        self._order = order
        self._host = host
        self._write_back = write_back

    def evict(self, full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        """Free at least so many units (``mamba``: states), as far as any are evictable.

        FULL goes leaf by leaf, with all that is on the leaf, which counts. SWA and MAMBA are taken
        off other nodes, too. Returns what was freed of each (semantics 7).
        """
        freed = [0, 0, 0]
        leaves = self._tree.device_leaves
        for leaf in self._order.take_turns(leaves):
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
                    if self._write_back is not None:
                        self._write_back.back_up_now(node)
                    self._make_tombstone(node, component, freed)
        return freed[FULL], freed[SWA], freed[MAMBA]

    def drop_windows(self, nodes: Iterable[Node]) -> None:
        """Make tombstones of those of ``nodes`` whose SWA no one needs.

        That is where it is unlocked, and nothing on the device hangs below.
        """
        for node in nodes:
            if node.swa.device is not None and not node.swa.locks and not node.resident_children:
                self._make_tombstone(node, SWA, [0, 0, 0])

    def _evict_leaf(self, leaf: Node, freed: list[int]) -> None:
        """Demote a device leaf that has a host copy, or gets one now; delete it otherwise.

        What came to it after its first backup is copied first, too, if there is room. It stays if
        it would have to be deleted, but a host lock or a copy in flight keeps it or what hangs
        below it (semantics 7.4).
        """
        backed = leaf.backed if self._write_back is None else self._write_back.back_up_now(leaf)
        if backed:
            self._clear(leaf, freed)
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

    def _clear(self, node: Node, freed: list[int]) -> None:
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
        """Delete a node that has no children, with all that is on it on either tier."""
        if leaf.full.device is not None:
            self._clear(leaf, freed)
        self._host.delete(leaf, [0, 0, 0])
