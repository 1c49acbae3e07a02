"""Nodes in messages: as the picture shows them, and never by the numbers of a system."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from radixproof.impl.observation import ROOT, NodeView, Observation
from radixproof.impl.operations import Insert, Operation
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach
from radixproof.properties.judging.spelling import spell_difference, spell_node, spell_nodes

from ..deeds import SETTLE, WHOLE, WINDOWED, Deed

NONE = (None,) * 6


def view(number: int, parent: int, *segment: int, namespace: str = "") -> NodeView:
    return NodeView(number, parent, namespace, segment, NONE)


VIEWS = {
    7: view(7, ROOT, 1, 2),
    8: view(8, 7, 3),
    9: view(9, ROOT, 1, namespace="a"),
    10: NodeView(10, ROOT, "", ((1, 2), (2, 3)), NONE),
}


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (7, "[1 2]"),
        (8, "[1 2 | 3]"),
        (9, "a:[1]"),
        (10, "[1 2 3]"),
        (11, "a node that is not in the tree"),
    ],
)
def test_a_node_is_spelled_by_its_prefix(node: int, text: str) -> None:
    assert spell_node(VIEWS, node) == text


def test_nodes_that_hang_in_a_circle_are_spelled_all_the_same() -> None:
    circle = {1: view(1, 2, 1), 2: view(2, 1, 2)}
    assert spell_node(circle, 1) == "[2 | 1]"


def test_several_are_spelled_in_order() -> None:
    assert spell_nodes(VIEWS, (8, 7)) == "[1 2 | 3], [1 2]"
    assert spell_nodes(VIEWS, ()) == "nothing"


def test_a_difference_names_what_is_missing_what_is_strange_and_what_is_there_twice() -> None:
    assert spell_difference(VIEWS, {7}, {7, 8}) == "lacks [1 2 | 3]"
    assert spell_difference(VIEWS, (8, 8, 9), {7, 8}) == (
        "lacks [1 2] and should not hold a:[1] and holds more than once [1 2 | 3]"
    )


# -- messages about lists ----------------------------------------------------------------------


def lie_about_lists(change: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Deed:
    """The LRU list of SWA on the device is told otherwise from now on."""

    def told(seen: Observation) -> Observation:
        if seen.whole is None or seen.whole.lru_lists is None:
            return seen
        first, *rest = seen.whole.lru_lists
        lists = (change(first), *rest)
        return replace(seen, whole=replace(seen.whole, lru_lists=lists))  # type: ignore[arg-type]

    return lambda _: told


def lie_about_leaves(seen: Observation) -> Observation:
    if seen.whole is None:
        return seen
    return replace(seen, whole=replace(seen.whole, device_leaves=frozenset()))


@pytest.mark.parametrize(
    ("deed", "text"),
    [
        (lambda _: lie_about_leaves, "the set of evictable device leaves lacks [1 | 2], [1 | 3]"),
        (
            lie_about_lists(lambda nodes: nodes[:-1]),
            "the SWA device LRU list lacks [1 | 3]",
        ),
        (
            lie_about_lists(lambda nodes: (*nodes, nodes[0])),
            "the SWA device LRU list holds more than once [1 | 2]",
        ),
        (
            lie_about_lists(lambda nodes: nodes[::-1]),
            "the SWA LRU list is [1 | 3], [1], [1 | 2], oldest first; by use it is [1 | 2], [1], "
            "[1 | 3]",
        ),
    ],
)
def test_lists_are_told_by_prefixes(
    tampered: Callable[[Deed, int], Target],
    breaches_of: Callable[[Target, Config, Sequence[Operation], int], list[Breach]],
    deed: Deed,
    text: str,
) -> None:
    operations: list[Operation] = [Insert(Key((1, 2))), SETTLE, Insert(Key((1, 3))), SETTLE]
    breach, *_ = breaches_of(tampered(deed, 4), WINDOWED, operations, WHOLE)
    assert breach.text == text
    assert re.findall(r"\d+", re.sub(r"\[[^]]*\]", "", breach.text)) == []
