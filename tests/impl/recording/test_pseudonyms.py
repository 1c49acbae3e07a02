"""Pseudonyms tell which prompts begin alike, page by page, and nothing else."""

from __future__ import annotations

from array import array
from itertools import pairwise, product

import pytest

from radixproof.impl.recording.pseudonyms import SIZE, Pages, Pseudonyms


def pages_of(names: Pseudonyms, *parts: tuple[int, ...]) -> list[bytes]:
    """Of a prompt that becomes known part by part."""
    pages = Pages()
    for part in parts:
        names.go_on(pages, array("q", part).tobytes())
    return pages.pseudonyms


@pytest.mark.parametrize("page_size", [1, 2, 3])
@pytest.mark.parametrize("bigram", [False, True])
def test_pages_are_named_alike_where_prompts_are_alike_up_to_their_end(
    page_size: int, bigram: bool
) -> None:
    names = Pseudonyms(page_size, bigram)
    texts = [text for length in range(5) for text in product((1, 2), repeat=length)]
    for one, other in product(texts, repeat=2):
        mine, theirs = pages_of(names, one), pages_of(names, other)
        alike = sum(a == b for a, b in zip(mine, theirs, strict=False))
        units, others = ((list(pairwise(t)) if bigram else list(t)) for t in (one, other))
        shared = 0
        while shared < min(len(units), len(others)) and units[shared] == others[shared]:
            shared += 1
        assert alike == shared // page_size


def test_it_makes_no_difference_in_which_parts_a_prompt_becomes_known() -> None:
    names = Pseudonyms(3, bigram=True)
    assert pages_of(names, (1, 2, 3, 4, 5, 6, 7)) == pages_of(names, (1, 2), (), (3, 4, 5), (6, 7))


@pytest.mark.parametrize(("length", "whole"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)])
def test_whole_pages_are_counted(length: int, whole: int) -> None:
    assert Pseudonyms(2, bigram=False).whole(length) == whole
    assert Pseudonyms(2, bigram=True).whole(length + 1) == whole


def test_each_recording_has_other_pseudonyms_that_do_not_show_tokens() -> None:
    one, other = (pages_of(Pseudonyms(1, bigram=False), (1, 1)) for _ in range(2))
    assert set(one).isdisjoint(other)
    assert one[0] != one[1], "the second page is that of another prefix"
    assert all(len(name) == SIZE for name in one)
