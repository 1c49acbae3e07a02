"""Contracts of the pure rules that the model and our own implementation both have: worked out in
two ways that share nothing, they come to the same.

What a contract is, and what it means if CrossHair confirms one, is said in `contracts`.
"""

from __future__ import annotations

from collections.abc import Sequence

from radixproof.impl.radix.config import CacheConfig, Sizes
from radixproof.impl.radix.eviction_order import EvictionOrder
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.window import Gate, tail, window_of
from radixproof.model.config import Config, EvictionPolicy, Pool
from radixproof.model.specification.inserting import window_cut
from radixproof.model.specification.matching import ON_DEVICE, match_end
from radixproof.model.specification.nodes import nodes_of, window_nodes
from radixproof.model.specification.ordering import in_order
from radixproof.model.specification.trie import Page, Trie
from radixproof.properties.symbolic.small_trees import (
    PAGES,
    Row,
    are_cuts,
    are_rows,
    path_of_rows,
    path_with,
    small_config,
)


def _chain(pages: Sequence[Page]) -> list[Node]:
    """The nodes of our own that are a path of the model's, from the top."""
    nodes = [Node(0, None, "", (), 0, 0)]
    for node in nodes_of(pages):
        start, end = nodes[-1].end, node[-1].end
        nodes.append(Node(len(nodes), nodes[-1], "", tuple(range(start, end)), end, 0))
    return nodes


def both_round_down_to_the_same_page(tokens: int, page_size: int) -> None:
    """Semantics 2.3."""
    assert tokens >= 0
    assert 1 <= page_size <= 8
    ours = CacheConfig(page_size, Sizes(1))
    assert ours.floor(tokens) == Config(page_size=page_size).floor(tokens)


def _whole(rows: Sequence[Row]) -> list[Row]:
    """A node has its window whole, or not at all: as its last page has."""
    whole: list[Row] = []
    for cut, here, _ in reversed(rows):
        whole.append((cut, here if cut else whole[-1][1], False))
    return whole[::-1]


def both_end_a_match_at_the_same_node(rows: list[Row], window: int) -> None:
    """What a window admits (semantics 3.2)."""
    assert are_rows(rows)
    assert window >= 1
    trie = Trie(small_config(window=window))
    path = path_of_rows(trie, _whole(rows), PAGES)
    gate, last = Gate(window), 0
    for node, pages in zip(_chain(path)[1:], nodes_of(path), strict=True):
        if gate.admits(node, pages[-1].has(Pool.SWA)):
            last = node.end
    assert match_end(path, trie.root(""), trie.config, ON_DEVICE).end == last


def both_cover_a_window_by_the_same_nodes(cuts: list[bool], window: int) -> None:
    """Semantics 6.1."""
    assert are_cuts(cuts)
    assert window >= 1
    path = path_with(Trie(small_config()), cuts)
    ours = [node.end for node in window_of(_chain(path)[-1], window)]
    assert ours[::-1] == [node[-1].end for node in nodes_of(window_nodes(path, window))]


def both_cut_a_new_leaf_at_the_same_place(
    start: int, pages: int, window: int, page_size: int
) -> None:
    """Semantics 4.3."""
    assert start >= 0
    assert 1 <= pages <= PAGES
    assert window >= 1
    assert 1 <= page_size <= 3
    end = start + pages * page_size
    assert end - tail(end - start, window, page_size) == window_cut(start, end, window, page_size)


def both_choose_the_same_of_two_leaves(
    policy: int, old: tuple[int, int, int], new: tuple[int, int, int]
) -> None:
    """Semantics 7.2. For each leaf: its hits, the insert that made it, its priority; ``old`` was
    used before ``new``.
    """
    assert 0 <= policy < len(EvictionPolicy)
    chosen = list(EvictionPolicy)[policy]
    pages = [
        Page((), None, 0, hits=hits, created=made, priority=high) for hits, made, high in (old, new)
    ]
    (first, *_) = in_order(pages, chosen)
    nodes = [
        Node(at, None, "", (), 0, made, accessed=at, hits=hits, priority=high)
        for at, (hits, made, high) in enumerate((old, new))
    ]
    assert min(nodes, key=EvictionOrder(chosen.value).turn).id == pages.index(first)
