"""Device memory of a cache with FULL and SWA: one pool and one allocator around two of each.

If there is MAMBA, too, the pool has its states beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.memory.device import ComponentMemory, TokenMemory, shape
from radixproof.impl.sglang.memory.layers import layers_of
from radixproof.impl.sglang.memory.states import StateMemory
from radixproof.model.config import Component, Config, Pool


class SwaMemory:
    """Implements `device.DeviceMemory`."""

    def __init__(self, sglang: Sglang, config: Config) -> None:
        dtype = sglang.torch.float32
        sizes = {"size": config.slots(Pool.FULL), "size_swa": config.slots(Pool.SWA)}
        told = {"enable_kvcache_transpose": False} if sglang.capabilities.transposition else {}
        full_layers, swa_layers = (
            layers_of(component, config) for component in (Component.FULL, Component.SWA)
        )
        pool = sglang.swa_pool(
            full_attention_layer_ids=list(full_layers),
            swa_attention_layer_ids=list(swa_layers),
            **sizes,
            **shape(config, dtype),
            **told,
        )
        self.allocator: Any = sglang.swa_allocator(
            page_size=config.page_size,
            kvcache=pool,
            dtype=dtype,
            device="cpu",
            need_sort=False,
            **sizes,
        )
        of_full, of_swa = self.allocator.full_attn_allocator, self.allocator.swa_attn_allocator
        self._of_tokens = (of_full, of_swa)
        self.states = StateMemory(sglang, config) if config.mamba_states else None
        self.components: Mapping[Component, ComponentMemory] = {
            Component.FULL: TokenMemory(of_full, pool.full_kv_pool, full_layers),
            Component.SWA: TokenMemory(of_swa, pool.swa_kv_pool, swa_layers),
        }
        if self.states is not None:
            pool.mamba_pool = self.states.pool
            self.components = {**self.components, Component.MAMBA: self.states}

    def allocate(self, tokens: int) -> Any:
        """Both allocators are asked here: the one around them may do more if pages are long."""
        if any(allocator.available_size() < tokens for allocator in self._of_tokens):
            return None
        slots, peers = (allocator.alloc(tokens) for allocator in self._of_tokens)
        if slots is None or peers is None:  # one of them was told to fail
            for allocator, got in zip(self._of_tokens, (slots, peers), strict=True):
                if got is not None:
                    allocator.free(got)
            return None
        self.allocator.set_full_to_swa_mapping(slots, peers)
        return slots

    def free(self, slots: Any) -> None:
        """Newer releases insist on being told which slots have no peers any more."""
        if not hasattr(self.allocator, "free_full"):
            self.allocator.free(slots)
            return
        peers = self.allocator.full_to_swa_index_mapping[slots] > 0
        self.allocator.free(slots[peers])
        self.allocator.free_full(slots[~peers])

    def free_swa(self, slots: Any) -> None:
        self.allocator.free_swa(slots)

    def peers(self) -> Any:
        """SGLang's own sentinel for slot -1, the last entry, is left out."""
        return self.allocator.full_to_swa_index_mapping.numpy()[:-1]
