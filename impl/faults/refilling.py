"""Bugs in what a fetch to the host leaves on the nodes that its key leads through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node, Units
    from radixproof.impl.radix.pools import Slots


@fault(
    "B21, SGLang pull request 31902, where the node is there",
    "a node on the path takes fetched slots although its parent has no copy on the host",
    Property.PROGRESS,
)
def refilled_below_nothing(cache: RadixCache) -> None:
    inserter, refill, tree = cache.host_inserter, cache.host_inserter._refill, cache.tree

    def refill_anywhere(node: Node, slots: Slots) -> int:
        parent = node.parent
        assert parent is not None
        if parent.is_root or parent.backed:
            return refill(node, slots)
        node.parent = tree.root
        try:
            return refill(node, slots)
        finally:
            node.parent = parent

    inserter._refill = refill_anywhere  # type: ignore[method-assign]


@fault(
    "family of B76, SGLang issue 38452: where nodes take what was fetched",
    "nodes on the path take what was fetched under write-back, too",
    Property.PROGRESS,
)
def refilled_under_write_back(cache: RadixCache) -> None:
    inserter, refill = cache.host_inserter, cache.host_inserter._refill

    def refill_always(node: Node, slots: Slots) -> int:
        write_back, inserter._write_back = inserter._write_back, False
        try:
            return refill(node, slots)
        finally:
            inserter._write_back = write_back

    inserter._refill = refill_always  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 30689: the priority of what was fetched",
    "what was fetched is never urgent, whatever it hangs under",
    Property.RECENCY,
)
def fetched_is_never_urgent(cache: RadixCache) -> None:
    tree, add = cache.tree, cache.tree.add_host_leaf

    def of_no_priority(parent: Node, namespace: str, segment: Units, host: Slots) -> Node:
        leaf = add(parent, namespace, segment, host)
        leaf.priority = 0
        return leaf

    tree.add_host_leaf = of_no_priority  # type: ignore[method-assign]


@fault(
    "family of SGLang pull requests 18843 and 30689: what is a hit",
    "a fetch counts as a hit of the nodes that its key leads through",
    Property.BACKUP,
)
def fetch_counts_as_hit(cache: RadixCache) -> None:
    inserter, refill = cache.host_inserter, cache.host_inserter._refill

    def count(node: Node, slots: Slots) -> int:
        node.hits += 1
        return refill(node, slots)

    inserter._refill = count  # type: ignore[method-assign]


@fault(
    "B31, SGLang pull requests 38429 and 38486: nodes that are there",
    "a node that takes fetched slots is not announced on the host",
    Property.EVENT,
)
def refill_not_announced(cache: RadixCache) -> None:
    inserter, refill, announce = (
        cache.host_inserter,
        cache.host_inserter._refill,
        cache.host_inserter._announce,
    )

    def in_silence(node: Node, slots: Slots) -> int:
        inserter._announce = lambda node: len(node.segment)  # type: ignore[method-assign]
        try:
            return refill(node, slots)
        finally:
            inserter._announce = announce  # type: ignore[method-assign]

    inserter._refill = in_silence  # type: ignore[method-assign]
