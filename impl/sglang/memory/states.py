"""Device memory of MAMBA: states, which SGLang keeps with the rows of its requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from radixproof.impl.observation import Slots
from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.memory.layers import layers_of
from radixproof.impl.sglang.memory.rows import rows_of
from radixproof.model.config import Component, Config, Pool


class StateMemory:
    """The states of one cache. SGLang numbers the slots: slot 0 is padding."""

    def __init__(self, sglang: Sglang, config: Config) -> None:
        self.layers: Sequence[int] = layers_of(Component.MAMBA, config)
        self.rows: Any = sglang.pools.HybridReqToTokenPool(
            mamba_size=config.slots(Pool.MAMBA),
            mamba_spec_state_size=1,
            **rows_of(config),
            cache_params=_parameters(sglang, self.layers),
            mamba_layer_ids=list(self.layers),
            enable_mamba_extra_buffer=config.page_size > 1,
            **lazily(config),
            speculative_num_draft_tokens=None,
        )
        self.pool: Any = self.rows.mamba_pool
        self.allocator: Any = (
            self.rows.mamba_allocator if sglang.capabilities.state_allocator else self.pool
        )

    def free_slots(self) -> Slots:
        return tuple(self.allocator.free_slots.tolist())

    def free_count(self) -> int:
        return len(self.allocator.free_slots)


def lazily(config: Config) -> dict[str, bool]:
    """An argument for what a request's second tracked state is taken only when needed: an option of
    releases that are newer than the oldest.
    """
    return {"enable_mamba_extra_buffer_lazy": True} if config.track_lazily else {}


def _parameters(sglang: Sglang, layers: Sequence[int]) -> Any:
    """States of a few numbers, with both parts that real ones have."""
    torch, states = sglang.torch, sglang.states
    shape = states.Mamba2StateShape.create(
        tp_world_size=1,
        intermediate_size=2,
        n_groups=1,
        num_heads=1,
        head_dim=2,
        state_size=2,
        conv_kernel=2,
    )
    dtype = states.Mamba2StateDType(conv=torch.float32, temporal=torch.float32)
    return states.Mamba2CacheParams(shape=shape, layers=list(layers), dtype=dtype)
