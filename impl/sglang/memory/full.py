"""Device memory of a cache with FULL, and perhaps MAMBA, but without SWA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.memory.device import ComponentMemory, TokenMemory, shape
from radixproof.impl.sglang.memory.layers import layers_of
from radixproof.impl.sglang.memory.states import StateMemory
from radixproof.model.config import Component, Config, Pool


class FullMemory:
    """Implements `device.DeviceMemory`."""

    def __init__(self, sglang: Sglang, config: Config) -> None:
        size, dtype = config.slots(Pool.FULL), sglang.torch.float32
        self._layers = layers_of(Component.FULL, config)
        self.states = StateMemory(sglang, config) if config.mamba_states else None
        pool = self._pool(sglang, config)
        rest = {"kvcache": pool, "dtype": dtype, "device": "cpu", "need_sort": False}
        self.allocator: Any = (
            sglang.allocators.TokenToKVPoolAllocator(size=size, **rest)
            if config.page_size == 1
            else sglang.allocators.PagedTokenToKVPoolAllocator(
                size=size, page_size=config.page_size, **rest
            )
        )
        tokens = pool.full_kv_pool if self.states else pool
        of_full: ComponentMemory = TokenMemory(self.allocator, tokens, self._layers)
        of_states = {Component.MAMBA: self.states} if self.states else {}
        self.components: Mapping[Component, ComponentMemory] = {
            Component.FULL: of_full,
            **of_states,
        }

    def _pool(self, sglang: Sglang, config: Config) -> Any:
        size, form = config.slots(Pool.FULL), shape(config, sglang.torch.float32)
        if self.states is None:
            return sglang.pools.MHATokenToKVPool(
                size=size, layer_num=len(self._layers), enable_memory_saver=False, **form
            )
        told = {"enable_kvcache_transpose": False} if sglang.capabilities.transposition else {}
        return sglang.pools.HybridLinearKVPool(
            size=size,
            full_attention_layer_ids=list(self._layers),
            mamba_pool=self.states.pool,
            **form,
            **told,
        )

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
