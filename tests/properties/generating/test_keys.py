"""Choices that are hidden in numbers."""

from __future__ import annotations

import pytest

from radixproof.properties.generating.keys import digits


def test_digits_are_choices_hidden_in_one_number() -> None:
    below = digits(1 + 2 * 3 + 4 * 3 * 5)
    assert [below(3), below(5), below(7), below(9)] == [1, 2, 4, 0]


@pytest.mark.parametrize("number", [0, 1, 12345, 2**40 - 1])
def test_digits_are_below_their_limit_and_end_in_zeros(number: int) -> None:
    below = digits(number)
    assert all(0 <= below(limit) < limit for limit in (1, 2, 3, 10, 100))
    for _ in range(60):
        below(2)
    assert [below(7) for _ in range(3)] == [0, 0, 0]
