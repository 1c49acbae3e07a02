"""Bugs in what is derived from the nodes: sizes, leaf sets, orders of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

FULL, SWA, MAMBA = Component


@fault(
    "B46, SGLang pull request 23537 and issue 19212",
    "a node on both tiers is taken for a leaf of the host, too",
    Property.LEAF,
)
def duplicate_counts_as_host_leaf(cache: RadixCache) -> None:
    tree, sort_leaf = cache.tree, cache.tree._sort_leaf

    def sort(node: Node) -> None:
        sort_leaf(node)
        if node.full.host is not None and not (
            node.is_root or node.children or node.locked or node.host_locked
        ):
            tree.host_leaves[node] = None

    tree._sort_leaf = sort  # type: ignore[method-assign]


@fault(
    "B47, SGLang pull requests 22592, 23696",
    "a node that has left the tree stays in the set of host leaves",
    Property.LEAF,
)
def deleted_node_stays_a_leaf(cache: RadixCache) -> None:
    tree, unlink = cache.tree, cache.tree.unlink

    def unlink_and_keep(node: Node) -> None:
        unlink(node)
        tree.host_leaves[node] = None

    tree.unlink = unlink_and_keep  # type: ignore[method-assign]


@fault(
    "SGLang pull request 5499 and issue 5543",
    "a node whose last child is deleted does not become a leaf",
    Property.LEAF,
)
def parent_never_becomes_a_leaf(cache: RadixCache) -> None:
    tree, unlink, sort_leaf = cache.tree, cache.tree.unlink, cache.tree._sort_leaf

    def unlink_only(node: Node) -> None:
        tree._sort_leaf = lambda node: None  # type: ignore[method-assign]
        unlink(node)
        tree._sort_leaf = sort_leaf  # type: ignore[method-assign]

    tree.unlink = unlink_only  # type: ignore[method-assign]


@fault(
    "SGLang pull request 5499 and issue 5543",
    "an unlocked node does not become a leaf again",
    Property.LEAF,
)
def unlocked_node_does_not_become_a_leaf(cache: RadixCache) -> None:
    tree, release, sort_leaf = cache.tree, cache.tree.release, cache.tree._sort_leaf

    def release_only(node: Node, component: Component) -> None:
        tree._sort_leaf = lambda node: None  # type: ignore[method-assign]
        release(node, component)
        tree._sort_leaf = sort_leaf  # type: ignore[method-assign]

    tree.release = release_only  # type: ignore[method-assign]


@fault(
    "SGLang pull request 5499 and issue 5543",
    "a node on the host does not become a leaf again when its host lock is given back",
    Property.LEAF,
)
def unlocked_host_node_does_not_become_a_leaf(cache: RadixCache) -> None:
    tree, release, sort_leaf = cache.tree, cache.tree.release_host, cache.tree._sort_leaf

    def release_only(node: Node, component: Component) -> None:
        tree._sort_leaf = lambda node: None  # type: ignore[method-assign]
        release(node, component)
        tree._sort_leaf = sort_leaf  # type: ignore[method-assign]

    tree.release_host = release_only  # type: ignore[method-assign]


@fault(
    "B08, SGLang pull request 36848",
    "a tombstone that is locked is unlocked as if it had SWA, and its tokens count as evictable",
    Property.SIZE,
)
def unlocked_tombstone_counts_as_evictable(cache: RadixCache) -> None:
    tree, release = cache.tree, cache.tree.release

    def release_and_count(node: Node, component: Component) -> None:
        release(node, component)
        state = node.states[component]
        if component is SWA and state.device is None and not state.locks:
            tree.evictable[SWA] += len(node.segment)
            tree.protected[SWA] -= len(node.segment)

    tree.release = release_and_count  # type: ignore[method-assign]


@fault(
    "SGLang pull request 12111 and issue 12007",
    "SWA that comes to a node is put at the old end of its order",
    Property.RECENCY,
)
def new_window_is_the_oldest(cache: RadixCache) -> None:
    tree, put_device = cache.tree, cache.tree.put_device

    def put(node: Node, component: Component, slots: Slots) -> None:
        put_device(node, component, slots)
        order = tree.device_order[component]
        if node in order and len(order) > 1:
            order.discard(node)
            order.add_older(node, than=next(iter(order)))

    tree.put_device = put  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 5499 and issue 5543: children on the device",
    "a child that comes back to the device is not counted as being there",
    Property.LEAF,
)
def revived_child_not_counted(cache: RadixCache) -> None:
    tree, count = cache.tree, cache.tree._count_resident

    def count_new(node: Node, change: int) -> None:
        count(node, 0 if change > 0 and node.backed else change)

    tree._count_resident = count_new  # type: ignore[method-assign]
