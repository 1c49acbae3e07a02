"""Pools, allocators, pairing and tags of the radix cache."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radixproof.impl.radix.allocator import PageAllocator, SlotError
from radixproof.impl.radix.device import DeviceSlots
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.pools import Geometry, KVPool, Slots
from radixproof.impl.radix.recency import RecencyList
from radixproof.impl.radix.tags import Tags
from radixproof.model.config import Component, Config, Pool

CPU = torch.device("cpu")


def slots(*ids: int) -> Slots:
    return np.array(ids, dtype=np.int64)


def taken(allocator: PageAllocator, tokens: int) -> Slots:
    found = allocator.alloc(tokens)
    assert found is not None
    return found


def paired() -> DeviceSlots:
    return DeviceSlots(PageAllocator(4, 2), PageAllocator(3, 2))


def test_pool_has_a_padding_page_and_one_tensor_for_keys_and_values() -> None:
    pool = KVPool(3, 4, Geometry(layers=5, heads=2, dim=8), CPU)
    assert pool.keys.shape == pool.values.shape == (5, 16, 2, 8)
    assert pool.keys.untyped_storage().data_ptr() == pool.values.untyped_storage().data_ptr()


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


def test_a_refusal_meets_one_allocation_and_takes_nothing() -> None:
    allocator = PageAllocator(3, 2)
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
    device = paired()
    getattr(device, component).refuse()
    assert device.allocate(2) is None
    assert device.full.free_slots().tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    full = device.allocate(4)
    assert full is not None
    assert device.peers(full).tolist() == [2, 3, 4, 5]


def test_states_are_in_pages_of_one_slot_whatever_the_page_size() -> None:
    memory = Memory(Config(page_size=4, mamba_states=3, mamba_host_states=2), Geometry(), CPU)
    assert memory.device.mamba is not None
    assert taken(memory.device.mamba, 1).tolist() == [1]
    assert memory.pools[Pool.MAMBA].keys.shape[1] == 4
    assert memory.host[Component.MAMBA].available == 2


def test_a_cache_without_a_host_tier_has_no_host_memory() -> None:
    memory = Memory(Config(host_pages=0, window=2, swa_pages=4), Geometry(), CPU)
    assert list(memory.pools) == list(memory.allocators) == [Pool.FULL, Pool.SWA]
    assert memory.tiers == memory.host == {}


def test_slots_are_paired_once() -> None:
    device = paired()
    full, swa = taken(device.full, 4), taken(device.swa or device.full, 4)
    device.pair(full, swa)
    assert device.peers(full).tolist() == swa.tolist()
    with pytest.raises(SlotError, match="already"):
        device.pair(full[2:], swa[:2])


def test_clear_takes_everything_back_in_the_first_order() -> None:
    allocator = PageAllocator(3, 1)
    allocator.free(taken(allocator, 2))
    taken(allocator, 1)
    allocator.clear()
    assert taken(allocator, 3).tolist() == [1, 2, 3]


def test_paired_allocation_needs_room_in_both_pools() -> None:
    device = paired()
    assert device.allocate(8) is None
    assert device.full.available == 8
    full = device.allocate(6)
    assert full is not None
    assert sorted(device.peers(full)) == [2, 3, 4, 5, 6, 7]


def test_freeing_full_slots_frees_their_peers() -> None:
    device = paired()
    full = device.allocate(4)
    assert full is not None
    device.free_swa(full[:2])
    assert device.swa_of[full].tolist()[:2] == [0, 0]
    device.free(full)
    assert not device.swa_of.any()
    assert (device.full.available, device.swa.available if device.swa else 0) == (8, 6)
    with pytest.raises(SlotError):
        device.free(full)


def test_freeing_part_of_an_swa_page_is_refused() -> None:
    device = paired()
    full = device.allocate(2)
    assert full is not None
    with pytest.raises(SlotError, match="whole pages"):
        device.free_swa(full[:1])
    assert device.peers(full).tolist() == [2, 3]


def test_moved_peers_belong_to_the_target_alone() -> None:
    device = paired()
    source, target = device.allocate(2), device.allocate(2)
    assert source is not None
    assert target is not None
    with pytest.raises(SlotError, match="already"):
        device.move_peers(source, target)
    device.free_swa(target)
    peers = device.peers(source).tolist()
    device.move_peers(source, target)
    assert device.peers(target).tolist() == peers
    device.free(source)
    assert device.peers(target).tolist() == peers
    with pytest.raises(SlotError, match="no SWA peer"):
        device.peers(source)


def test_tags_are_read_back_and_disagreement_is_seen() -> None:
    pool = KVPool(4, 1, Geometry(), CPU)
    tags = Tags(pool)
    tags.write(slots(1, 3), np.array([0, 2**22 - 1], dtype=np.float32))
    assert tags.read(slots(3, 1, 2)) == [2**22 - 1, 0, -1]
    pool.values[1, 3, 0, 1] += 1
    assert tags.read(slots(3, 1)) == [-1, 0]
    assert tags.read(slots()) == []


def test_recency_list_keeps_its_order() -> None:
    order: RecencyList[str] = RecencyList()
    for member in "abc":
        order.renew(member)
    order.add_older("x", than="b")
    order.renew("a")
    assert (list(order), len(order)) == (["x", "b", "c", "a"], 4)
    order.discard("c")
    order.discard("c")
    assert list(order) == ["x", "b", "a"]
    assert ("a" in order, "c" in order) == (True, False)
    for member in order:
        order.discard(member)
    assert list(order) == []
