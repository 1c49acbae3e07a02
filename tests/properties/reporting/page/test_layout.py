"""Where boxes stand: none on another, a node in the middle of its children."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radixproof.properties.reporting.page.layout import ACROSS, BETWEEN, Place, Size, place

SIZES = st.builds(Size, st.integers(1, 90), st.integers(1, 60))


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int | None], list[Size]]:
    parents: list[int | None] = []
    for node in range(draw(st.integers(0, 25))):
        parents.append(draw(st.none() | st.integers(0, node - 1)) if node else None)
    return parents, [draw(SIZES) for _ in parents]


@given(forests())
def test_no_box_stands_on_another(forest: tuple[list[int | None], list[Size]]) -> None:
    _, sizes = forest
    spots = [(*spot, *size) for spot, size in zip(place(*forest), sizes, strict=True)]
    for at, (x, y, width, height) in enumerate(spots):
        for left, top, wide, high in spots[:at]:
            beside = x + width <= left or left + wide <= x
            assert beside or y + height <= top or top + high <= y


@given(forests())
def test_children_are_right_of_their_parent_and_in_order(
    forest: tuple[list[int | None], list[Size]],
) -> None:
    parents, sizes = forest
    spots = place(*forest)
    assert min((spot.y for spot in spots), default=0) == 0
    last: dict[int | None, int] = {}
    for node, parent in enumerate(parents):
        if parent is not None:
            assert spots[node].x >= spots[parent].x + sizes[parent].width + ACROSS
        assert spots[node].y >= last.get(parent, spots[node].y)
        last[parent] = spots[node].y + sizes[node].height + BETWEEN


def test_a_parent_stands_in_the_middle_and_subtrees_touch() -> None:
    box = Size(10, 10)
    assert place([None, 0, 0, 1], [box] * 4) == [
        Place(0, 10),
        Place(36, 0),
        Place(36, 20),
        Place(72, 0),
    ]
    assert place([None, None], [box, box]) == [Place(0, 0), Place(0, 20)]
    assert place([], []) == []


def test_a_tree_may_be_very_deep() -> None:
    depth = 3000
    spots = place([None, *range(depth - 1)], [Size(1, 1)] * depth)
    assert spots[-1] == Place((depth - 1) * (1 + ACROSS), 0)
