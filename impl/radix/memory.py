"""All memory of one cache: a KV pool and an allocator per component and tier."""

from __future__ import annotations

import torch

from radixproof.impl.radix.allocator import PageAllocator
from radixproof.impl.radix.device import DeviceSlots
from radixproof.impl.radix.pools import Geometry, KVPool
from radixproof.model.config import Component, Config, Pool


class Memory:
    """Pools and allocators of the shape that ``config`` asks for. Host pools are pinned when the device is a CUDA device."""

    def __init__(self, config: Config, geometry: Geometry, device: torch.device) -> None:
        size = config.page_size
        cuda = device.type == "cuda"
        host = torch.device("cpu")
        self.pools: dict[Pool, KVPool] = {
            pool: KVPool(config.pages(pool), size, geometry, host if pool.on_host else device, pinned=cuda and pool.on_host)
            for pool in config.pools
        }
        self.tiers: dict[Component, tuple[KVPool, KVPool]] = {
            component: (self.pools[Pool(component)], self.pools[Pool(component + 2)]) for component in config.components
        }
        """Device pool and host pool of each component."""
        windowed = config.window is not None
        self.device = DeviceSlots(
            PageAllocator(config.device_pages, size), PageAllocator(config.swa_pages, size) if windowed else None
        )
        self.host: dict[Component, PageAllocator] = {
            pool.component: PageAllocator(config.pages(pool), size) for pool in config.pools if pool.on_host
        }

    def clear_host(self) -> None:
        """Take every host slot back."""
        for allocator in self.host.values():
            allocator.clear()

    def allocator(self, pool: Pool) -> PageAllocator | None:
        """The allocator of one pool; None where the cache has no such pool."""
        if pool.on_host:
            return self.host.get(pool.component)
        return self.device.full if pool is Pool.FULL else self.device.swa
