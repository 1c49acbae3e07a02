"""What a box says of a node, and what is marked."""

from __future__ import annotations

from radixproof.impl.observation import NodeView
from radixproof.impl.operations import (
    Evict,
    History,
    Insert,
    Lock,
    Match,
    Operation,
    Unlock,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.reporting.narrate import Tree, narrate
from radixproof.properties.reporting.page.boxes import (
    LONGEST,
    Box,
    box,
    changes,
    differences,
    draw,
)

SWA = Config(window=1, swa_pages=8, swa_host_pages=16)
TWO = Config(window=2, swa_pages=8, swa_host_pages=16)


def key(*tokens: int) -> Key:
    return Key(tokens)


def trees(config: Config, *operations: Operation) -> tuple[Tree, ...]:
    return narrate(find("radix"), History(config, operations), None).trees


def said(of: Box) -> list[str]:
    return [" ".join((row.name, *(chip.text for chip in row.chips))).strip() for row in of.rows]


def boxes(config: Config, tree: Tree) -> dict[str, list[str]]:
    return {one.whole: said(one) for one, _ in draw(config, tree, {}, {}).boxes}


def test_a_box_says_what_is_where_and_what_is_locked_or_in_flight() -> None:
    *_, backing, done, locked, unlocked, evicted = trees(
        SWA,
        Insert(key(1, 2), evicted=1),
        WritingCheck(blocking=True),
        Lock("r", key(1, 2)),
        Unlock("r"),
        Evict(1),
    )
    assert boxes(SWA, backing)["2"] == [
        "FULL device, locked x1 host",
        "SWA device, locked x1 host",
        "backup in flight",
    ]
    assert boxes(SWA, done)["1"] == ["FULL device host", "SWA tombstone"]
    assert boxes(SWA, evicted)["2"] == ["FULL host", "SWA tombstone host"]
    assert boxes(SWA, locked)["2"] == ["FULL device, locked x1 host", "SWA device, locked x1 host"]
    assert boxes(SWA, unlocked) == boxes(SWA, done)


def test_locks_are_named_by_their_holders_where_these_are_known() -> None:
    view = NodeView.full(1, 0, [1], [1], locks=1)
    names = {Pool.FULL: ["r", "backup 1"]}
    assert said(box(Config(), view, "", set(), {Pool.FULL: ["r"]})) == ["FULL device, locked by r"]
    (row,) = said(box(Config(), view, "", set(), names))
    assert row == "FULL device, locked x1, should be by r, backup 1"


def test_pages_are_told_apart_and_long_prefixes_are_cut() -> None:
    config = Config(page_size=2)
    view = NodeView.full(1, 0, range(40), range(40))
    short = box(config, view._replace(segment=(1, 2, 3, 4), namespace="a"), "", set())
    assert short.label == short.whole == "a: 1 2 | 3 4"
    long = box(config, view, "", set())
    assert len(long.label) == LONGEST
    assert long.label == "0 1 | 2 3 | 4 5… 36 37 | 38 39"
    spaced = box(config, view._replace(segment=(1, 2), namespace="a namespace"), "", set())
    assert (spaced.label, spaced.whole) == ("a na…ace: 1 2", "a namespace: 1 2")
    assert long.whole.endswith("| 38 39")


def test_what_is_new_and_what_has_changed() -> None:
    _, first, second, third = trees(
        SWA, Insert(key(1, 2)), Insert(key(1, 2, 3)), WritingCheck(blocking=True)
    )
    marks = {end.tokens: mark for end, mark in changes(SWA, first, second).items()}
    assert marks[1, 2, 3] == "new"
    assert set(changes(SWA, second, third).values()) == {"changed"}
    assert set(changes(SWA, third, third).values()) == {""}


def test_differences_are_those_of_residency_locks_and_node_ends() -> None:
    _, _, one, locked = trees(
        TWO, Insert(key(1, 2)), WritingCheck(blocking=True), Lock("r", key(1, 2))
    )
    _, _, _, evicted, split = trees(
        TWO, Insert(key(1, 2)), WritingCheck(blocking=True), Evict(2), Match(key(1))
    )
    assert differences(TWO, one, one) == {}
    gone = differences(TWO, evicted, one)[key(1, 2)]
    assert gone == {"FULL device", "SWA device"}
    assert differences(TWO, locked, one)[key(1, 2)] == {"FULL device", "SWA device"}
    assert differences(TWO, split, evicted) == {key(1): {"node"}, key(1, 2): {"node"}}
    marked = draw(TWO, evicted, {}, {key(1, 2): gone}).boxes[0][0]
    assert marked.mark == "wrong"
    wrong = {chip.text for row in marked.rows for chip in row.chips if chip.wrong}
    assert wrong == {"not on device", "tombstone"}


def test_equal_nodes_have_equal_boxes_and_siblings_are_in_the_order_of_their_keys() -> None:
    tree = trees(SWA, Insert(key(2)), Insert(key(1)), Insert(key(3)))[-1]
    drawn = draw(SWA, tree, {}, {})
    assert [one.whole for one, _ in drawn.boxes] == ["1", "2", "3"]
    assert len({one._replace(label="", whole="") for one, _ in drawn.boxes}) == 1
    assert drawn.edges == ""
    assert (drawn.width, drawn.height) > (0, 0)
