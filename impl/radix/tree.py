"""The tree: structure, residency and recency, kept consistent under every elementary change.

Everything that can be derived from the nodes (sizes, leaf sets, orders of use) is maintained here
and nowhere else, so that the operations built on top only say what changes. The tree allocates and
frees nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TypeAlias

from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.impl.radix.events import Events
from radixproof.impl.radix.node import Node, Units
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.recency import RecencyList

Listener: TypeAlias = Callable[[Node], None]
"""Told of every node right after its place, segment, slots, locks or marks changed."""


class Tree:
    """A compressed radix tree over pages of ``page_size`` units.

    Keys of different namespaces never share a node. ``evictable`` and ``protected`` are units
    (MAMBA: states) on the device per `Component`, not covered and covered by a lock.
    ``device_leaves`` and ``host_leaves`` are the nodes that eviction may take as a whole (semantics
    1.6), ``duplicates`` those with FULL on both tiers, all as ordered sets. ``device_order`` and
    ``host_order`` are orders of use, indexed by `Component`: of the nodes with SWA or MAMBA on the
    device, and of those with it on the host only. Those of FULL are empty: it goes leaf by leaf.

    ``listener`` lets an image of the tree be kept up to date without walking it: see `Listener`. A
    node that has left the tree has no parent. ``events`` are told what FULL comes and goes.
    """

    def __init__(
        self, page_size: int, events: Events | None = None, listener: Listener | None = None
    ) -> None:
        self.page_size = page_size
        self.events = events
        self.listener = listener
        self._clock = 0
        self._inserts = 0
        self._last_id = 0
        self._begin()

    def _begin(self) -> None:
        self.root = Node(id=0, parent=None, namespace="", segment=(), end=0, created=0)
        self.evictable = [0, 0, 0]
        self.protected = [0, 0, 0]
        self.device_leaves: dict[Node, None] = {}
        self.host_leaves: dict[Node, None] = {}
        self.duplicates: dict[Node, None] = {}
        self.device_order: tuple[RecencyList[Node], ...] = tuple(RecencyList() for _ in COMPONENTS)
        self.host_order: tuple[RecencyList[Node], ...] = tuple(RecencyList() for _ in COMPONENTS)

    def reset(self) -> None:
        """Drop all nodes. Ids and clock go on."""
        nodes = list(self.nodes())
        self._begin()
        for node in nodes:
            node.parent = None
            self.changed(node)
        if self.events is not None:
            self.events.cleared()

    def nodes(self) -> Iterator[Node]:
        """All nodes but the root, parents before children."""
        return self.below(self.root)

    def below(self, node: Node) -> Iterator[Node]:
        """All descendants of a node, parents before children."""
        stack = list(reversed(node.children.values()))
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children.values()))

    def changed(self, node: Node) -> None:
        """Tell the listener. To be called for changes of marks; all others are made here."""
        if self.listener is not None:
            self.listener(node)

    # Structure

    def step(self, node: Node, namespace: str, units: Units, offset: int) -> Node | None:
        """The child of ``node`` that ``units[offset:]`` (whole pages) leads to, if there is one.

        A child whose segment goes on differently, or further, is split where it does: what is
        returned is covered entirely.
        """
        child = node.children.get(
            self.edge(node, namespace, units[offset : offset + self.page_size])
        )
        if child is None or units[offset : offset + len(child.segment)] == child.segment:
            return child
        return self.split(child, self._shared(child.segment, units, offset))

    def edge(self, parent: Node, namespace: str, segment: Units) -> Hashable:
        """Where a child is in ``parent.children``: by its first page and, at the root, its
        namespace.
        """
        page = segment[: self.page_size]
        return (namespace, page) if parent.is_root else page

    def _shared(self, segment: Units, units: Units, offset: int) -> int:
        """Length of the common part of ``segment`` and ``units[offset:]``, in whole pages.

        The first page is common.
        """
        size = self.page_size
        low, high = 1, min(len(segment), len(units) - offset) // size
        while low < high:
            middle = (low + high + 1) // 2
            if (
                segment[low * size : middle * size]
                == units[offset + low * size : offset + middle * size]
            ):
                low = middle
            else:
                high = middle - 1
        return low * size

    def begin_insert(self) -> None:
        """Start a new number for the nodes that are made from now on."""
        self._inserts += 1

    def add_leaf(self, parent: Node, namespace: str, segment: Units, full: Slots) -> Node:
        """Hang a new node with FULL on the device under ``parent``, most recently used."""
        leaf = self._hang(parent, namespace, segment)
        self.put_device(leaf, Component.FULL, full)
        return leaf

    def add_host_leaf(self, parent: Node, namespace: str, segment: Units, host: Slots) -> Node:
        """Hang a new node with FULL on the host only under ``parent``, most recently used.

        It counts as made by an insert of its own, and is as urgent as what it hangs under.
        """
        self.begin_insert()
        leaf = self._hang(parent, namespace, segment)
        leaf.priority = parent.priority
        self.put_host(leaf, Component.FULL, host)
        self._sort_leaf(parent)
        return leaf

    def _hang(self, parent: Node, namespace: str, segment: Units) -> Node:
        leaf = self._new(parent, namespace, segment, self._inserts)
        parent.children[self.edge(parent, namespace, segment)] = leaf
        self.touch(leaf)
        return leaf

    def _new(self, parent: Node, namespace: str, segment: Units, created: int) -> Node:
        self._last_id += 1
        return Node(self._last_id, parent, namespace, segment, parent.end + len(segment), created)

    def split(self, node: Node, length: int) -> Node:
        """Cut ``node`` after ``length`` units (whole pages); returns the upper half (semantics 5).

        What held for the whole holds for both halves: use, locks, copies in flight. The MAMBA state
        and its locks are about the end of the node, and stay on the lower half.
        """
        parent = node.parent
        assert parent is not None
        assert 0 < length < len(node.segment)
        upper = self._new(parent, node.namespace, node.segment[:length], node.created)
        parent.children[self.edge(parent, node.namespace, node.segment)] = upper
        node.parent, node.segment = upper, node.segment[length:]
        upper.children[self.edge(upper, node.namespace, node.segment)] = node
        upper.resident_children = int(node.full.device is not None)
        upper.accessed, upper.hits, upper.priority = node.accessed, node.hits, node.priority
        # So a receipt covers what it covered.
        upper.edges, node.edges = node.edges, upper.edges
        self._split_states(node, upper, length)
        upper.backups, upper.loads = list(node.backups), list(node.loads)
        for copy in (*node.backups, *node.loads):
            copy.fragments.append(upper)
        self.changed(upper)
        self.changed(node)
        return upper

    def _split_states(self, node: Node, upper: Node, length: int) -> None:
        for top, low in ((upper.full, node.full), (upper.swa, node.swa)):
            top.locks, top.host_locks = low.locks, low.host_locks
            # Copies, so that no piece keeps the memory of the whole array alive.
            if low.device is not None:
                top.device, low.device = low.device[:length].copy(), low.device[length:].copy()
            if low.host is not None:
                top.host, low.host = low.host[:length].copy(), low.host[length:].copy()
        for order in (self.device_order[Component.SWA], self.host_order[Component.SWA]):
            if node in order:
                order.add_older(upper, than=node)
        if node in self.duplicates:
            self.duplicates[upper] = None

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

    # Recency

    def touch(self, node: Node) -> None:
        """Make a node the most recently used one. Does not concern the orders of SWA and MAMBA."""
        self._clock += 1
        node.accessed = self._clock

    # Residency

    def put_device(self, node: Node, component: Component, slots: Slots) -> None:
        """Give a node device slots for a component that it has not on the device.

        The newest in its order of use.
        """
        state = node.states[component]
        assert state.device is None
        assert len(slots) == (len(node.segment) if component is not Component.MAMBA else 1)
        state.device = slots
        (self.protected if state.locks else self.evictable)[component] += len(slots)
        if component is Component.FULL:
            self._count_resident(node, 1)
            if self.events is not None:
                self.events.stored(node, on_host=False)
        else:
            self.host_order[component].discard(node)
            self.device_order[component].renew(node)
        self.changed(node)

    def take_device(self, node: Node, component: Component) -> Slots:
        """Take the device slots of a component off a node.

        SWA and MAMBA must be taken before FULL.
        """
        state = node.states[component]
        slots = state.device
        assert slots is not None
        state.device = None
        (self.protected if state.locks else self.evictable)[component] -= len(slots)
        if component is Component.FULL:
            self._count_resident(node, -1)
            if self.events is not None:
                self.events.removed(node, on_host=False)
        else:
            self.device_order[component].discard(node)
            if state.host is not None:
                self.host_order[component].renew(node)
        self.changed(node)
        return slots

    def swap_device(self, node: Node, component: Component, slots: Slots) -> Slots:
        """Give a node other device slots for what it has on the device; returns the old ones."""
        state = node.states[component]
        old = state.device
        assert old is not None
        assert len(slots) == len(old)
        state.device = slots
        self.changed(node)
        return old

    def put_host(self, node: Node, component: Component, slots: Slots) -> None:
        """Give a node host slots for a component that it has not on the host."""
        state = node.states[component]
        assert state.host is None
        assert len(slots) == (len(node.segment) if component is not Component.MAMBA else 1)
        state.host = slots
        if component is Component.FULL:
            self._sort(node)
        elif state.device is None:
            self.host_order[component].renew(node)
        self.changed(node)

    def take_host(self, node: Node, component: Component) -> Slots:
        """Take the host slots of a component off a node."""
        state = node.states[component]
        slots = state.host
        assert slots is not None
        state.host = None
        if component is Component.FULL:
            self._sort(node)
            if self.events is not None:
                self.events.removed(node, on_host=True)
        else:
            self.host_order[component].discard(node)
        self.changed(node)
        return slots

    # Locks

    def hold(self, node: Node, component: Component) -> None:
        """Count one more device lock on a component of a node."""
        self._count_lock(node, component, 1)

    def release(self, node: Node, component: Component) -> None:
        """Count one device lock less on a component of a node."""
        self._count_lock(node, component, -1)

    def hold_host(self, node: Node, component: Component) -> None:
        """Count one more host lock on a component of a node."""
        self._count_host_lock(node, component, 1)

    def release_host(self, node: Node, component: Component) -> None:
        """Count one host lock less on a component of a node."""
        self._count_host_lock(node, component, -1)

    def _count_lock(self, node: Node, component: Component, change: int) -> None:
        state = node.states[component]
        before = state.locks
        state.locks = before + change
        if not before or not state.locks:
            if state.device is not None:
                size = len(state.device) if before else -len(state.device)
                self.evictable[component] += size
                self.protected[component] -= size
            self._sort_leaf(node)
        self.changed(node)

    def _count_host_lock(self, node: Node, component: Component, change: int) -> None:
        node.states[component].host_locks += change
        self._sort_leaf(node)
        self.changed(node)

    # Leaf sets

    def _count_resident(self, node: Node, change: int) -> None:
        parent = node.parent
        assert parent is not None
        parent.resident_children += change
        self._sort_leaf(parent)
        self._sort(node)

    def _sort(self, node: Node) -> None:
        """Put a node whose FULL came or went on a tier into the sets that it belongs to now."""
        self._sort_leaf(node)
        if node.full.device is None or node.full.host is None:
            self.duplicates.pop(node, None)
        else:
            self.duplicates[node] = None

    def _sort_leaf(self, node: Node) -> None:
        """Put a node into the leaf set that it belongs to now, if any (semantics 1.6)."""
        device = host = False
        full = node.full
        if not (full.locks or node.swa.locks or node.mamba.locks or node.is_root):
            if full.device is not None:
                device = not node.resident_children
            else:
                host = full.host is not None and not (node.children or node.host_locked)
        for leaves, member in ((self.device_leaves, device), (self.host_leaves, host)):
            if not member:
                leaves.pop(node, None)
            elif node not in leaves:
                leaves[node] = None
