"""Trees written in Python: every node is an object with everything in it.

Up to 0.5.16 the tree has the nodes itself, and a match names a node by the object. From 0.5.17 on
they are in the tree's core, and a match names a node by its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import is_
from typing import Any, NamedTuple

from radixproof.impl.observation import ROOT, NodeView, PerComponent, Slots
from radixproof.impl.sglang.api import Capabilities
from radixproof.model.config import Component

KINDS = len(Component)
"""Of data that each node has, whatever its tree has."""


class PythonCore:
    """Implements `core.Core`."""

    def __init__(self, tree: Any, capabilities: Capabilities) -> None:
        self._tree = tree
        self._core = tree.tree_core if capabilities.tree_core else tree
        self._named_by_number = capabilities.tree_core
        self._pending_marks = capabilities.pending_marks
        self._ids: dict[int, int] = {}
        self._shown: dict[int, _Shown] = {}
        self._types = {Component(int(kind)): kind for kind in tree.tree_components}

    def about(self, namespace: str, units: Sequence[Any]) -> None:
        """Nodes know their keys."""

    def state(self, anchor: Any) -> int | None:
        value = self._node(anchor).component_data[Component.MAMBA].value
        return None if value is None else int(value)

    def _node(self, anchor: Any) -> Any:
        return self._core.node_by_id(anchor) if self._named_by_number else anchor

    def depth(self, anchor: Any) -> int:
        node = self._node(anchor)
        tokens = 0
        while node.parent is not None:
            tokens += len(node.key)
            node = node.parent
        return tokens

    def nodes(self, anew: bool) -> tuple[NodeView, ...]:
        """Children come in the order of their parent's table."""
        root = self._core.root_node
        before, self._shown = self._shown, {}
        views = []
        queue = list(root.children.values())
        for node in queue:
            queue.extend(node.children.values())
            number, parts = node.id, self._parts(node)
            shown = before.get(number)
            if anew or shown is None or not all(map(is_, shown.parts, parts)):
                shown = _Shown(parts, self._view(node, root))
            self._shown[number] = shown
            views.append(shown.view)
        return tuple(views)

    def _parts(self, node: Any) -> tuple[Any, ...]:
        """All that is shown of a node."""
        full, swa, mamba = node.component_data[:KINDS]
        return (
            node.parent,
            node.key,
            self._is_marked(node),
            full.value,
            full.host_value,
            full.lock_ref,
            swa.value,
            swa.host_value,
            swa.lock_ref,
            mamba.value,
            mamba.host_value,
            mamba.lock_ref,
        )

    def evictable(self) -> PerComponent:
        return self._sizes(self._core.component_evictable_size_)

    def protected(self) -> PerComponent:
        return self._sizes(self._core.component_protected_size_)

    def leaves(self, on_host: bool) -> frozenset[int]:
        core = self._core
        nodes: Iterable[Any] = (
            core.evictable_host_leaves if on_host else core.evictable_device_leaves
        )
        return frozenset([self._id(node) for node in sorted(nodes, key=_number)])

    def lru_lists(self) -> tuple[Slots, Slots, Slots, Slots]:
        device, host = self._core.lru_lists, self._core.host_lru_lists
        return (
            self._lru_list(device, Component.SWA),
            self._lru_list(device, Component.MAMBA),
            self._lru_list(host, Component.SWA),
            self._lru_list(host, Component.MAMBA),
        )

    def _view(self, node: Any, root: Any) -> NodeView:
        # SGLang numbers the components as we do.
        full, swa, mamba = node.component_data[:KINDS]
        device = (_slots(full.value), _slots(swa.value), _slots(mamba.value))
        host = (_slots(full.host_value), _slots(swa.host_value), _slots(mamba.host_value))
        return NodeView(
            id=self._id(node),
            parent=ROOT if node.parent is root else self._id(node.parent),
            namespace=node.key.extra_key or "",
            segment=tuple(node.key),
            slots=(*device, *host),
            locks=(full.lock_ref, swa.lock_ref, mamba.lock_ref),
            pending=self._is_marked(node),
            # They count only what has a host copy, and differ between the halves of a split node.
            host_locks=None,
        )

    def _is_marked(self, node: Any) -> bool:
        marked = self._pending_marks and node.write_through_pending_id is not None
        return marked or node.id in self._tree.ongoing_write_through

    def _lru_list(self, lists: Any, component: Component) -> Slots:
        """Bounded, because a broken list may be a ring."""
        if component not in self._types:
            return ()
        lru = lists[self._types[component]]
        return tuple(self._id(node) for node in islice(_from_oldest(lru), len(lru.cache) + 1))

    def _id(self, node: Any) -> int:
        return self._ids.setdefault(node.id, len(self._ids) + 1)

    def _sizes(self, by_type: Any) -> PerComponent:
        full, swa, mamba = (
            by_type[self._types[component]] if component in self._types else 0
            for component in Component
        )
        return full, swa, mamba


class _Shown(NamedTuple):
    """A node as it was shown, and the objects that this was made of."""

    parts: tuple[Any, ...]
    view: NodeView


def _number(node: Any) -> int:
    number: int = node.id
    return number


def _from_oldest(lru: Any) -> Iterator[Any]:
    link, node = lru._pt, lru.tail
    while (node := node.lru_prev[link]) is not lru.head:
        yield node


def _slots(value: Any) -> Slots | None:
    return None if value is None else tuple(value.tolist())
