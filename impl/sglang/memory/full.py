"""Device memory of a cache with FULL alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.memory.device import ComponentMemory, shape
from radixproof.model.config import Component, Config, Pool

LAYERS = (1, 3)


class FullMemory:
    """Implements `device.DeviceMemory`."""

    def __init__(self, sglang: Sglang, config: Config) -> None:
        size, dtype = config.slots(Pool.FULL), sglang.torch.float32
        pool = sglang.pools.MHATokenToKVPool(
            size=size,
            layer_num=len(LAYERS),
            enable_memory_saver=False,
            **shape(config, dtype),
        )
        rest = {"kvcache": pool, "dtype": dtype, "device": "cpu", "need_sort": False}
        self.allocator: Any = (
            sglang.allocators.TokenToKVPoolAllocator(size=size, **rest)
            if config.page_size == 1
            else sglang.allocators.PagedTokenToKVPoolAllocator(
                size=size, page_size=config.page_size, **rest
            )
        )
        self.components: Mapping[Component, ComponentMemory] = {
            Component.FULL: ComponentMemory(self.allocator, pool, LAYERS)
        }

    def allocate(self, tokens: int) -> Any:
        if self.allocator.available_size() < tokens:
            return None
        return self.allocator.alloc(tokens)

    def free(self, slots: Any) -> None:
        self.allocator.free(slots)

    def free_swa(self, slots: Any) -> None:
        """There are no peers to free."""

    def peers(self) -> Any:
        return None
