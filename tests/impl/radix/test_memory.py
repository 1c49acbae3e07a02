"""The memory of one cache."""

from __future__ import annotations

import torch

from radixproof.impl.radix.allocator import PageAllocator
from radixproof.impl.radix.config import CacheConfig, Component, Sizes
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.pools import Geometry

from .slots import taken


def test_states_are_in_pages_of_one_slot_whatever_the_page_size() -> None:
    memory = Memory(CacheConfig(page_size=4, device=Sizes(8, 0, 3), host=Sizes(16, 0, 2)))
    assert memory.device.mamba is not None
    assert taken(memory.device.mamba, 1).tolist() == [1]
    assert memory.device_pools[Component.MAMBA].keys.shape[1] == 4
    assert memory.host[Component.MAMBA].available == 2


def test_a_cache_without_a_host_tier_has_no_host_memory() -> None:
    memory = Memory(CacheConfig(page_size=1, device=Sizes(8, 4), window=2))
    assert list(memory.device_pools) == list(memory.device_allocators)
    assert list(memory.device_pools) == [Component.FULL, Component.SWA]
    assert memory.host_pools == {}
    assert memory.host == {}


def test_each_pool_has_its_size_its_shape_and_an_allocator_of_the_given_kind() -> None:
    made: list[tuple[int, int]] = []

    def new_allocator(pages: int, page_size: int) -> PageAllocator:
        made.append((pages, page_size))
        return PageAllocator(pages, page_size)

    config = CacheConfig(page_size=2, device=Sizes(8, 4, 3), host=Sizes(16, 5, 6), window=2)
    geometry = Geometry(layers=3, heads=2, dim=4, dtype=torch.float16)
    memory = Memory(config, geometry, new_allocator=new_allocator)
    assert sorted(made) == [(3, 1), (4, 2), (5, 2), (6, 1), (8, 2), (16, 2)]
    slots = {"device": [18, 10, 4], "host": [34, 12, 7]}
    for tier, pools in (("device", memory.device_pools), ("host", memory.host_pools)):
        assert [pool.kv.shape for pool in pools.values()] == [
            (2, 3, count, 2, 4) for count in slots[tier]
        ]
        assert {pool.kv.dtype for pool in pools.values()} == {torch.float16}
    assert memory.device.full is memory.device_allocators[Component.FULL]
