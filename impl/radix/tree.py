"""The tree: structure, residency and recency, kept consistent under every elementary change.

Everything that can be derived from the nodes (sizes, leaf sets, orders of use) is maintained here and nowhere else, so that the
operations built on top only say what changes. The tree allocates and frees nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from radixproof.impl.radix.node import Node
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.recency import RecencyList
from radixproof.model.config import Component


class Tree:
    """A compressed radix tree over pages of ``page_size`` tokens.

    Keys of different namespaces never share a node. ``evictable`` and ``protected`` are tokens on the device per `Component`, not
    covered and covered by a lock. ``device_leaves`` and ``host_leaves`` are the nodes that eviction may take as a whole (semantics
    1.6), as ordered sets. ``swa_order`` holds the nodes with SWA on the device, ``swa_host_order`` those with SWA on the host only.

    ``on_change``, if set, is called with every node right after its place, segment, slots, locks or pending mark changed; a node
    that has left the tree has no parent.
    """

    def __init__(self, page_size: int) -> None:
        self.page_size = page_size
        self.on_change: Callable[[Node], None] | None = None
        self._clock = 0
        self._last_id = 0
        self._begin()

    def _begin(self) -> None:
        self.root = Node(id=0, parent=None, namespace="", segment=(), end=0, accessed=0)
        self.evictable = [0, 0]
        self.protected = [0, 0]
        self.device_leaves: dict[Node, None] = {}
        self.host_leaves: dict[Node, None] = {}
        self.swa_order: RecencyList[Node] = RecencyList()
        self.swa_host_order: RecencyList[Node] = RecencyList()

    def reset(self) -> None:
        """Drop all nodes. Ids and clock go on."""
        nodes = list(self.nodes())
        self._begin()
        for node in nodes:
            node.parent = None
            self.changed(node)

    def nodes(self) -> Iterator[Node]:
        """All nodes but the root, parents before children."""
        stack = list(reversed(self.root.children.values()))
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children.values()))

    def changed(self, node: Node) -> None:
        if self.on_change is not None:
            self.on_change(node)

    # Structure

    def step(self, node: Node, namespace: str, tokens: tuple[int, ...], offset: int) -> Node | None:
        """The child of ``node`` that ``tokens[offset:]`` (whole pages) leads to; None if there is none.

        A child whose segment goes on differently, or further, is split where it does: what is returned is covered entirely.
        """
        child = node.children.get(self.edge(node, namespace, tokens[offset : offset + self.page_size]))
        if child is None or tokens[offset : offset + len(child.segment)] == child.segment:
            return child
        return self.split(child, self._shared(child.segment, tokens, offset))

    def edge(self, parent: Node, namespace: str, segment: tuple[int, ...]) -> Hashable:
        """Key of a child among ``parent.children``: its first page and, under the root, its namespace."""
        page = segment[: self.page_size]
        return (namespace, page) if parent.is_root else page

    def _shared(self, segment: tuple[int, ...], tokens: tuple[int, ...], offset: int) -> int:
        """Length of the common part of ``segment`` and ``tokens[offset:]``, in whole pages. The first page is common."""
        size = self.page_size
        low, high = 1, min(len(segment), len(tokens) - offset) // size
        while low < high:
            middle = (low + high + 1) // 2
            if segment[low * size : middle * size] == tokens[offset + low * size : offset + middle * size]:
                low = middle
            else:
                high = middle - 1
        return low * size

    def add_leaf(self, parent: Node, namespace: str, segment: tuple[int, ...], full: Slots) -> Node:
        """Hang a new node with FULL on the device under ``parent``, most recently used."""
        leaf = self._new(parent, namespace, segment)
        parent.children[self.edge(parent, namespace, segment)] = leaf
        self.touch(leaf)
        self.put_device(leaf, Component.FULL, full)
        return leaf

    def split(self, node: Node, length: int) -> Node:
        """Cut ``node`` after ``length`` tokens (whole pages); returns the new upper half (semantics 5).

        Locks, hits, pending backup and age hold for both halves as they held for the whole. The boundary of SWA locks goes to the
        upper half, so a receipt covers what it covered.
        """
        parent = node.parent
        assert parent is not None
        assert 0 < length < len(node.segment)
        upper = self._new(parent, node.namespace, node.segment[:length])
        parent.children[self.edge(parent, node.namespace, node.segment)] = upper
        node.parent, node.segment = upper, node.segment[length:]
        upper.children[self.edge(upper, node.namespace, node.segment)] = node
        upper.resident_children = int(node.full.device is not None)
        upper.accessed, upper.hits = node.accessed, node.hits
        upper.boundary, node.boundary = node.boundary, None
        for top, low in zip(upper.states, node.states, strict=True):
            top.locks = low.locks
            # Copies, so that no piece keeps the memory of the whole array alive.
            if low.device is not None:
                top.device, low.device = low.device[:length].copy(), low.device[length:].copy()
            if low.host is not None:
                top.host, low.host = low.host[:length].copy(), low.host[length:].copy()
        for order in (self.swa_order, self.swa_host_order):
            if node in order:
                order.add_older(upper, than=node)
        if node.pending is not None:
            upper.pending = node.pending
            node.pending.fragments.append(upper)
        self.changed(upper)
        self.changed(node)
        return upper

    def unlink(self, node: Node) -> None:
        """Take a childless node without slots out of the tree."""
        parent = node.parent
        assert parent is not None
        assert not node.children
        assert all(state.device is None and state.host is None for state in node.states)
        del parent.children[self.edge(parent, node.namespace, node.segment)]
        node.parent = None
        self._sort_leaf(parent)
        self.changed(node)

    def _new(self, parent: Node, namespace: str, segment: tuple[int, ...]) -> Node:
        self._last_id += 1
        return Node(self._last_id, parent, namespace, segment, parent.end + len(segment), accessed=0)

    # Recency

    def touch(self, node: Node) -> None:
        """Make a node the most recently used one. Does not concern the orders of SWA."""
        self._clock += 1
        node.accessed = self._clock

    # Residency

    def put_device(self, node: Node, component: Component, slots: Slots) -> None:
        """Give a node device slots for a component that it has not on the device. The newest in its order of use."""
        state = node.states[component]
        assert state.device is None
        assert len(slots) == len(node.segment)
        state.device = slots
        (self.protected if state.locks else self.evictable)[component] += len(slots)
        if component is Component.FULL:
            self._count_resident(node, 1)
        else:
            self.swa_host_order.discard(node)
            self.swa_order.renew(node)
        self.changed(node)

    def take_device(self, node: Node, component: Component) -> Slots:
        """Take the device slots of a component off a node. SWA must be taken before FULL."""
        state = node.states[component]
        slots = state.device
        assert slots is not None
        state.device = None
        (self.protected if state.locks else self.evictable)[component] -= len(slots)
        if component is Component.FULL:
            self._count_resident(node, -1)
        else:
            self.swa_order.discard(node)
            if state.host is not None:
                self.swa_host_order.renew(node)
        self.changed(node)
        return slots

    def swap_device(self, node: Node, component: Component, slots: Slots) -> Slots:
        """Give a node other device slots for a component that it has on the device; returns the old ones."""
        state = node.states[component]
        old = state.device
        assert old is not None
        assert len(slots) == len(old)
        state.device = slots
        self.changed(node)
        return old

    def put_host(self, node: Node, component: Component, slots: Slots) -> None:
        """Give a node host slots for a component that it has on the device only."""
        state = node.states[component]
        assert state.device is not None
        assert state.host is None
        assert len(slots) == len(node.segment)
        state.host = slots
        self.changed(node)

    def take_host(self, node: Node, component: Component) -> Slots:
        """Take the host slots of a component off a node."""
        state = node.states[component]
        slots = state.host
        assert slots is not None
        state.host = None
        if component is Component.FULL:
            self._sort_leaf(node)
        else:
            self.swa_host_order.discard(node)
        self.changed(node)
        return slots

    # Locks

    def hold(self, node: Node, component: Component) -> None:
        """Count one more lock on a component of a node."""
        self._count_lock(node, component, 1)

    def release(self, node: Node, component: Component) -> None:
        """Count one lock less on a component of a node."""
        self._count_lock(node, component, -1)

    def _count_lock(self, node: Node, component: Component, change: int) -> None:
        state = node.states[component]
        before = state.locks
        state.locks = before + change
        if not before or not state.locks:
            if state.device is not None:
                tokens = len(node.segment) if before else -len(node.segment)
                self.evictable[component] += tokens
                self.protected[component] -= tokens
            self._sort_leaf(node)
        self.changed(node)

    # Leaf sets

    def _count_resident(self, node: Node, change: int) -> None:
        parent = node.parent
        assert parent is not None
        parent.resident_children += change
        self._sort_leaf(parent)
        self._sort_leaf(node)

    def _sort_leaf(self, node: Node) -> None:
        """Put a node into the leaf set that it belongs to now, if any (semantics 1.6)."""
        device = host = False
        if not (node.full.locks or node.swa.locks or node.is_root):
            if node.full.device is not None:
                device = not node.resident_children
            else:
                host = node.full.host is not None and not node.children
        for leaves, member in ((self.device_leaves, device), (self.host_leaves, host)):
            if not member:
                leaves.pop(node, None)
            elif node not in leaves:
                leaves[node] = None
