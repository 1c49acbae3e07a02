"""Bugs in splits: what a node's two halves get of what the whole had."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from radixproof.impl.faults.locks import release_what_counts
from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.impl.radix.recency import RecencyList
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = Component


def after_split(cache: RadixCache, spoil: Callable[[Node, Node], None]) -> None:
    """Do something with the lower and the upper half after every split."""
    tree, split = cache.tree, cache.tree.split

    def split_and_spoil(node: Node, length: int) -> Node:
        upper = split(node, length)
        spoil(node, upper)
        tree.changed(upper)
        tree.changed(node)
        return upper

    tree.split = split_and_spoil  # type: ignore[method-assign]


def _renew_both(cache: RadixCache, order: Callable[[], RecencyList[Node]]) -> None:
    """Let a split move both halves to the new end of an order.

    The tree makes its orders anew when it is reset.
    """

    def renew(lower: Node, upper: Node) -> None:
        for node in (upper, lower):
            if node in order():
                order().renew(node)

    after_split(cache, renew)


@fault(
    "B27, SGLang pull requests 38482, 24892",
    "a split makes the lower half the most recently used node, though nobody asked for it",
    Property.RECENCY,
)
def split_renews_the_lower_half(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: cache.tree.touch(lower))


@fault(
    "B27, SGLang pull request 38482",
    "a split moves both halves to the new end of the order in which windows go",
    Property.RECENCY,
)
def split_renews_windows(cache: RadixCache) -> None:
    _renew_both(cache, lambda: cache.tree.device_order[SWA])


@fault(
    "B27, SGLang pull request 38482",
    "a split moves both halves to the new end of the order in which windows on the host go",
    Property.RECENCY,
)
def split_renews_windows_on_host(cache: RadixCache) -> None:
    _renew_both(cache, lambda: cache.tree.host_order[SWA])


@fault(
    "B27, SGLang pull request 38482",
    "a split makes the state at the end of the lower half the newest",
    Property.RECENCY,
)
def split_renews_the_state(cache: RadixCache) -> None:
    def renew(lower: Node, upper: Node) -> None:
        if lower.mamba.device is not None:
            cache.tree.device_order[MAMBA].renew(lower)

    after_split(cache, renew)


@fault(
    "mini-sglang pull request 124",
    "the upper half of a split counts as never used",
    Property.RECENCY,
)
def split_forgets_use_of_the_upper_half(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: setattr(upper, "accessed", 0))


@fault(
    "SGLang pull request 30689",
    "the upper half of a split starts without hits",
    Property.PROGRESS,
)
def split_forgets_hits(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: setattr(upper, "hits", 0))


@fault(
    "SGLang pull request 30689",
    "the upper half of a split starts with the lowest priority",
    Property.RECENCY,
)
def split_forgets_priority(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: setattr(upper, "priority", 0))


@fault(
    "SGLang pull request 30689",
    "the upper half of a split counts as made by the latest insert",
    Property.RECENCY,
)
def split_forgets_creation(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: setattr(upper, "created", cache.tree._inserts))


@fault(
    "family of B09, SGLang pull request 27779: whose SWA slot is whose",
    "a split hands the windows of the two halves out the wrong way round",
    Property.STUTTER,
)
def split_swaps_windows(cache: RadixCache) -> None:
    def swap(lower: Node, upper: Node) -> None:
        if upper.swa.device is not None and lower.swa.device is not None:
            both = np.concatenate([lower.swa.device, upper.swa.device])
            upper.swa.device, lower.swa.device = (
                both[: len(upper.segment)].copy(),
                both[len(upper.segment) :].copy(),
            )

    after_split(cache, swap)


@fault(
    "family of B25, SGLang pull request 38480: host slots of the upper half",
    "a split cuts the slots on the host at the wrong end",
    Property.CONTENT,
)
def split_swaps_host_slots(cache: RadixCache) -> None:
    def swap(lower: Node, upper: Node) -> None:
        if upper.full.host is not None and lower.full.host is not None:
            both = np.concatenate([lower.full.host, upper.full.host])
            upper.full.host, lower.full.host = (
                both[: len(upper.segment)].copy(),
                both[len(upper.segment) :].copy(),
            )

    after_split(cache, swap)


@fault(
    "SGLang pull requests 17191, 17400, 21624",
    "a split leaves all slots with the upper half",
    Property.DEVPATH,
)
def split_leaves_all_slots_above(cache: RadixCache) -> None:
    def keep(lower: Node, upper: Node) -> None:
        if upper.full.device is not None and lower.full.device is not None:
            upper.full.device = np.concatenate([upper.full.device, lower.full.device])

    after_split(cache, keep)


@fault(
    "UbiquitousLearning/mllm pull request 656",
    "a split counts the upper half as evictable once more",
    Property.SIZE,
)
def split_counts_the_upper_half_again(cache: RadixCache) -> None:
    def count(lower: Node, upper: Node) -> None:
        if upper.full.device is not None and not upper.full.locks:
            cache.tree.evictable[FULL] += len(upper.segment)

    after_split(cache, count)


@fault(
    "SGLang pull request 5499 and issue 5543",
    "the upper half of a split does not know that it has a child on the device, "
    "and counts as a leaf",
    Property.LEAF,
)
def split_forgets_the_child(cache: RadixCache) -> None:
    def forget(lower: Node, upper: Node) -> None:
        upper.resident_children = 0
        cache.tree._sort_leaf(upper)

    after_split(cache, forget)


@fault(
    "family of B35, SGLang pull request 39980: who is in a list",
    "the upper half of a split is missing in the order in which windows on the host go",
    Property.LEAF,
)
def split_forgets_to_list_the_window_on_host(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: cache.tree.host_order[SWA].discard(upper))


@fault(
    "family of B08, SGLang pull request 36848: counts of locks",
    "the upper half of a split is locked once, however often the whole was",
    Property.LOCK,
)
def split_locks_the_upper_half_once(cache: RadixCache) -> None:
    def count_once(lower: Node, upper: Node) -> None:
        for component in (FULL, SWA):
            while upper.states[component].locks > 1:
                cache.tree.release(upper, component)

    after_split(cache, count_once)
    release_what_counts(cache)


@fault(
    "family of B08, SGLang pull request 36848: where a window lock ends",
    "the mark where a window lock on the host ends stays on the lower half of a node that is "
    "split, and the upper half stays locked",
    Property.LOCK,
)
def split_keeps_host_window_mark_below(cache: RadixCache) -> None:
    from radixproof.impl.radix.node import Edge

    def move(lower: Node, upper: Node) -> None:
        mark = Edge.HOST_WINDOW
        lower.edges[mark], upper.edges[mark] = upper.edges[mark], None

    after_split(cache, move)


@fault(
    "family of B73, SGLang pull request 33862: host copies of what is on the device",
    "the upper half of a split does not count as a duplicate",
    Property.RECENCY,
)
def split_forgets_the_duplicate(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: cache.tree.duplicates.pop(upper, None))


@fault(
    "family of B34, SGLang pull requests 26177, 26939: a list that two have",
    "both halves of a split have one list of the backups in flight, "
    "and the first ack takes each of them off it twice",
    Property.NOCRASH,
)
def split_shares_the_list_of_backups(cache: RadixCache) -> None:
    after_split(cache, lambda lower, upper: setattr(upper, "backups", lower.backups))
