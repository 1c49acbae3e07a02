"""Trees drawn as text: a node a line, what changed marked, and who holds the locks."""

from __future__ import annotations

import pytest

from radixproof.impl.observation import NodeView
from radixproof.model.config import Component, Config, Pool
from radixproof.properties.reporting.tree_text import draw, shortened

WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)


def view(
    number: int,
    segment: tuple[int, ...],
    parent: int = 0,
    locks: tuple[int, int, int] = (0, 0, 0),
    **pools: int,
) -> NodeView:
    """A node whose slots in each pool named start where it says."""

    def slots(pool: Pool) -> tuple[int, ...] | None:
        length = 1 if pool.component is Component.MAMBA else len(segment)
        return (
            tuple(range(pools[pool.name], pools[pool.name] + length))
            if pool.name in pools
            else None
        )

    full, swa, mamba, host, swa_host, mamba_host = map(slots, Pool)
    return NodeView(
        number, parent, "", segment, (full, swa, mamba, host, swa_host, mamba_host), locks, False
    )


def test_a_tree_is_drawn_a_node_a_line_with_what_changed_marked() -> None:
    before = [
        view(3, (9,), FULL=4),
        view(1, (1, 2), FULL=1),
        view(2, (3,), parent=1, FULL=3, FULL_HOST=1),
    ]
    after = [
        view(1, (1, 2), FULL=5),
        view(4, (8,), parent=1, FULL=4),
        view(2, (3,), parent=1, FULL_HOST=1, locks=(2, 0, 0)),
    ]
    config = Config()
    assert draw(config, before, after, "-") == [
        "  [1 2]  FULL device",
        "~    [3]  FULL device+host",
        "- [9]  FULL device",
    ]
    assert draw(config, after, before, "+") == [
        "  [1 2]  FULL device",
        "~    [3]  FULL host (locked x2)",
        "+    [8]  FULL device",
    ]
    assert draw(config, [], before, "+") == ["  (empty)"]


@pytest.mark.parametrize(
    ("locks", "names", "text"),
    [
        ((2, 0, 0), ["r1", "q2's lock"], "FULL device (locked by r1, q2's lock)"),
        ((1, 0, 0), ["r1", "q2's lock"], "FULL device (locked x1, should be by r1, q2's lock)"),
        ((0, 0, 0), ["r1"], "FULL device (locked x0, should be by r1)"),
        (None, ["r1"], "FULL device (locked by r1)"),
        ((5, 0, 0), [*"abcde"], "FULL device (locked by a, b, c and 2 more)"),
        ((1, 0, 0), [], "FULL device (locked x1, should be by nobody)"),
        (None, [], "FULL device"),
    ],
)
def test_locks_have_the_names_of_their_holders(
    locks: tuple[int, int, int] | None, names: list[str], text: str
) -> None:
    one = view(1, (1,), FULL=1)._replace(locks=locks)
    holders = {1: {Pool.FULL: names}}
    assert draw(Config(), [one], [one], "+", holders, holders) == [f"  [1]  {text}"]


def test_without_holders_locks_are_counted() -> None:
    one = view(1, (1,), FULL=1)._replace(locks=(2, 0, 0))
    assert draw(Config(), [one], [one], "+") == ["  [1]  FULL device (locked x2)"]
    held = {1: {Pool.FULL: ["r1", "r2"]}}
    assert draw(Config(), [one], [one], "+", held, {}) == ["~ [1]  FULL device (locked by r1, r2)"]


def test_a_large_tree_is_drawn_once_and_then_what_has_changed_with_what_is_above_it() -> None:
    nodes = [view(number, (number,), FULL=number) for number in range(1, 61)]
    nodes += [view(100, (100,), parent=20, FULL=100), view(101, (101,), parent=100, FULL=101)]
    changed = [one._replace(locks=(1, 0, 0)) if one.id in (1, 101) else one for one in nodes]
    drawn = draw(Config(), changed, nodes, "+")
    assert len(drawn) == len(nodes)
    assert shortened(drawn) == [
        "~ [1]  FULL device (locked x1)",
        "  (18 nodes as before)",
        "  [20]  FULL device",
        "     [100]  FULL device",
        "~       [101]  FULL device (locked x1)",
        "  (40 nodes as before)",
    ]
    assert shortened(draw(Config(), nodes, nodes, "+")) == ["  (62 nodes as before)"]
    assert shortened(drawn[:40]) == drawn[:40]


def test_a_very_deep_tree_is_drawn_with_the_number_of_nodes_above() -> None:
    chain = [view(number, (number,), parent=number - 1, FULL=number) for number in range(1, 3_001)]
    drawn = draw(Config(), chain, [], "+")
    assert drawn[30] == "+ " + "   " * 30 + "[31]  FULL device"
    assert drawn[2_999] == "+ " + "   " * 30 + "(2999 above) [3000]  FULL device"


def test_a_node_is_drawn_with_all_that_it_has() -> None:
    full = view(1, (1, 2), locks=(1, 3, 0), FULL=1, FULL_HOST=1, SWA_HOST=1)._replace(
        namespace="a", pending=True
    )
    assert draw(WINDOWED, [full], [], "+") == [
        "+ a:[1 2]  FULL device+host (locked x1)  SWA host (locked x3)  backup in flight"
    ]
    assert draw(WINDOWED, [view(1, (1,))], [], "+") == ["+ [1]  FULL nowhere  SWA tombstone"]
    stateful = Config(mamba_states=2, mamba_host_states=2)
    with_state = view(1, (1, 2), locks=(1, 0, 1), FULL=1, MAMBA=1, MAMBA_HOST=1)
    assert draw(stateful, [with_state], [], "+") == [
        "+ [1 2]  FULL device (locked x1)  MAMBA device+host (locked x1)"
    ]


def test_nodes_that_do_not_hang_from_the_root_are_drawn_as_what_they_are() -> None:
    child = view(2, (3,), parent=1, FULL=3)
    before = [view(1, (1, 2), FULL=1), child, view(3, (4,), parent=2, FULL=4)]
    after = [child, view(3, (4,), parent=2, FULL=4), view(9, (9,), FULL=9)]
    assert draw(Config(), after, before, "+") == [
        "~ [3]  FULL device  (its parent is not there)",
        "     [4]  FULL device",
        "+ [9]  FULL device",
    ]


def test_nodes_above_themselves_are_drawn_once() -> None:
    circle = [view(1, (1,), parent=3), view(2, (2,), parent=1), view(3, (3,), parent=2)]
    assert draw(Config(), [*circle, view(4, (4,), parent=3)], [], "+") == [
        "+ [1]  FULL nowhere  (its parent is below it)",
        "+    [2]  FULL nowhere",
        "+       [3]  FULL nowhere",
        "+          [4]  FULL nowhere",
    ]
