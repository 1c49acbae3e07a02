"""Host insertion: the tree takes over KV that was fetched to the host, from a store beyond it."""

from __future__ import annotations

from radixproof.impl.radix.config import Component
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node, Units
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.tree import Tree


class HostInserter:
    """Puts offered FULL host slots where the tree has none, and frees the others (semantics 10.3).

    Under write-through, where what is on the host has to hang on what is there too, they are taken
    only below a node with a host copy.
    """

    def __init__(self, tree: Tree, memory: Memory, write_back: bool) -> None:
        self._tree = tree
        self._memory = memory
        self._write_back = write_back

    def insert(
        self,
        namespace: str,
        units: Units,
        slots: Slots,
        start: int,
        window: Slots,
        state: Slots,
    ) -> int:
        """Insert a key (whole pages) of which the part from ``start`` on is in FULL host ``slots``.

        ``start`` is the end of a node, or 0. ``window`` has SWA host slots of the last tokens, and
        ``state`` the MAMBA host slot of the end; both may be empty. Every slot is the tree's, or
        free, afterwards. Returns how many FULL slots the tree has taken. Counts as a use of the
        path from the node that ends there.
        """
        if start + len(slots) != len(units):
            raise ValueError(f"{len(units)} units from {start} on, but {len(slots)} slots")
        tree = self._tree
        node, kept = tree.root, 0
        while (child := tree.step(node, namespace, units, node.end)) is not None:
            if child.end >= start:
                tree.touch(child)
            kept += self._refill(
                child, slots[max(0, child.start - start) : max(0, child.end - start)]
            )
            node = child
        rest = units[node.end :]
        leaf = self._add_leaf(node, namespace, rest, slots[max(0, node.end - start) :])
        end = leaf or node
        if (rest and leaf is None) or not end.backed:
            self._free(window, Component.SWA)
            self._free(state, Component.MAMBA)
        else:
            self._attach_window(end, window)
            self._attach(end, Component.MAMBA, state)
        return kept + (len(rest) if leaf else 0)

    def _refill(self, node: Node, slots: Slots) -> int:
        """Offer ``slots`` to a node that the key leads through.

        Returns how many it takes: all or none.
        """
        parent = node.parent
        assert parent is not None
        wanted = not node.backed and not self._write_back and _anchors(parent)
        if not wanted or len(slots) < len(node.segment):
            return self._free(slots)
        self._tree.put_host(node, Component.FULL, slots.copy())
        return self._announce(node)

    def _add_leaf(self, parent: Node, namespace: str, segment: Units, slots: Slots) -> Node | None:
        """Offer ``slots`` for the part of the key that is not in the tree.

        Returns the node that takes them: all or none.
        """
        wanted = bool(segment) and (self._write_back or _anchors(parent))
        if not wanted or len(slots) < len(segment):
            self._free(slots)
            return None
        leaf = self._tree.add_host_leaf(parent, namespace, segment, slots.copy())
        self._announce(leaf)
        return leaf

    def _attach_window(self, end: Node, window: Slots) -> None:
        """Offer SWA to the nodes that the last tokens before ``end`` are in, from the top.

        Where the window begins within a node that takes it, this is split.
        """
        first = end.end - len(window)
        node: Node | None = end
        nodes = []
        while node is not None and node.end > first:
            nodes.append(node)
            node = node.parent
        for node in reversed(nodes):
            if node.start < first and node.swa.host is None:
                self._tree.split(node, first - node.start)
            self._attach(node, Component.SWA, window[max(0, node.start - first) : node.end - first])

    def _attach(self, node: Node, component: Component, slots: Slots) -> None:
        """Offer host slots of a component to a node, which takes them if it has none there."""
        if not len(slots) or node.states[component].host is not None:
            self._free(slots, component)
        else:
            self._tree.put_host(node, component, slots.copy())

    def _free(self, slots: Slots, component: Component = Component.FULL) -> int:
        if len(slots):
            self._memory.host[component].free(slots)
        return 0

    def _announce(self, node: Node) -> int:
        if self._tree.events is not None:
            self._tree.events.stored(node, on_host=True)
        return len(node.segment)


def _anchors(parent: Node) -> bool:
    """Whether what is on the host may hang under ``parent``.

    This is asked where only what is backed up can be reached there.
    """
    return parent.is_root or parent.backed
