"""Bugs in the orders of eviction: by what a leaf has its turn, and who keeps that right."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import INVENTED, fault
from radixproof.impl.radix.config import EvictionPolicy
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Inserted, Offer
    from radixproof.impl.radix.node import Node


def _turn_by(
    cache: RadixCache, policy: EvictionPolicy, turn: Callable[[Node], tuple[int, ...]]
) -> None:
    """Let leaves have another turn under one policy."""
    if cache.config.eviction_policy == policy:
        cache.eviction_order.turn = turn


@fault(
    "family of SGLang pull request 30689: most recently used",
    "the least recently used leaf goes first where the most recently used one should",
    Property.RECENCY,
)
def oldest_first_under_mru(cache: RadixCache) -> None:
    _turn_by(cache, "mru", lambda node: (node.accessed, node.end))


@fault(
    "family of SGLang pull request 30689: first in, first out",
    "nodes go by their ids, and the upper half of a split has a new one",
    Property.RECENCY,
)
def node_ids_taken_for_age(cache: RadixCache) -> None:
    _turn_by(cache, "fifo", lambda node: (node.id, node.accessed, node.end))


@fault(
    "family of SGLang pull request 30689: priorities",
    "among leaves that are as urgent the one that was inserted first goes first",
    Property.RECENCY,
)
def oldest_insert_first_among_equals(cache: RadixCache) -> None:
    _turn_by(cache, "priority", lambda node: (node.priority, node.created, node.accessed))


@fault(
    "family of SGLang pull requests 5499 and 5543: the turn of a parent",
    "a node that becomes a leaf during an eviction has the turn of the child that has gone",
    Property.RECENCY,
)
def parent_has_the_turn_of_its_child(cache: RadixCache) -> None:
    order = cache.eviction_order

    def take_turns(leaves: dict[Node, None]) -> Iterator[Node]:
        heap = [(order.turn(leaf), leaf.id, leaf) for leaf in leaves]
        heapq.heapify(heap)
        while heap:
            turn, _, leaf = heapq.heappop(heap)
            parent = leaf.parent
            yield leaf
            if parent in leaves:
                heapq.heappush(heap, (turn, parent.id, parent))

    order.take_turns = take_turns  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 30689: priorities",
    "an insert of lower priority lowers that of the nodes that it passes",
    Property.RECENCY,
)
def priority_lowered(cache: RadixCache) -> None:
    inserter, overlap = cache.inserter, cache.inserter._overlap

    def overlap_and_lower(node: Node, offer: Offer) -> list[Node]:
        node.priority = offer.priority
        return overlap(node, offer)

    inserter._overlap = overlap_and_lower  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 30689: priorities",
    "an insert whose priority is below that of one that names none counts as one of those",
    Property.RECENCY,
)
def priority_below_nothing_ignored(cache: RadixCache) -> None:
    inserter, insert = cache.inserter, cache.inserter.insert

    def at_least_nothing(offer: Offer) -> Inserted:
        return insert(replace(offer, priority=max(0, offer.priority)))

    inserter.insert = at_least_nothing  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 30689: what a demoted node keeps",
    "a leaf that is demoted loses its priority",
    Property.RECENCY,
)
def demoted_leaf_loses_its_priority(cache: RadixCache) -> None:
    _when_demoted(cache, lambda leaf: setattr(leaf, "priority", 0))


def _when_demoted(cache: RadixCache, spoil: Callable[[Node], None]) -> None:
    """Do something with every node that leaves the device."""
    evictor, clear = cache.device_evictor, cache.device_evictor._clear

    def clear_and_spoil(node: Node, freed: list[int]) -> None:
        clear(node, freed)
        spoil(node)

    evictor._clear = clear_and_spoil  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 30689: what a revived node keeps",
    "a node that comes back to the device with an insert counts as made by that insert",
    Property.RECENCY,
)
def revived_node_counts_as_new(cache: RadixCache) -> None:
    inserter, revive = cache.inserter, cache.inserter._revive

    def revive_anew(node: Node, offer: Offer) -> list[Node]:
        node.created = cache.tree._inserts
        return revive(node, offer)

    inserter._revive = revive_anew  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 30689: the halves of a node that nobody has used since",
    "of the halves of a split node the upper one goes first, where the most recently used should",
    Property.RECENCY,
)
def upper_half_first_under_mru(cache: RadixCache) -> None:
    _turn_by(cache, "mru", lambda node: (-node.accessed, node.end))


@fault(
    INVENTED,
    "a priority is taken for a flag: all that are above 0 are alike",
    Property.RECENCY,
)
def priority_taken_for_a_flag(cache: RadixCache) -> None:
    _with_priority(cache, lambda offer: min(offer.priority, 1))


@fault(
    INVENTED,
    "only the first insert of a request has its priority",
    Property.RECENCY,
)
def later_parts_without_priority(cache: RadixCache) -> None:
    _with_priority(cache, lambda offer: 0 if offer.inserted else offer.priority)


def _with_priority(cache: RadixCache, priority: Callable[[Offer], int]) -> None:
    """Let inserts have another priority than that of their requests."""
    inserter, insert = cache.inserter, cache.inserter.insert

    def insert_otherwise(offer: Offer) -> Inserted:
        return insert(replace(offer, priority=priority(offer)))

    inserter.insert = insert_otherwise  # type: ignore[method-assign]
