"""Observe a cache of SGLang: its nodes, lists and pools as plain data. Nothing is judged here, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from radixproof.impl.sglang.pools import Parts
from radixproof.model.config import Component, Config
from radixproof.model.observation import ROOT, NodeView, Observation, Slots, Whole


class View:
    """Observes one cache. Always whole: SGLang keeps no record of what has changed.

    SGLang numbers nodes through the whole process; here they get small ids in the order in which this view first meets them
    (parents before children, children in the order of their parent's table), so that equal histories give equal observations.
    """

    def __init__(self, parts: Parts, config: Config) -> None:
        self._parts = parts
        self._config = config
        self._ids: dict[int, int] = {}

    def observe(self) -> Observation:
        tree = self._parts.tree
        sizes, protected = tree.component_evictable_size_, tree.component_protected_size_
        nodes = self._nodes()
        whole = self._whole()
        full, swa, full_host, swa_host = whole.free
        return Observation(
            nodes=nodes,
            removed=(),
            free=(len(full), len(swa), len(full_host), len(swa_host)),
            evictable=self._sizes(sizes),
            protected=self._sizes(protected),
            whole=whole,
        )

    def _swa_of(self) -> dict[int, int]:
        """The full→SWA map without its empty entries. The last one is SGLang's own sentinel for slot -1."""
        if self._config.window is None:
            return {}
        entries = self._parts.allocator.full_to_swa_index_mapping.tolist()
        return {slot: peer for slot, peer in enumerate(entries[:-1]) if peer}

    def _nodes(self) -> tuple[NodeView, ...]:
        tree = self._parts.tree
        in_flight = tree.ongoing_write_through
        root = tree.root_node
        views = []
        queue = list(root.children.values())
        for node in queue:
            queue.extend(node.children.values())
            full, swa = self._state(node)
            marked = getattr(node, "write_through_pending_id", None)  # newer releases mark the fragments of a split, too
            key = node.key
            views.append(
                NodeView(
                    id=self._id(node),
                    parent=ROOT if node.parent is root else self._id(node.parent),
                    namespace=key.extra_key or "",
                    segment=tuple(key.token_ids),
                    slots=(_slots(full.value), _slots(swa.value), _slots(full.host_value), _slots(swa.host_value)),
                    locks=(full.lock_ref, swa.lock_ref),
                    pending=marked is not None or node.id in in_flight,
                )
            )
        return tuple(views)

    def _state(self, node: Any) -> tuple[Any, Any]:
        """FULL and SWA records of a node. SGLang's component numbers begin like ours; nodes of FULL-only trees have all records."""
        data = node.component_data
        return data[Component.FULL], data[Component.SWA]

    def _id(self, node: Any) -> int:
        return self._ids.setdefault(node.id, len(self._ids) + 1)

    def _sizes(self, by_component: Any) -> tuple[int, int]:
        full, *swa = by_component.values()
        return full, swa[0] if swa else 0

    def _whole(self) -> Whole:
        tree, parts = self._parts.tree, self._parts
        device = [_free_on_device(allocator) for allocator in parts.allocators]
        host = [_free_on_host(pool) for pool in parts.host_pools]
        if self._config.window is None:
            device.append(())
            host.append(())
            device_order: Slots = ()
            host_order: Slots = ()
        else:
            device_order = self._order(tree.lru_lists)
            host_order = self._order(tree.host_lru_lists)
        return Whole(
            free=(device[0], device[1], host[0], host[1]),
            swa_of=self._swa_of(),
            device_leaves=self._set(tree.evictable_device_leaves),
            host_leaves=self._set(tree.evictable_host_leaves),
            swa_order=device_order,
            swa_host_order=host_order,
        )

    def _set(self, nodes: Iterable[Any]) -> frozenset[int]:
        return frozenset([self._id(node) for node in sorted(nodes, key=_number)])

    def _order(self, lists: Any) -> Slots:
        """The SWA list of a tier, oldest first. Bounded, because a broken list may be a ring."""
        lru = lists[self._parts.tree.tree_components[Component.SWA]]
        return tuple(self._id(node) for node in islice(_from_oldest(lru), len(lru.cache) + 1))


def _number(node: Any) -> int:
    number: int = node.id
    return number


def _from_oldest(lru: Any) -> Iterable[Any]:
    link, node = lru._pt, lru.tail
    while (node := node.lru_prev[link]) is not lru.head:
        yield node


def _slots(value: Any) -> Slots | None:
    return None if value is None else tuple(value.tolist())


def _free_on_device(allocator: Any) -> Slots:
    """Free slots of one component; allocators of paged pools count in pages."""
    free = allocator.free_pages.tolist() + allocator.release_pages.tolist()
    size = allocator.page_size
    return tuple(free) if size == 1 else tuple(page * size + offset for page in free for offset in range(size))


def _free_on_host(pool: Any) -> Slots:
    """Free slots of a host pool; newer releases keep what was freed last apart, in chunks."""
    chunks = (pool.free_slots, *getattr(pool, "release_slots", ()))
    return tuple(slot for chunk in chunks for slot in chunk.tolist())
