"""At which lengths states of requests are tracked."""

from __future__ import annotations

import pytest

from radixproof.impl.sglang.tracking import Part

PART = Part(begin=0, end=12, prompt=12, page=2, every=4, branch=None)


@pytest.mark.parametrize(
    ("begin", "end", "reached"),
    [(0, 12, 12), (0, 11, 8), (0, 3, None), (2, 8, 6), (3, 8, 6), (3, 5, None), (10, 12, None)],
)
def test_in_a_prompt_it_is_as_far_as_whole_intervals_reach_from_where_its_part_begins(
    begin: int, end: int, reached: int | None
) -> None:
    assert PART._replace(begin=begin, end=end).in_prompt() == reached


@pytest.mark.parametrize(
    ("branch", "reached"), [(4, 4), (8, 8), (12, 12), (16, 12), (6, 12), (0, 12)]
)
def test_a_branch_point_comes_first_if_it_is_within_the_part_and_can_be_tracked(
    branch: int, reached: int
) -> None:
    assert PART._replace(branch=branch).in_prompt() == reached


def test_a_branch_point_before_the_part_has_been_passed() -> None:
    assert PART._replace(begin=4, branch=4).in_prompt() == 12


@pytest.mark.parametrize(
    ("begin", "end", "lengths"),
    [(0, 5, []), (5, 8, [8]), (5, 16, [8, 12, 16]), (8, 11, []), (7, 8, [8])],
)
def test_what_is_generated_is_tracked_at_whole_intervals_from_the_beginning(
    begin: int, end: int, lengths: list[int]
) -> None:
    assert [*PART._replace(begin=begin, end=end, prompt=5).generated()] == lengths


def test_what_is_generated_is_no_part_of_the_prompt() -> None:
    assert PART._replace(begin=4, end=12, prompt=4).in_prompt() is None
