"""Insertion: the tree takes over the KV of a computed key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from radixproof.impl.radix.backup import Backups
from radixproof.impl.radix.config import Component
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node, Units
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.tree import Tree
from radixproof.impl.radix.window import renew, tail


class Inserted(NamedTuple):
    """What was in the tree before, whether the state was taken, and where the key ends."""

    reused: int
    taken: bool
    node: Node


@dataclass(frozen=True, slots=True)
class Offer:
    """What a request hands over: FULL slots of a key of whole pages, and maybe a MAMBA slot.

    There is one FULL slot per unit. The first ``protected`` of them are the tree's already. Those
    from ``evicted`` on have SWA peers, those before have none.
    """

    namespace: str
    units: Units
    slots: Slots
    protected: int
    evicted: int
    state: int | None
    priority: int
    inserted: int
    """The same request has inserted so many units before."""

    def part(self, start: int, end: int) -> Slots:
        """The slots of ``units[start:end]``, in memory of their own."""
        return self.slots[start:end].copy()


class Inserter:
    """Puts offered slots where the tree has none, and frees the others (semantics 4).

    Where the tree has lost SWA, it is recovered from them.
    """

    def __init__(self, tree: Tree, memory: Memory, backups: Backups, window: int | None) -> None:
        self._tree = tree
        self._memory = memory
        self._backups = backups
        self._window = window

    def insert(self, offer: Offer) -> Inserted:
        """Insert a key.

        Every FULL slot offered beyond the protected ones is the tree's, or free, afterwards. The
        path is hit last, when all that the key brings is in place: a backup then copies all of it.
        Nodes that the same request has inserted before have been hit by it.
        """
        tree = self._tree
        tree.begin_insert()
        path: list[Node] = []
        node = tree.root
        while (child := tree.step(node, offer.namespace, offer.units, node.end)) is not None:
            tree.touch(child)
            child.priority = max(child.priority, offer.priority)
            path += (
                self._revive(child, offer)
                if child.full.device is None
                else self._overlap(child, offer)
            )
            node = child
        reused = node.end
        path += self._add_leaves(node, offer)
        node = path[-1] if path else node
        taken = self._take_state(node, offer)
        renew(tree, node, self._window)
        if node.mamba.device is not None:
            tree.device_order[Component.MAMBA].renew(node)
        for piece in path:
            if piece.end > offer.inserted:
                self._backups.hit(piece)
        return Inserted(reused, taken, node)

    def _revive(self, node: Node, offer: Offer) -> list[Node]:
        """Give slots to a node that is on the host only; its host copy stays (semantics 4.1).

        Returns the pieces it is in now.
        """
        if offer.protected > node.start:
            raise ValueError(
                f"{offer.protected} units are called protected, "
                f"but those from {node.start} on are not on the device"
            )
        pieces = self._cut(node, offer.evicted)
        for piece in pieces:
            slots = offer.part(piece.start, piece.end)
            self._tree.put_device(piece, Component.FULL, slots)
            if self._window is not None and piece.start >= offer.evicted:
                self._tree.put_device(piece, Component.SWA, self._memory.device.peers(slots))
        return pieces

    def _overlap(self, node: Node, offer: Offer) -> list[Node]:
        """Free the slots of what the device has already, or recover a tombstone's SWA from them.

        See semantics 4.1.
        """
        pieces = [node]
        if self._window is not None and node.swa.device is None:
            pieces = self._cut(node, max(offer.evicted, offer.protected))
        for piece in pieces:
            lost = self._window is not None and piece.swa.device is None
            if lost and piece.start >= max(offer.evicted, offer.protected):
                self._recover(piece, offer.part(piece.start, piece.end))
            else:
                self._memory.device.free(offer.part(max(piece.start, offer.protected), piece.end))
        return pieces

    def _recover(self, node: Node, slots: Slots) -> None:
        """Give a tombstone its SWA back from slots offered for it.

        The node takes the offered FULL slots along. If its own FULL slots are in use, it keeps them
        and takes only the peers over.
        """
        device = self._memory.device
        own = node.full.device
        assert own is not None
        if node.full.locks:
            device.move_peers(slots, own)
            spare = slots
        else:
            spare = self._tree.swap_device(node, Component.FULL, slots)
            own = slots
        device.free(spare)
        self._tree.put_device(node, Component.SWA, device.peers(own))

    def _cut(self, node: Node, position: int) -> list[Node]:
        """Split a node at ``position``, counted from the root, if that is inside it.

        Returns the pieces, the upper one first.
        """
        if not node.start < position < node.end:
            return [node]
        return [self._tree.split(node, position - node.start), node]

    def _add_leaves(self, parent: Node, offer: Offer) -> list[Node]:
        """Hang the rest of the key under ``parent``.

        What lost its SWA, what has it, and its last window become nodes of their own.
        """
        start, end = parent.end, len(offer.units)
        ends = {end} if end > start else set()
        if self._window is not None and end > start:
            live = max(start, min(offer.evicted, end))
            ends |= {live, end - tail(end - live, self._window, self._tree.page_size)} - {start}
        leaves: list[Node] = []
        for stop in sorted(ends):
            slots = offer.part(parent.end, stop)
            leaf = self._tree.add_leaf(
                parent, offer.namespace, offer.units[parent.end : stop], slots
            )
            leaf.priority = offer.priority
            if self._window is not None and parent.end >= offer.evicted:
                self._tree.put_device(leaf, Component.SWA, self._memory.device.peers(slots))
            leaves.append(leaf)
            parent = leaf
        return leaves

    def _take_state(self, node: Node, offer: Offer) -> bool:
        """Give the node at which the key ends the state offered for it.

        Not if it has one on the device, or if the key is empty.
        """
        if offer.state is None or node.is_root or node.mamba.device is not None:
            return False
        self._tree.put_device(node, Component.MAMBA, np.array([offer.state], dtype=np.int64))
        return True
