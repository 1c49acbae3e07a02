"""All memory of one cache: a KV pool and an allocator per component and tier."""

from __future__ import annotations

import torch

from radixproof.impl.radix.allocator import PageAllocator
from radixproof.impl.radix.device import DeviceSlots
from radixproof.impl.radix.pools import Geometry, KVPool
from radixproof.model.config import DEVICE, Component, Config, Pool


class Memory:
    """Pools and allocators of the shape that ``config`` asks for. Host pools are pinned when the device is a CUDA device."""

    def __init__(self, config: Config, geometry: Geometry, device: torch.device) -> None:
        cuda = device.type == "cuda"
        host = torch.device("cpu")
        self.pools: dict[Pool, KVPool] = {
            pool: KVPool(
                config.pages(pool),
                config.unit(pool),
                geometry,
                host if pool.on_host else device,
                pinned=cuda and pool.on_host,
            )
            for pool in config.pools
        }
        self.tiers: dict[Component, tuple[KVPool, KVPool]] = {
            pool.component: (self.pools[DEVICE[pool.component]], self.pools[pool])
            for pool in config.pools
            if pool.on_host
        }
        """Device pool and host pool of each component that has both."""
        self.allocators: dict[Pool, PageAllocator] = {
            pool: PageAllocator(config.pages(pool), config.unit(pool)) for pool in config.pools
        }
        self.device = DeviceSlots(
            self.allocators[Pool.FULL],
            self.allocators.get(Pool.SWA),
            self.allocators.get(Pool.MAMBA),
        )
        self.host: dict[Component, PageAllocator] = {
            pool.component: allocator for pool, allocator in self.allocators.items() if pool.on_host
        }

    def clear_host(self) -> None:
        """Take every host slot back."""
        for allocator in self.host.values():
            allocator.clear()

    def allocator(self, pool: Pool) -> PageAllocator | None:
        """The allocator of one pool; None where the cache has no such pool."""
        return self.allocators.get(pool)
