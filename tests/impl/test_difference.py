"""What is said of two answers that differ."""

from __future__ import annotations

import pytest

from radixproof.impl.difference import READABLE, difference
from radixproof.impl.observation import Event, NodeView, Observation

LONG = tuple(range(READABLE))


def _nodes(*last: int) -> tuple[NodeView, ...]:
    held = ((1, 2), None, None, None, None, None)
    above = NodeView(1, 0, "", LONG, held)
    return (above, NodeView(2, 1, "", last, held))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ([1, 2], [1, 3], ("it", [1, 2], [1, 3])),
        ((*LONG, 1), (*LONG, 2), (f"it[{READABLE}]", 1, 2)),
        (LONG, LONG[:-1], ("number of it", READABLE, READABLE - 1)),
        ({"a": LONG, "b": 1}, {"a": LONG, "b": 2}, ("it['b']", 1, 2)),
        ({"a": LONG}, {"b": LONG}, ("it", {"a": LONG}, {"b": LONG})),
        (LONG, None, ("it", LONG, None)),
        ("a" * 200, "b" * 200, ("it", "a" * 200, "b" * 200)),
    ],
)
def test_the_first_part_that_differs_is_named(
    one: object, other: object, said: tuple[str, object, object]
) -> None:
    assert difference("it", one, other) == said


def test_an_observation_is_narrowed_down_to_what_can_be_read() -> None:
    one, other = Observation(_nodes(1)), Observation(_nodes(2))
    assert difference("tree", one, other) == ("tree.nodes[1]", one.nodes[1], other.nodes[1])
    events = tuple(Event("stored", False, (block,)) for block in (1, 2, 3, 4))
    told, late = Observation((), events=events), Observation((), events=events[:-1])
    assert difference("tree", told, late) == ("number of tree.events", 4, 3)
