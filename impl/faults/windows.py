"""Bugs in lengths of windows: how long a last piece is, how far a lock reaches, what is renewed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from radixproof.impl.faults.matching import as_it_should, match_by
from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Inserted, Offer
    from radixproof.impl.radix.node import Node


@fault(
    "family of B44, SGLang pull request 26919: where a new leaf is cut",
    "the last piece of a new leaf is a window rounded down to whole pages, not up",
    Property.MATCH,
)
def last_piece_rounded_down(cache: RadixCache) -> None:
    inserter, add_leaves = cache.inserter, cache.inserter._add_leaves

    def add_leaves_cut(parent: Node, offer: Offer) -> list[Node]:
        window = inserter._window
        inserter._window = window and cache.config.floor(window)
        leaves = add_leaves(parent, offer)
        inserter._window = window
        return leaves

    inserter._add_leaves = add_leaves_cut  # type: ignore[method-assign]


@fault(
    "family of B49, SGLang pull request 27291: a window one off",
    "a lock keeps a window that is one token short",
    Property.LOCK,
)
def lock_of_a_window_a_token_short(cache: RadixCache) -> None:
    cache.locks._window = max(0, cache.locks._window - 1)


@fault(
    "family of SGLang pull request 12111 and issue 12007: what a use renews",
    "a match renews the SWA of one window, and not that of the page above it",
    Property.RECENCY,
)
def match_renews_a_page_too_little(cache: RadixCache) -> None:
    size = cache.config.page_size
    match_by(cache, as_it_should, lambda c: None if c.window is None else c.window - size)


@fault(
    "family of B18, SGLang pull request 29860: where the SWA of a request begins",
    "an insert believes that its SWA begins a page further on than it does",
    Property.MATCH,
)
def insert_begins_swa_a_page_late(cache: RadixCache) -> None:
    inserter, insert, size = cache.inserter, cache.inserter.insert, cache.config.page_size

    def insert_late(offer: Offer) -> Inserted:
        late = min(len(offer.units), offer.evicted + size)
        return insert(replace(offer, evicted=late if offer.evicted else 0))

    inserter.insert = insert_late  # type: ignore[method-assign]
