"""Bugs in taking over what was fetched to the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from collections.abc import Callable

    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Inserted, Offer
    from radixproof.impl.radix.node import Node, Units
    from radixproof.impl.radix.pools import Slots


@fault(
    "B21, SGLang pull request 31902",
    "what was fetched is hung below a node that has no copy on the host",
    Property.PROGRESS,
)
def host_insert_under_unbacked_parent(cache: RadixCache) -> None:
    inserter = cache.host_inserter
    add_leaf, write_back = inserter._add_leaf, inserter._write_back

    def anywhere(parent: Node, namespace: str, segment: Units, slots: Slots) -> Node | None:
        inserter._write_back = True
        leaf = add_leaf(parent, namespace, segment, slots)
        inserter._write_back = write_back
        return leaf

    inserter._add_leaf = anywhere  # type: ignore[method-assign]


@fault(
    "B76, SGLang issue 38452",
    "nodes on the path that have no copy on the host take none from what was fetched",
    Property.PROGRESS,
)
def host_insert_refills_nothing(cache: RadixCache) -> None:
    inserter = cache.host_inserter

    def refill(node: Node, slots: Slots) -> int:
        return inserter._free(slots)

    inserter._refill = refill  # type: ignore[method-assign]


@fault(
    "B48, SGLang pull request 25991",
    "the new part of the key gets the first of the fetched slots, "
    "which hold what is in the tree already",
    Property.CONTENT,
)
def fetched_slots_shifted(cache: RadixCache) -> None:
    inserter = cache.host_inserter
    insert = inserter.insert

    def shifted(
        namespace: str, units: Units, slots: Slots, start: int, window: Slots, state: Slots
    ) -> int:
        page = cache.config.page_size
        return insert(namespace, units, np.roll(slots, page), start, window, state)

    inserter.insert = shifted  # type: ignore[method-assign]


@fault(
    "B68, SGLang pull request 27010",
    "the part of what was fetched that is in the tree already is freed twice",
    Property.NOCRASH,
)
def present_part_freed_twice(cache: RadixCache) -> None:
    inserter = cache.host_inserter
    free = inserter._free

    def twice(slots: Slots, component: Component = Component.FULL) -> int:
        free(slots, component)
        return free(slots, component)

    inserter._free = twice  # type: ignore[method-assign]


@fault(
    "B67, SGLang pull requests 9927 and 15439",
    "the part of what was fetched that is in the tree already is not freed",
    Property.OWN_H,
)
def present_part_not_freed(cache: RadixCache) -> None:
    def keep(slots: Slots, component: Component = Component.FULL) -> int:
        return 0

    cache.host_inserter._free = keep  # type: ignore[method-assign]


@fault(
    "B51, SGLang pull request 28692",
    "a key that is in the tree already gets a node without a page",
    Property.DEVPATH,
)
def node_without_a_page(cache: RadixCache) -> None:
    inserter, tree = cache.host_inserter, cache.tree
    add_leaf = inserter._add_leaf

    def whatever_is_left(parent: Node, namespace: str, segment: Units, slots: Slots) -> Node | None:
        if segment or parent.is_root:
            return add_leaf(parent, namespace, segment, slots)
        tree.add_host_leaf(parent, namespace, segment, slots)
        return None

    inserter._add_leaf = whatever_is_left  # type: ignore[method-assign]


@fault(
    "family of taco-project/FlexKV pull request 195: a use that is not counted",
    "a path that a fetch leads through does not become more recent",
    Property.RECENCY,
)
def host_insert_is_no_use(cache: RadixCache) -> None:
    inserter, tree = cache.host_inserter, cache.tree
    insert, touch = inserter.insert, tree.touch

    def nothing(node: Node) -> None:
        pass

    def untouched(*offered: Any) -> int:
        tree.touch = nothing  # type: ignore[method-assign]
        kept = insert(*offered)
        tree.touch = touch  # type: ignore[method-assign]
        return kept

    inserter.insert = untouched  # type: ignore[assignment, method-assign]


@fault(
    "family of vllm-project/vllm pull request 42289: time between deciding and doing",
    "what was fetched is hung below its prefix as it was when the prefetch began",
    Property.PROGRESS,
)
def handed_over_as_if_no_time_had_passed(cache: RadixCache) -> None:
    inserter, tree = cache.host_inserter, cache.tree

    def insert(
        namespace: str, units: Units, slots: Slots, start: int, window: Slots, state: Slots
    ) -> int:
        node = tree.root
        while node.end < start:
            child = tree.step(node, namespace, units, node.end)
            if child is None:
                break
            tree.touch(child)
            node = child
        leaf = inserter._add_leaf(node, namespace, units[node.end :], slots)
        inserter._free(window, Component.SWA)
        inserter._free(state, Component.MAMBA)
        return 0 if leaf is None else len(leaf.segment)

    inserter.insert = insert  # type: ignore[method-assign]


@fault(
    "B49, SGLang pull request 27291",
    "of the window that was fetched the page before the last nodes is put nowhere, "
    "so that no prompt ending there has a whole window",
    Property.MATCH,
)
def fetched_window_a_page_short(cache: RadixCache) -> None:
    page = cache.config.page_size
    _lose_first(cache, lambda end, window: page)


@fault(
    "B78, SGLang pull request 38348",
    "a window that was fetched is given up if any node of it has its part already",
    Property.PROGRESS,
)
def fetched_window_all_or_nothing(cache: RadixCache) -> None:
    inserter = cache.host_inserter
    attach = inserter._attach_window

    def all_of_it(end: Node, window: Slots) -> None:
        node: Node | None = end
        there = False
        while node is not None and node.end > end.end - len(window):
            there = there or node.swa.host is not None
            node = node.parent
        if there:
            inserter._free(window, Component.SWA)
        else:
            attach(end, window)

    inserter._attach_window = all_of_it  # type: ignore[method-assign]


@fault(
    "family of B48, SGLang pull request 25991: slots and keys that do not belong together",
    "the nodes of a window get its slots from the end, in the wrong order",
    Property.CONTENT,
)
def fetched_window_upside_down(cache: RadixCache) -> None:
    inserter = cache.host_inserter
    attach = inserter._attach_window

    def upside_down(end: Node, window: Slots) -> None:
        page = cache.config.page_size
        attach(end, window.reshape(-1, page)[::-1].ravel())

    inserter._attach_window = upside_down  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 34823: a window that is freed to a node's end, not to its own",
    "of a window that was fetched the node within which it begins gets nothing",
    Property.MATCH,
)
def fetched_window_of_whole_nodes(cache: RadixCache) -> None:
    def in_the_first_node(end: Node, window: Slots) -> int:
        first = end.end - len(window)
        node = _around(end, first)
        return 0 if node is None else node.end - first

    _lose_first(cache, in_the_first_node)


@fault(
    "family of SGLang pull request 26919: nodes that are cut where a window begins",
    "a node on the device within which a fetched window begins is cut a page further down",
    Property.PROGRESS,
)
def fetched_window_cut_a_page_late(cache: RadixCache) -> None:
    page = cache.config.page_size

    def a_page(end: Node, window: Slots) -> int:
        node = _around(end, end.end - len(window))
        there = node is not None and node.full.device is not None
        return page if there and len(window) > page else 0

    _lose_first(cache, a_page)


@fault(
    "family of B67, SGLang pull request 30053: what a prefetch gives up is not freed",
    "a state that was fetched is not freed where the node has one already",
    Property.OWN_H,
)
def fetched_state_not_freed(cache: RadixCache) -> None:
    inserter = cache.host_inserter
    free = inserter._free

    def keep(slots: Slots, component: Component = Component.FULL) -> int:
        return 0 if component is Component.MAMBA else free(slots, component)

    inserter._free = keep  # type: ignore[method-assign]


@fault(
    "SGLang 0.5.13 to 0.5.23: a prefetched node takes the priority of the root",
    "what is fetched below the root is as urgent as the most urgent insert ever made",
    Property.RECENCY,
)
def fetched_with_the_priority_of_the_root(cache: RadixCache) -> None:
    inserter, insert = cache.inserter, cache.inserter.insert

    def insert_raising_the_root(offer: Offer) -> Inserted:
        cache.tree.root.priority = max(cache.tree.root.priority, offer.priority)
        return insert(offer)

    inserter.insert = insert_raising_the_root  # type: ignore[method-assign]


def _lose_first(cache: RadixCache, lost: Callable[[Node, Slots], int]) -> None:
    """So much of a window that was fetched, for the nodes down to one, is put nowhere."""
    inserter = cache.host_inserter
    attach = inserter._attach_window

    def the_rest(end: Node, window: Slots) -> None:
        cut = lost(end, window)
        inserter._free(window[:cut], Component.SWA)
        attach(end, window[cut:])

    inserter._attach_window = the_rest  # type: ignore[method-assign]


def _around(end: Node, position: int) -> Node | None:
    """The node on the way down to ``end`` that begins before a position and ends behind it."""
    node: Node | None = end
    while node is not None and node.start >= position:
        node = node.parent
    return node if node is not None and node.end > position else None


@fault(
    "family of SGLang pull request 31902: the order of what is fetched",
    "of a window that was fetched the nodes further down count as older",
    Property.RECENCY,
)
def fetched_window_from_below(cache: RadixCache) -> None:
    inserter, attach = cache.host_inserter, cache.host_inserter._attach_window
    put = inserter._attach

    def from_below(end: Node, window: Slots) -> None:
        late: list[tuple[Node, Component, Slots]] = []
        inserter._attach = lambda *given: late.append(given)  # type: ignore[method-assign]
        attach(end, window)
        inserter._attach = put  # type: ignore[method-assign]
        for given in reversed(late):
            put(*given)

    inserter._attach_window = from_below  # type: ignore[method-assign]
