"""Build one cache of SGLang: device pools, allocators, tree, host pools and controller, all new and of exactly the sizes asked."""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from typing import Any

from radixproof.impl.sglang.copies import Stream
from radixproof.impl.sglang.shim import Sglang
from radixproof.model.config import Component, Config, Pool

HEADS = 2
HEAD_DIM = 2
FULL_LAYERS = (1, 3)
SWA_LAYERS = (0, 2)
"""Layer numbers in the model, interleaved as in real ones, so that a copy of the wrong layer shows."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The live objects of one cache. Tuples are indexed by `Component`; a FULL-only cache has one entry in each."""

    tree: Any
    allocator: Any
    """What requests and the tree allocate from; for FULL+SWA it holds the full→SWA map and two allocators."""
    allocators: tuple[Any, ...]
    device_pools: tuple[Any, ...]
    host_pools: tuple[Any, ...]
    write_stream: Stream

    def close(self) -> None:
        """Undo what the tree registered with the process (releases that register anything)."""
        if hasattr(self.tree, "shutdown"):
            atexit.unregister(self.tree.shutdown)


def build(sglang: Sglang, config: Config) -> Parts:
    """A fresh, empty cache. Slots are numbered by SGLang: on the device slot 0 (page 0) is padding, on the host it is a slot."""
    allocator, allocators, device_pools = _device(sglang, config)
    types = sglang.tree.ComponentType
    params = sglang.init_params(
        disable=False,
        req_to_token_pool=None,  # the rows of requests, which the harness keeps itself
        token_to_kv_pool_allocator=allocator,
        page_size=config.page_size,
        sliding_window_size=config.window,
        tree_components=(types.FULL, types.SWA)[: len(config.components)],
    )
    tree = sglang.tree.UnifiedRadixCache(params)
    sglang.server_args.hicache_ratio = _host_ratio(config)
    tree.init_hicache(sglang.server_args, params)
    tree.write_through_threshold = config.threshold
    host_pools = tuple(entry.host_pool for entry in tree.host_pool_group.entries)
    parts = Parts(tree, allocator, allocators, device_pools, host_pools, tree.cache_controller.write_stream)
    reserve_surplus(parts, config)
    return parts


def reserve_surplus(parts: Parts, config: Config) -> None:
    """Take away what the host pools have beyond the configuration: SGLang insists on host pools larger than the device's.

    To be done again whenever SGLang has cleared the host pools.
    """
    for component, pool in zip(config.components, parts.host_pools, strict=True):
        pool.alloc(pool.size - config.slots(Pool.FULL_HOST if component is Component.FULL else Pool.SWA_HOST))


def _device(sglang: Sglang, config: Config) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """The allocator, the allocators and the pools per component."""
    size, page = config.slots(Pool.FULL), config.page_size
    dtype = sglang.torch.float32
    shape = {"dtype": dtype, "page_size": page, "head_num": HEADS, "head_dim": HEAD_DIM, "device": "cpu"}
    rest = {"dtype": dtype, "device": "cpu", "need_sort": False}
    if config.window is None:
        pool = sglang.pools.MHATokenToKVPool(size=size, layer_num=len(FULL_LAYERS), enable_memory_saver=False, **shape)
        if page == 1:
            allocator = sglang.allocators.TokenToKVPoolAllocator(size=size, kvcache=pool, **rest)
        else:
            allocator = sglang.allocators.PagedTokenToKVPoolAllocator(size=size, page_size=page, kvcache=pool, **rest)
        return allocator, (allocator,), (pool,)
    pool = sglang.swa_pool(
        size=size,
        size_swa=config.slots(Pool.SWA),
        full_attention_layer_ids=list(FULL_LAYERS),
        swa_attention_layer_ids=list(SWA_LAYERS),
        **shape,
    )
    allocator = sglang.swa_allocator(size=size, size_swa=config.slots(Pool.SWA), page_size=page, kvcache=pool, **rest)
    return allocator, (allocator.full_attn_allocator, allocator.swa_attn_allocator), (pool.full_kv_pool, pool.swa_kv_pool)


def _host_ratio(config: Config) -> float:
    """Host pages per device page, enough for every pool. SGLang adds a page to what comes out of it, so rounding does no harm."""
    pairs = [(Pool.FULL_HOST, Pool.FULL), (Pool.SWA_HOST, Pool.SWA)][: len(config.components)]
    return max(1.0, *(config.pages(host) / config.pages(device) for host, device in pairs))
