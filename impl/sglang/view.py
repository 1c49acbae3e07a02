"""Observe a cache of SGLang: its nodes, lists and pools as plain data. Nothing is judged here, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from radixproof.impl.observation import ROOT, NodeView, Observation, PerComponent, Slots, Whole
from radixproof.impl.sglang.pools import Parts
from radixproof.model.config import Component, Config


class View:
    """Observes one cache. Always whole: SGLang keeps no record of what has changed.

    SGLang numbers nodes through the whole process; here they get small ids in the order in which this view first meets them
    (parents before children, children in the order of their parent's table), so that equal histories give equal observations.
    """

    def __init__(self, parts: Parts, config: Config) -> None:
        self._parts = parts
        self._config = config
        self._ids: dict[int, int] = {}
        self._types = {Component(int(kind)): kind for kind in parts.tree.tree_components}

    def observe(self) -> Observation:
        core = self._parts.core
        nodes = self._nodes()
        whole = self._whole()
        free = [0 if slots is None else len(slots) for slots in whole.free or ()]
        full, swa, mamba, full_host, swa_host, mamba_host = free
        return Observation(
            nodes=nodes,
            removed=(),
            free=(full, swa, mamba, full_host, swa_host, mamba_host),
            evictable=self._sizes(core.component_evictable_size_),
            protected=self._sizes(core.component_protected_size_),
            whole=whole,
        )

    def _nodes(self) -> tuple[NodeView, ...]:
        root = self._parts.core.root_node
        views = []
        queue = list(root.children.values())
        for node in queue:
            queue.extend(node.children.values())
            views.append(self._node(node))
        return tuple(views)

    def _node(self, node: Any) -> NodeView:
        full, swa, mamba = node.component_data[
            : len(Component)
        ]  # its numbers are ours; all are there, whatever the tree has
        tree, root = self._parts.tree, self._parts.core.root_node
        marked = getattr(
            node, "write_through_pending_id", None
        )  # newer releases mark the fragments of a split, too
        device = (_slots(full.value), _slots(swa.value), _slots(mamba.value))
        host = (_slots(full.host_value), _slots(swa.host_value), _slots(mamba.host_value))
        return NodeView(
            id=self._id(node),
            parent=ROOT if node.parent is root else self._id(node.parent),
            namespace=node.key.extra_key or "",
            segment=tuple(node.key),
            slots=(*device, *host),
            locks=(full.lock_ref, swa.lock_ref, mamba.lock_ref),
            pending=marked is not None or node.id in tree.ongoing_write_through,
            host_locks=None,  # they count only what has a host copy, and the halves of a split unevenly
        )

    def _id(self, node: Any) -> int:
        return self._ids.setdefault(node.id, len(self._ids) + 1)

    def _sizes(self, by_type: Any) -> PerComponent:
        full, swa, mamba = (
            by_type[self._types[component]] if component in self._types else 0
            for component in Component
        )
        return full, swa, mamba

    def _whole(self) -> Whole:
        core = self._parts.core
        full, swa, mamba = map(self._free_on_device, Component)
        full_host, swa_host, mamba_host = map(self._free_on_host, Component)
        return Whole(
            free=(full, swa, mamba, full_host, swa_host, mamba_host),
            swa_of=self._swa_of(),
            device_leaves=self._set(core.evictable_device_leaves),
            host_leaves=self._set(core.evictable_host_leaves),
            lru_lists=(
                self._order(core.lru_lists, Component.SWA),
                self._order(core.lru_lists, Component.MAMBA),
                self._order(core.host_lru_lists, Component.SWA),
                self._order(core.host_lru_lists, Component.MAMBA),
            ),
        )

    def _free_on_device(self, component: Component) -> Slots:
        allocator = self._parts.allocators.get(component)
        return () if allocator is None else _free_slots(allocator)

    def _free_on_host(self, component: Component) -> Slots:
        """Newer releases keep what was freed last apart, in chunks."""
        pool = self._parts.host_pools.get(component)
        chunks = () if pool is None else (pool.free_slots, *getattr(pool, "release_slots", ()))
        return tuple(slot for chunk in chunks for slot in chunk.tolist())

    def _swa_of(self) -> dict[int, int]:
        """The full→SWA map without its empty entries. The last one is SGLang's own sentinel for slot -1."""
        if self._config.window is None:
            return {}
        entries = self._parts.allocator.full_to_swa_index_mapping.tolist()
        return {slot: peer for slot, peer in enumerate(entries[:-1]) if peer}

    def _set(self, nodes: Iterable[Any]) -> frozenset[int]:
        return frozenset([self._id(node) for node in sorted(nodes, key=_number)])

    def _order(self, lists: Any, component: Component) -> Slots:
        """The list of a component on a tier, oldest first. Bounded, because a broken list may be a ring."""
        if component not in self._types:
            return ()
        lru = lists[self._types[component]]
        return tuple(self._id(node) for node in islice(_from_oldest(lru), len(lru.cache) + 1))


def _number(node: Any) -> int:
    number: int = node.id
    return number


def _from_oldest(lru: Any) -> Iterator[Any]:
    link, node = lru._pt, lru.tail
    while (node := node.lru_prev[link]) is not lru.head:
        yield node


def _slots(value: Any) -> Slots | None:
    return None if value is None else tuple(value.tolist())


def _free_slots(allocator: Any) -> Slots:
    """Free slots of a component on the device; allocators of paged pools count in pages."""
    free = allocator.free_pages.tolist() + allocator.release_pages.tolist()
    size = allocator.page_size
    return (
        tuple(free)
        if size == 1
        else tuple(page * size + offset for page in free for offset in range(size))
    )
