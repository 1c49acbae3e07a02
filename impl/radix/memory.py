"""All memory of one cache: a KV pool and an allocator per component and tier."""

from __future__ import annotations

from collections.abc import Callable

import torch

from radixproof.impl.radix.allocator import PageAllocator
from radixproof.impl.radix.config import CacheConfig, Component
from radixproof.impl.radix.device import DeviceSlots
from radixproof.impl.radix.pools import Geometry, KVPool


class Memory:
    """Pools and allocators of the shape that ``config`` asks for.

    Host pools are pinned when the device is a CUDA device. ``new_allocator`` makes the allocator
    of each pool, given its pages and the slots in each of them.
    """

    def __init__(
        self,
        config: CacheConfig,
        geometry: Geometry | None = None,
        device: str | torch.device = "cpu",
        new_allocator: Callable[[int, int], PageAllocator] = PageAllocator,
    ) -> None:
        here, host = torch.device(device), torch.device("cpu")
        shape = geometry or Geometry()
        pinned = here.type == "cuda"
        self.device_pools: dict[Component, KVPool] = {}
        self.host_pools: dict[Component, KVPool] = {}
        """Of no component, in a cache without a host tier."""
        self.device_allocators: dict[Component, PageAllocator] = {}
        self.host: dict[Component, PageAllocator] = {}
        """The allocators of ``host_pools``."""
        for component in config.components:
            size, pages = config.slots_per_page(component), config.device[component]
            self.device_pools[component] = KVPool(pages, size, shape, here)
            self.device_allocators[component] = new_allocator(pages, size)
            if config.hosted:
                pages = config.host[component]
                self.host_pools[component] = KVPool(pages, size, shape, host, pinned)
                self.host[component] = new_allocator(pages, size)
        self.device = DeviceSlots(
            self.device_allocators[Component.FULL],
            self.device_allocators.get(Component.SWA),
            self.device_allocators.get(Component.MAMBA),
        )

    def clear_host(self) -> None:
        """Take every host slot back."""
        for allocator in self.host.values():
            allocator.clear()
