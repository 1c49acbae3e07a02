"""Build one cache of SGLang: device pools, allocators, tree, host pools and controller, all new and of exactly the sizes asked."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radixproof.impl.sglang.shim import Sglang
from radixproof.model.config import DEVICE, HOST, Component, Config, Pool

HEADS = 2
HEAD_DIM = 2
FULL_LAYERS = (1, 3)
SWA_LAYERS = (0, 2)
"""Layer numbers in the model, interleaved as in real ones, so that a copy of the wrong layer shows."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The live objects of one cache. Mappings have an entry per component of it, those of the host none without a host tier."""

    tree: Any
    allocator: Any
    """What requests and the tree allocate from; for FULL+SWA it holds the full→SWA map and two allocators."""
    allocators: Mapping[Component, Any]
    device_pools: Mapping[Component, Any]
    host_pools: Mapping[Component, Any]

    @property
    def core(self) -> Any:
        """What has the nodes and their lists: the tree itself, and since 0.5.17 a part of it."""
        return getattr(self.tree, "tree_core", self.tree)

    def node(self, anchor: Any) -> Any:
        """A node of the tree, which newer releases name by number."""
        return self.core.node_by_id(anchor) if isinstance(anchor, int) else anchor

    def close(self) -> None:
        """Undo what the tree registered with the process (releases that register anything)."""
        if hasattr(self.tree, "shutdown"):
            atexit.unregister(self.tree.shutdown)


def build(sglang: Sglang, config: Config) -> Parts:
    """A fresh, empty cache. Slots are numbered by SGLang: on the device slot 0 (page 0) is padding, on the host it is a slot."""
    allocator, allocators, device_pools = _device(sglang, config)
    params = sglang.init_params(
        disable=False,
        req_to_token_pool=None,  # the rows of requests, which the harness keeps itself
        token_to_kv_pool_allocator=allocator,
        page_size=config.page_size,
        is_eagle=config.bigram,
        eviction_policy=config.eviction_policy.value,
        sliding_window_size=config.window,
        tree_components=tuple(
            sglang.tree.ComponentType(int(component)) for component in config.components
        ),
    )
    tree = sglang.tree.UnifiedRadixCache(params)
    host_pools = _add_host(sglang, config, tree, params) if config.hosted else {}
    parts = Parts(tree, allocator, allocators, device_pools, host_pools)
    reserve_surplus(parts, config)
    return parts


def reserve_surplus(parts: Parts, config: Config) -> None:
    """Take away what the host pools have beyond the configuration: SGLang insists on host pools larger than the device's.

    To be done again whenever SGLang has cleared the host pools.
    """
    for component, pool in parts.host_pools.items():
        pool.alloc(pool.size - config.slots(HOST[component]))


def _add_host(sglang: Sglang, config: Config, tree: Any, params: Any) -> dict[Component, Any]:
    """Give a tree its host tier; returns the host pools."""
    policy = "write_back" if config.write_back else "write_through"
    with sglang.told(hicache_ratio=_host_ratio(config), hicache_write_policy=policy):
        tree.init_hicache(sglang.server_args, params)
    tree.write_through_threshold = config.threshold
    tree.load_back_threshold = config.load_threshold
    _allow_loads(tree.cache_controller, sum(config.pages(pool) for pool in DEVICE))
    entries = tree.host_pool_group.entries
    return {
        component: entry.host_pool
        for component, entry in zip(config.components, entries, strict=True)
    }


def _allow_loads(controller: Any, count: int) -> None:
    """Let ``count`` load-backs be under way at once.

    SGLang has events for three, because its scheduler starts no batch whose predecessor still waits for its copies. Each load-back
    fills a page on the device at least and keeps it locked, so that there are never more of them than pages.
    """
    counter = controller.layer_done_counter
    kind = type(counter.events[0])
    counter.events += [kind(counter.num_layers) for _ in range(count)]
    counter.num_counters = len(counter.events)


def _device(
    sglang: Sglang, config: Config
) -> tuple[Any, dict[Component, Any], dict[Component, Any]]:
    """The allocator, and the allocators and the pools per component."""
    size, page = config.slots(Pool.FULL), config.page_size
    dtype = sglang.torch.float32
    shape = {
        "dtype": dtype,
        "page_size": page,
        "head_num": HEADS,
        "head_dim": HEAD_DIM,
        "device": "cpu",
    }
    rest = {"dtype": dtype, "device": "cpu", "need_sort": False}
    if config.window is None:
        pool = sglang.pools.MHATokenToKVPool(
            size=size, layer_num=len(FULL_LAYERS), enable_memory_saver=False, **shape
        )
        if page == 1:
            allocator = sglang.allocators.TokenToKVPoolAllocator(size=size, kvcache=pool, **rest)
        else:
            allocator = sglang.allocators.PagedTokenToKVPoolAllocator(
                size=size, page_size=page, kvcache=pool, **rest
            )
        return allocator, {Component.FULL: allocator}, {Component.FULL: pool}
    pool = sglang.swa_pool(
        size=size,
        size_swa=config.slots(Pool.SWA),
        full_attention_layer_ids=list(FULL_LAYERS),
        swa_attention_layer_ids=list(SWA_LAYERS),
        **shape,
    )
    allocator = sglang.swa_allocator(
        size=size, size_swa=config.slots(Pool.SWA), page_size=page, kvcache=pool, **rest
    )
    allocators = {
        Component.FULL: allocator.full_attn_allocator,
        Component.SWA: allocator.swa_attn_allocator,
    }
    return (
        allocator,
        allocators,
        {Component.FULL: pool.full_kv_pool, Component.SWA: pool.swa_kv_pool},
    )


def _host_ratio(config: Config) -> float:
    """Host pages per device page, enough for every pool. SGLang adds a page to what comes out of it, so rounding does no harm."""
    ratios = [
        config.pages(HOST[component]) / config.pages(DEVICE[component])
        for component in config.components
    ]
    return max(1.0, *ratios)
