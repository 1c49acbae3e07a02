"""Bugs in evicting from the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from radixproof.impl.faults.planting import INVENTED, fault
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS


@fault(
    "SGLang pull requests 4987 and 4989",
    "the count of what was freed on the host stays 0, so that everything goes",
    Property.PROGRESS,
)
def host_freed_never_counted(cache: RadixCache) -> None:
    evictor = cache.host_evictor
    free_host = evictor._free

    def uncounted(node: Node, component: Component, freed: list[int]) -> None:
        free_host(node, component, [0, 0, 0])

    evictor._free = uncounted  # type: ignore[method-assign]


@fault(
    "SGLang up to 0.5.13: host eviction of windows and states",
    "windows and states go from the host if no device lock is on them, "
    "whatever is locked on the host",
    Property.PIN,
)
def device_lock_tested_on_host(cache: RadixCache) -> None:
    evictor, tree = cache.host_evictor, cache.tree
    evict = evictor.evict

    def by_device_lock(wanted: int, component: Component) -> int:
        freed = [0, 0, 0]
        for node in tree.host_order[component]:
            if (
                freed[component] < wanted
                and node not in tree.host_leaves
                and not node.states[component].locks
            ):
                evictor._free(node, component, freed)
                if component is SWA and node.mamba.host is not None:
                    evictor._free(node, MAMBA, freed)
        rest = max(0, wanted - freed[component])
        return freed[component] + evict(rest, component)

    evictor.evict = by_device_lock  # type: ignore[method-assign]


@fault(
    "B46, SGLang pull request 23537",
    "a node on the host counts as a leaf there if none of its children is on the device",
    Property.LEAF,
)
def host_leaf_with_host_children(cache: RadixCache) -> None:
    tree = cache.tree
    sort_leaf = tree._sort_leaf

    def nothing_on_device_below(node: Node) -> None:
        sort_leaf(node)
        on_host_only = node.full.device is None and node.full.host is not None
        if on_host_only and not (node.resident_children or node.locked or node.host_locked):
            tree.host_leaves.setdefault(node)

    tree._sort_leaf = nothing_on_device_below  # type: ignore[method-assign]


@fault(
    "B45, SGLang pull request 27562",
    "host eviction unlinks an interior node, and what hangs below it is lost",
    Property.LEAF,
)
def interior_node_unlinked(cache: RadixCache) -> None:
    host_leaf_with_host_children(cache)
    evictor = cache.host_evictor
    delete = evictor.delete

    def cut_off(leaf: Node, freed: list[int]) -> None:
        leaf.children.clear()
        delete(leaf, freed)

    evictor.delete = cut_off  # type: ignore[method-assign]


@fault(
    "B47, SGLang pull request 22592",
    "a node that is locked on the host is deleted there as a leaf",
    Property.LEAF,
)
def host_locked_host_leaf_deleted(cache: RadixCache) -> None:
    tree = cache.tree
    sort_leaf = tree._sort_leaf

    def locked_or_not(node: Node) -> None:
        sort_leaf(node)
        on_host_only = node.full.device is None and node.full.host is not None
        if on_host_only and not (node.children or node.locked):
            tree.host_leaves.setdefault(node)

    tree._sort_leaf = locked_or_not  # type: ignore[method-assign]


@fault(
    "B47, SGLang pull request 23696",
    "the parent that a deletion leaves without children is deleted along, "
    "although it is locked on the host",
    Property.PIN,
)
def childless_parent_cleaned_up(cache: RadixCache) -> None:
    evictor = cache.host_evictor
    delete = evictor.delete

    def clean_up(leaf: Node, freed: list[int]) -> None:
        parent = leaf.parent
        delete(leaf, freed)
        while (
            parent is not None
            and parent.host_locked
            and not (parent.children or parent.locked or parent.full.device is not None)
        ):
            above = parent.parent
            delete(parent, freed)
            parent = above

    evictor.delete = clean_up  # type: ignore[method-assign]


@fault(
    "SGLang pull requests 5499 and 5543, on the host",
    "a node that has lost its last child does not become evictable on the host",
    Property.LEAF,
)
def childless_parent_not_listed(cache: RadixCache) -> None:
    tree = cache.tree
    unlink = tree.unlink

    def without_promotion(node: Node) -> None:
        parent = node.parent
        unlink(node)
        if parent is not None:
            tree.host_leaves.pop(parent, None)

    tree.unlink = without_promotion  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 40262",
    "a node that is deleted gives its FULL host slots back, but not those of its window and state",
    Property.OWN_H,
)
def window_slots_left_on_host(cache: RadixCache) -> None:
    evictor, tree = cache.host_evictor, cache.tree
    delete = evictor.delete

    def full_only(leaf: Node, freed: list[int]) -> None:
        for component in (SWA, MAMBA):
            if leaf.states[component].host is not None:
                tree.take_host(leaf, component)
        delete(leaf, freed)

    evictor.delete = full_only  # type: ignore[method-assign]


@fault(
    "B73, SGLang pull request 33862",
    "copies on the host of what is on the device are not reclaimed under write-back either",
    Property.RECENCY,
)
def duplicates_not_reclaimed(cache: RadixCache) -> None:
    def none() -> Iterator[Node]:
        return iter(())

    cache.host_evictor._spare_duplicates = none  # type: ignore[method-assign]


@fault(
    "family of B73, SGLang pull request 33862",
    "copies on the host of what is on the device are reclaimed under write-through, too",
    Property.PROGRESS,
)
def duplicates_reclaimed_under_write_through(cache: RadixCache) -> None:
    cache.host_evictor._spare_duplicates = lambda: (  # type: ignore[method-assign]
        node
        for node in list(cache.tree.duplicates)
        if not (node.host_locked or node.pending or node.loading)
    )


@fault(
    "B23, SGLang pull request 34975 and others: what the mark is for",
    "write-back reclaims the host copy of a node while a load-back reads it",
    Property.PIN,
)
def duplicate_reclaimed_while_loading(cache: RadixCache) -> None:
    cache.host_evictor._spare_duplicates = lambda: (  # type: ignore[method-assign]
        node
        for node in list(cache.tree.duplicates)
        if cache.config.write_back and not (node.host_locked or node.pending)
    )


@fault(
    "family of B73, SGLang pull request 33862: which go first",
    "host copies of device leaves are reclaimed before those of other nodes, "
    "which will be needed later",
    Property.RECENCY,
)
def duplicates_of_leaves_first(cache: RadixCache) -> None:
    evictor = cache.host_evictor
    spare, evict = evictor._spare_duplicates, evictor.evict

    def leaves_first(wanted: int, component: Component) -> int:
        freed = [0, 0, 0]
        leaves = (
            [node for node in spare() if node in cache.tree.device_leaves]
            if component is FULL
            else []
        )
        for node in sorted(leaves, key=cache.eviction_order.turn):
            if freed[FULL] < wanted:
                evictor._free(node, FULL, freed)
        return freed[FULL] + evict(wanted - freed[FULL], component)

    evictor.evict = leaves_first  # type: ignore[method-assign]


@fault(
    INVENTED,
    "a node on the host that loses its window keeps its state, if the device has that, too",
    Property.BACKUP,
)
def host_window_leaves_a_state_of_both_tiers(cache: RadixCache) -> None:
    evictor, free_host = cache.host_evictor, cache.host_evictor._free

    def spare(node: Node, component: Component, freed: list[int]) -> None:
        goes_along = component is MAMBA and node not in cache.tree.host_leaves
        if not (goes_along and node.mamba.device is not None):
            free_host(node, component, freed)

    evictor._free = spare  # type: ignore[method-assign]


@fault(
    INVENTED,
    "host data may go as soon as its rank's own copy has run, though nobody has acknowledged it",
    Property.RANK,
)
def host_data_kept_until_its_copy_has_run(cache: RadixCache) -> None:
    def may_lose(node: Node, component: Component) -> bool:
        return not (node.states[component].host_locks or _is_copied(node))

    def may_be_spared(node: Node) -> bool:
        return not (node.host_locked or _is_copied(node))

    by = {"_may_lose_host": may_lose, "_may_be_spared": may_be_spared}
    evictor = cache.host_evictor
    evictor.evict = _asking(by, evictor.evict)  # type: ignore[method-assign]
    evictor.make_room = _asking(by, evictor.make_room)  # type: ignore[method-assign]


def _is_copied(node: Node) -> bool:
    """Whether a copy of a node has yet to run, as this rank sees it."""
    return any(not one.copy.done for one in (*node.backups, *node.loads))


def _asking(by: Mapping[str, Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the host evictor that asks other functions than those of its module."""
    from radixproof.impl.radix import host_eviction

    def called(*given: Any) -> Any:
        before = {name: getattr(host_eviction, name) for name in by}
        try:
            vars(host_eviction).update(by)
            return call(*given)
        finally:
            vars(host_eviction).update(before)

    return called
