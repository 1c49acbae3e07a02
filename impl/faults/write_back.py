"""Bugs in write-back, which copies data as it leaves the device, and in caches without a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

FULL = Component.FULL


@fault(
    "B03, SGLang pull request 27108",
    "a leaf is demoted although the host had no room for its copy",
    Property.DEVPATH,
)
def failed_write_back_taken_for_success(cache: RadixCache) -> None:
    backups = cache.backups
    back_up_now = backups.back_up_now

    def anyway(node: Node) -> bool:
        back_up_now(node)
        return True

    backups.back_up_now = anyway  # type: ignore[method-assign]


@fault(
    "B04, SGLang pull requests 28614 and 31845",
    "a leaf for which the host has no room is passed over, "
    "so that nothing can be evicted when the host is full",
    Property.PROGRESS,
)
def full_host_stalls_write_back(cache: RadixCache) -> None:
    evictor, backups = cache.device_evictor, cache.backups
    evict_leaf = evictor._evict_leaf

    def if_backed(leaf: Node, freed: list[int]) -> None:
        if not cache.config.write_back or leaf.backed or backups.back_up_now(leaf):
            evict_leaf(leaf, freed)

    evictor._evict_leaf = if_backed  # type: ignore[method-assign]


@fault(
    "B04, SGLang pull request 31845: what hangs below",
    "a leaf that cannot be written back is deleted without what hangs below it on the host",
    Property.NOCRASH,
)
def descendants_not_deleted(cache: RadixCache) -> None:
    evictor, backups = cache.device_evictor, cache.backups
    evict_leaf = evictor._evict_leaf

    def leaf_only(leaf: Node, freed: list[int]) -> None:
        if (
            leaf.backed
            or leaf.host_locked
            or not cache.config.write_back
            or backups.back_up_now(leaf)
        ):
            evict_leaf(leaf, freed)
        else:
            evictor._delete(leaf, freed)

    evictor._evict_leaf = leaf_only  # type: ignore[method-assign]


@fault(
    "B04, SGLang pull request 31845: what is locked below",
    "a leaf that cannot be written back is deleted with what hangs below it, "
    "although a host lock keeps that",
    Property.PIN,
)
def locked_descendants_deleted(cache: RadixCache) -> None:
    evictor, backups = cache.device_evictor, cache.backups
    evict_leaf = evictor._evict_leaf

    def with_all_below(leaf: Node, freed: list[int]) -> None:
        if (
            leaf.backed
            or leaf.host_locked
            or not cache.config.write_back
            or backups.back_up_now(leaf)
        ):
            evict_leaf(leaf, freed)
            return
        for node in [*reversed(list(cache.tree.below(leaf))), leaf]:
            evictor._delete(node, freed)

    evictor._evict_leaf = with_all_below  # type: ignore[method-assign]


@fault(
    "SGLang 0.5.12: write-back frees what it has only begun to copy",
    "the device slots of a leaf are freed while the copy that saves them is still in flight",
    Property.PROGRESS,
)
def write_back_not_drained(cache: RadixCache) -> None:
    backups = cache.backups

    def only_begun(node: Node) -> bool:
        if backups._missing(node):
            backups._start(node, lock=False)
        return node.backed

    backups.back_up_now = only_begun  # type: ignore[method-assign]


@fault(
    "B28, SGLang pull requests 28468 and 40680",
    "the window or state of an interior node is dropped without a copy under write-back",
    Property.PROGRESS,
)
def interior_value_not_written_back(cache: RadixCache) -> None:
    backups = cache.backups
    back_up_now = backups.back_up_now

    def leaves_only(node: Node) -> bool:
        return not node.resident_children and back_up_now(node)

    backups.back_up_now = leaves_only  # type: ignore[method-assign]


@fault(
    "SGLang to 0.5.23: what write-back asks of a victim",
    "write-back copies nothing of a node whose FULL has a host copy, "
    "so that a window or state that came to it later is lost with the device",
    Property.PROGRESS,
)
def late_value_not_written_back(cache: RadixCache) -> None:
    backups = cache.backups
    back_up_now = backups.back_up_now

    def if_not_backed(node: Node) -> bool:
        return node.backed or back_up_now(node)

    backups.back_up_now = if_not_backed  # type: ignore[method-assign]


@fault(
    "B35, SGLang pull request 39980: continuity under write-back",
    "write-back asks for a copy of the parent before it copies a node, "
    "and deletes the node instead",
    Property.PROGRESS,
)
def write_back_wants_a_backed_parent(cache: RadixCache) -> None:
    backups = cache.backups
    back_up_now = backups.back_up_now

    def below_a_copy(node: Node) -> bool:
        assert node.parent is not None
        if node.parent.is_root or node.parent.backed:
            return back_up_now(node)
        return node.backed

    backups.back_up_now = below_a_copy  # type: ignore[method-assign]


@fault(
    "family of B29, SGLang issue 33714: policies of backup",
    "hits lead to backups under write-back as they do under write-through",
    Property.BACKUP,
)
def write_back_backs_up_hits(cache: RadixCache) -> None:
    if cache.config.write_back:
        cache.backups._threshold = cache.config.threshold


@fault(
    "B72, SGLang pull request 36770: something absent is met by an assertion",
    "a cache without a host tier backs up what was hit",
    Property.NOCRASH,
)
def backup_without_a_host(cache: RadixCache) -> None:
    if not cache.config.hosted:
        cache.backups._threshold = cache.config.threshold


@fault(
    "SGLang pull requests 18843 and 30689: who counts",
    "hits are not counted where they lead to no backup, without a host tier and under write-back",
    Property.RECENCY,
)
def hits_need_a_backup(cache: RadixCache) -> None:
    backups = cache.backups
    hit = backups.hit

    def if_it_can_matter(node: Node) -> None:
        if cache.config.hosted and not cache.config.write_back:
            hit(node)

    backups.hit = if_it_can_matter  # type: ignore[method-assign]


@fault(
    "family of B28, SGLang pull requests 28468 and 40680: a full host",
    "the window or state of an interior node stays if the host has no room for its copy",
    Property.MATCH,
)
def interior_value_stays_without_room(cache: RadixCache) -> None:
    evictor, backups = cache.device_evictor, cache.backups
    make_tombstone = evictor._make_tombstone

    def if_copied(node: Node, component: Component, freed: list[int]) -> None:
        if not cache.config.write_back or not backups._missing(node):
            make_tombstone(node, component, freed)

    evictor._make_tombstone = if_copied  # type: ignore[method-assign]


@fault(
    "family of B28, SGLang pull requests 28468 and 40680: what is copied",
    "of an interior node write-back copies the window and the state, and not FULL",
    Property.PROGRESS,
)
def interior_full_not_written_back(cache: RadixCache) -> None:
    backups = cache.backups
    back_up_now, missing = backups.back_up_now, backups._missing

    def without_full(node: Node) -> bool:
        if node not in cache.tree.device_leaves:
            backups._missing = lambda node: _without_full(missing(node))  # type: ignore[method-assign]
        try:
            return back_up_now(node)
        finally:
            backups._missing = missing  # type: ignore[method-assign]

    backups.back_up_now = without_full  # type: ignore[method-assign]


def _without_full(found: dict[Component, Slots]) -> dict[Component, Slots]:
    return {component: slots for component, slots in found.items() if component is not FULL}
