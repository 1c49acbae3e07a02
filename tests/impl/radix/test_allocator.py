"""Allocators: whole pages, all or nothing."""

from __future__ import annotations

import pytest

from radixproof.impl.radix.allocator import PageAllocator, SlotError
from radixproof.impl.radix.pools import Slots

from .slots import slots, taken


def test_allocator_hands_out_whole_pages_and_never_slot_zero() -> None:
    allocator = PageAllocator(3, 2)
    assert taken(allocator, 4).tolist() == [2, 3, 4, 5]
    assert taken(allocator, 2).tolist() == [6, 7]
    assert allocator.available == 0


def test_allocation_is_all_or_nothing() -> None:
    allocator = PageAllocator(3, 2)
    assert allocator.alloc(8) is None
    assert allocator.available == 6
    assert taken(allocator, 0).tolist() == []


def test_allocator_refuses_partial_pages() -> None:
    with pytest.raises(ValueError, match="whole"):
        PageAllocator(3, 2).alloc(3)


def test_page_freed_last_is_reused_first() -> None:
    allocator = PageAllocator(4, 1)
    first, second = taken(allocator, 2), taken(allocator, 1)
    allocator.free(first)
    allocator.free(second)
    assert taken(allocator, 4).tolist() == [*second.tolist(), *first.tolist(), 4]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (slots(4, 5), "free already"),
        (slots(2, 3, 2, 3), "twice"),
        (slots(0, 1), "not of this pool"),
        (slots(8, 9), "not of this pool"),
        (slots(-2, -1), "not of this pool"),
        (slots(2), "whole pages"),
        (slots(3, 2), "whole pages"),
        (slots(2, 3, 4), "free already"),
    ],
)
def test_free_refuses_what_is_not_out_and_changes_nothing(bad: Slots, why: str) -> None:
    allocator = PageAllocator(3, 2)
    taken(allocator, 2)
    with pytest.raises(SlotError, match=why):
        allocator.free(bad)
    assert allocator.free_slots().tolist() == [4, 5, 6, 7]
    allocator.free(slots(2, 3))
    assert allocator.available == 6


def test_clear_takes_everything_back_in_the_first_order() -> None:
    allocator = PageAllocator(3, 1)
    allocator.free(taken(allocator, 2))
    taken(allocator, 1)
    allocator.clear()
    assert taken(allocator, 3).tolist() == [1, 2, 3]
