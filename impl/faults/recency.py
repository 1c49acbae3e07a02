"""Bugs in recency: which uses count, and for which nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from radixproof.impl.faults.matching import as_it_should, match_by
from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Inserted, Offer
    from radixproof.impl.radix.locks import Receipt
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node

SWA = Component.SWA


def _renew_by(cache: RadixCache, renew: Callable[[Match], None]) -> None:
    """Let a match renew SWA in another way."""
    match_by(cache, as_it_should, lambda config: None)
    find = cache.match

    def match(tokens: Sequence[int], namespace: str = "") -> Match:
        found = find(tokens, namespace)
        renew(found)
        return found

    cache.match = match  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 12111 and issue 12007: what a use renews",
    "a match renews what it finds on the device, not what it finds on the host below that",
    Property.RECENCY,
)
def match_renews_the_device_answer(cache: RadixCache) -> None:
    tree, find, touch = cache.tree, cache.match, cache.tree.touch

    def match(tokens: Sequence[int], namespace: str = "") -> Match:
        used: list[Node] = []
        tree.touch = used.append  # type: ignore[assignment, method-assign]
        found = find(tokens, namespace)
        tree.touch = touch  # type: ignore[method-assign]
        for node in used:
            if node.end <= found.device_node.end:
                touch(node)
        return found

    cache.match = match  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 12111 and issue 12007: parents and children",
    "the windows that a match uses are renewed from its end upward, so that the last one is the "
    "oldest of them",
    Property.RECENCY,
)
def windows_renewed_upward(cache: RadixCache) -> None:
    tree, config = cache.tree, cache.config

    def renew(found: Match) -> None:
        node, order = found.best_node, tree.device_order[SWA]
        reach = node.end - (config.window or 0) - config.page_size
        while node.parent is not None and node.end > reach:
            if node.swa.device is not None:
                order.renew(node)
            node = node.parent

    _renew_by(cache, renew)


@fault(
    "family of taco-project/FlexKV pull request 195: windows that are not renewed",
    "a match renews the window of what it finds on the device, not that of the best answer",
    Property.RECENCY,
)
def window_renewed_of_the_device_answer(cache: RadixCache) -> None:
    from radixproof.impl.radix.window import renew

    tree, window = cache.tree, cache.config.window
    _renew_by(cache, lambda found: renew(tree, found.device_node, window))


@fault(
    "family of taco-project/FlexKV pull request 195: windows that are not renewed",
    "an insert does not renew the windows that its path has already",
    Property.RECENCY,
)
def insert_does_not_renew_windows(cache: RadixCache) -> None:
    inserter, insert, take_state = (
        cache.inserter,
        cache.inserter.insert,
        cache.inserter._take_state,
    )
    window = inserter._window

    def take_and_forget(node: Node, offer: Offer) -> bool:
        taken = take_state(node, offer)
        inserter._window = None  # from here on only the renewal asks for it
        return taken

    def insert_quietly(offer: Offer) -> Inserted:
        done = insert(offer)
        inserter._window = window
        return done

    inserter._take_state = take_and_forget  # type: ignore[method-assign]
    inserter.insert = insert_quietly  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 12111 and issue 12007: what counts as a use",
    "a request that gives its lock back makes what it had locked the most recently used",
    Property.RECENCY,
)
def unlock_counts_as_use(cache: RadixCache) -> None:
    unlock = cache.unlock

    def unlock_and_touch(receipt: Receipt) -> None:
        unlock(receipt)
        node = receipt.anchor
        path: list[Node] = []
        while node.parent is not None:
            path.append(node)
            node = node.parent
        for node in reversed(path):
            cache.tree.touch(node)

    cache.unlock = unlock_and_touch  # type: ignore[method-assign]
