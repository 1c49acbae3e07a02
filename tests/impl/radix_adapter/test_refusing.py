"""Allocators that fail when they are told to."""

from __future__ import annotations

import pytest

from radixproof.impl.radix_adapter.refusing import RefusingAllocator

from ..radix.slots import paired, taken


def test_a_refusal_meets_one_allocation_and_takes_nothing() -> None:
    allocator = RefusingAllocator(3, 2)
    allocator.refuse()
    assert taken(allocator, 0).tolist() == []
    assert allocator.alloc(2) is None
    assert allocator.available == 6
    assert taken(allocator, 2).tolist() == [2, 3]
    allocator.refuse()
    assert allocator.alloc(8) is None, "one that would have failed anyway"
    assert taken(allocator, 2).tolist() == [4, 5]
    allocator.refuse()
    allocator.clear()
    assert taken(allocator, 6).tolist() == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("component", ["full", "swa"])
def test_a_refusal_of_either_pool_meets_the_paired_allocation(component: str) -> None:
    device = paired(RefusingAllocator)
    getattr(device, component).refuse()
    assert device.allocate(2) is None
    assert device.full.free_slots().tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    full = device.allocate(4)
    assert full is not None
    assert device.peers(full).tolist() == [2, 3, 4, 5]
