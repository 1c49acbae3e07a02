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


@fault(
    "family of B64, SGLang pull request 37058: a name that leaves something out",
    "children are found by the tokens of their first page run together as text, in which 1 and 11 "
    "are 11 and 1",
    Property.NOCRASH,
)
def tokens_run_together(cache: RadixCache) -> None:
    tree = cache.tree

    def edge(parent: Node, namespace: str, segment: Units) -> Hashable:
        page = "".join(map(str, segment[: tree.page_size]))
        return (namespace, page) if parent.is_root else page

    tree.edge = edge  # type: ignore[method-assign]


@fault(
    "family of B66, SGLang pull requests 25214, 25351: how a namespace is part of a key",
    "a namespace is written in front of the first page, and tokens that follow may read like it",
    Property.MATCH,
)
def namespace_run_together_with_tokens(cache: RadixCache) -> None:
    tree = cache.tree

    def edge(parent: Node, namespace: str, segment: Units) -> Hashable:
        page = segment[: tree.page_size]
        return namespace + ",".join(map(str, page)) if parent.is_root else page

    tree.edge = edge  # type: ignore[method-assign]


@fault(
    "family of B72, SGLang pull request 36770: a value that counts as false",
    "a key ends at its first token 0, which is taken for padding",
    Property.MATCH,
)
def token_zero_taken_for_padding(cache: RadixCache) -> None:
    whole_pages = cache._whole_pages

    def up_to_padding(tokens: Sequence[int]) -> Units:
        end = tuple(tokens).index(0) if 0 in tokens else len(tokens)
        return whole_pages(tokens[:end])

    cache._whole_pages = up_to_padding  # type: ignore[method-assign]


@fault(
    "family of B36, SGLang pull request 24943: where a node is cut",
    "a node that goes on differently is compared for its first eight pages only, and cut there",
    Property.MATCH,
)
def eight_pages_compared(cache: RadixCache) -> None:
    tree, shared = cache.tree, cache.tree._shared

    def shared_of_eight(segment: Units, units: Units, offset: int) -> int:
        return min(8 * tree.page_size, shared(segment, units, offset))

    tree._shared = shared_of_eight  # type: ignore[method-assign]
