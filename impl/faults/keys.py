"""Bugs in keys: their pages, their namespaces, and how they are compared with what is there."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node, Units


@fault(
    "family of B66, SGLang pull requests 25214, 25351 and issue 24638",
    "a key is asked whether it has a namespace, not which one",
    Property.MATCH,
)
def named_namespaces_share_a_tree(cache: RadixCache) -> None:
    edge, named = cache.tree.edge, "named"

    def edge_by_kind(parent: Node, namespace: str, segment: Units) -> Hashable:
        return edge(parent, namespace and named, segment)

    cache.tree.edge = edge_by_kind  # type: ignore[method-assign]


@fault(
    "family of B36, SGLang pull request 24943: where a node is cut",
    "a node that goes on differently is cut a page above the place where it does",
    Property.MATCH,
)
def node_cut_a_page_early(cache: RadixCache) -> None:
    tree, shared = cache.tree, cache.tree._shared

    def shared_but_one(segment: Units, units: Units, offset: int) -> int:
        return max(tree.page_size, shared(segment, units, offset) - tree.page_size)

    tree._shared = shared_but_one  # type: ignore[method-assign]


@fault(
    "family of B19, SGLang pull requests 34823, 34870: lengths in tokens and in pairs",
    "a key is cut to whole pages of tokens before it is seen as pairs",
    Property.MATCH,
)
def pairs_made_of_whole_pages(cache: RadixCache) -> None:
    whole_pages, config = cache._whole_pages, cache.config

    def pages(tokens: Sequence[int]) -> Units:
        return whole_pages(tokens[: config.floor(len(tokens))])

    if config.bigram:
        cache._whole_pages = pages  # type: ignore[method-assign]
