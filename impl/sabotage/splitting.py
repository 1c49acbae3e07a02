"""Sabotage of splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.sabotage.backing_up import hits_matter
from radixproof.impl.sabotage.planting import ALL, FULL, HOSTED, Strikes, kind
from radixproof.impl.sabotage.seams import around
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

TWO = ALL[:2]
INHERITED = (
    "The upper half has the hits, the priority and the number of the insert of the whole, and a"
    " copy in flight covers both halves, with its mark, until its ack."
)
LOCKS = (
    "Both halves carry all locks of FULL and SWA of the whole, on either tier, and a receipt covers"
    " afterwards the pages that it covered before."
)
SLOTS = "Slots are cut where the node is cut, in every pool."
AGE = (
    "A split does not count as a use: what the key does not reach keeps its age, in all recencies,"
    " and the upper half is as old as the whole until a match or insert renews it by 3.5."
)
BELOW = (
    "A state is about the end of the node: on both tiers, and with its locks, it stays with the"
    " lower half, and the upper half has none."
)


def _split(cache: RadixCache, then: Callable[[Node, Node], None]) -> None:
    """Let ``then`` see both halves of every split, the upper one first."""

    @around(cache.tree, "split")
    def and_then(split: Callable[..., Node], node: Node, length: int) -> Node:
        upper = split(node, length)
        then(upper, node)
        return upper


@kind("the upper half of a split has no hits", "5.4", INHERITED)
def split_loses_hits(cache: RadixCache, strikes: Strikes) -> None:
    def lose(upper: Node, lower: Node) -> None:
        if upper.hits and hits_matter(cache) and strikes(FULL):
            upper.hits = 0

    _split(cache, lose)


@kind("the upper half of a split has no priority", "5.4", INHERITED)
def split_loses_priority(cache: RadixCache, strikes: Strikes) -> None:
    def lose(upper: Node, lower: Node) -> None:
        if upper.priority and strikes(FULL):
            upper.priority = 0

    _split(cache, lose)


@kind("the upper half of a split counts as made by the insert that splits", "5.4", INHERITED)
def split_loses_number(cache: RadixCache, strikes: Strikes) -> None:
    def lose(upper: Node, lower: Node) -> None:
        later = upper.created < cache.tree._inserts
        if later and cache.config.eviction_policy in ("fifo", "filo") and strikes(FULL):
            upper.created = cache.tree._inserts

    _split(cache, lose)


@kind("the upper half of a split is not marked as in flight", "5.4", INHERITED, policies=HOSTED)
def split_loses_mark(cache: RadixCache, strikes: Strikes) -> None:
    def lose(upper: Node, lower: Node) -> None:
        copies = [*upper.backups, *upper.loads]
        if copies and strikes(FULL):
            for copy in copies:
                copy.fragments.remove(upper)
            upper.backups, upper.loads = [], []
            cache.tree.changed(upper)

    _split(cache, lose)


@kind("a half of a split loses a lock", "5.2", LOCKS, TWO)
def split_loses_lock(cache: RadixCache, strikes: Strikes) -> None:
    def lose(upper: Node, lower: Node) -> None:
        for component in COMPONENTS[:2]:
            if upper.states[component].locks and strikes(Component(component)):
                cache.tree.release(upper, component)

    _split(cache, lose)


@kind("a half of a split loses a lock on the host", "5.2", LOCKS, TWO, HOSTED)
def split_loses_host_lock(cache: RadixCache, strikes: Strikes) -> None:
    def lose(upper: Node, lower: Node) -> None:
        for component in COMPONENTS[:2]:
            if upper.states[component].host_locks and strikes(Component(component)):
                cache.tree.release_host(upper, component)

    _split(cache, lose)


@kind("the upper half of a split gets the lock of the state", "5.3", BELOW, (ALL[2],))
def split_locks_no_state(cache: RadixCache, strikes: Strikes) -> None:
    mamba = COMPONENTS[2]

    def lose(upper: Node, lower: Node) -> None:
        if lower.mamba.locks and strikes(ALL[2]):
            cache.tree.release(lower, mamba)
            cache.tree.hold(upper, mamba)

    _split(cache, lose)


@kind("a split exchanges slots of its halves", "5.2", SLOTS, TWO)
def split_swaps_slots(cache: RadixCache, strikes: Strikes) -> None:
    def swap(upper: Node, lower: Node) -> None:
        for component in COMPONENTS[:2]:
            top, low = upper.states[component].device, lower.states[component].device
            if top is not None and low is not None and strikes(Component(component)):
                top[-1], low[0] = int(low[0]), int(top[-1])

    _split(cache, swap)


@kind("a split exchanges host slots of its halves", "5.2", SLOTS, TWO, HOSTED)
def split_swaps_host_slots(cache: RadixCache, strikes: Strikes) -> None:
    def swap(upper: Node, lower: Node) -> None:
        for component in COMPONENTS[:2]:
            top, low = upper.states[component].host, lower.states[component].host
            if top is not None and low is not None and strikes(Component(component)):
                top[-1], low[0] = int(low[0]), int(top[-1])

    _split(cache, swap)


@kind("a split renews the age of what nobody asked for", "5.5", AGE)
def split_renews_age(cache: RadixCache, strikes: Strikes) -> None:
    def renew(upper: Node, lower: Node) -> None:
        if strikes(FULL):
            cache.tree.touch(lower)

    _split(cache, renew)


@kind(
    "a split renews the recency of a window, or a state, that nobody asked for", "5.5", AGE, ALL[1:]
)
def split_renews_value(cache: RadixCache, strikes: Strikes) -> None:
    def renew(upper: Node, lower: Node) -> None:
        for component in COMPONENTS[1:]:
            order = cache.tree.device_order[component]
            if lower in order and len(order) > 2 and strikes(Component(component)):
                order.renew(lower)

    _split(cache, renew)
