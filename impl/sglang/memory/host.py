"""The host tier of a cache: its pools, of exactly the configured size, and its controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixproof.impl.observation import Slots
from radixproof.impl.sglang.api import Capabilities, Sglang
from radixproof.model.config import DEVICE, HOST, Component, Config

NAMES = {Component.FULL: "kv", Component.SWA: "swa", Component.MAMBA: "mamba"}
"""What SGLang calls the pools."""


class HostMemory:
    """The host pools of one cache, one per component; none where it has no host tier."""

    def __init__(self, pools: Mapping[Component, Any], config: Config, can: Capabilities) -> None:
        self.pools = pools
        self._config = config
        self._chunked = can.chunked_host_slots
        self.reserve_surplus()

    def reserve_surplus(self) -> None:
        """Take away what the pools have beyond the configuration.

        SGLang insists on host pools larger than the device's. Must be repeated whenever SGLang has
        cleared them.
        """
        for component, pool in self.pools.items():
            pool.alloc(pool.size - self._config.slots(HOST[component]))

    def free_slots(self, component: Component) -> Slots:
        return tuple([slot for chunk in self._free_chunks(component) for slot in chunk.tolist()])

    def free_count(self, component: Component) -> int:
        return sum(map(len, self._free_chunks(component)))

    def _free_chunks(self, component: Component) -> tuple[Any, ...]:
        pool = self.pools.get(component)
        if pool is None:
            return ()
        return (pool.free_slots, *pool.release_slots) if self._chunked else (pool.free_slots,)


def attach(sglang: Sglang, config: Config, tree: Any, params: Any) -> HostMemory:
    """Give a tree the host tier of its configuration, if any."""
    if not config.hosted:
        return HostMemory({}, config, sglang.capabilities)
    policy = "write_back" if config.write_back else "write_through"
    with sglang.arguments(hicache_ratio=_ratio(config), hicache_write_policy=policy):
        tree.init_hicache(sglang.server_args, params)
    tree.write_through_threshold = config.threshold
    tree.load_back_threshold = config.load_threshold
    _allow_loads(tree.cache_controller, sum(config.pages(pool) for pool in DEVICE))
    of_name = {entry.name.value: entry.host_pool for entry in tree.host_pool_group.entries}
    pools = {component: of_name[NAMES[component]] for component in config.components}
    return HostMemory(pools, config, sglang.capabilities)


def _ratio(config: Config) -> float:
    """Host pages per device page, enough for every pool.

    SGLang adds a page to the result, so rounding does no harm.
    """
    ratios = [
        config.pages(HOST[component]) / config.pages(DEVICE[component])
        for component in config.components
    ]
    return max(1.0, *ratios)


def _allow_loads(controller: Any, count: int) -> None:
    """Let ``count`` more load-backs be under way at once.

    SGLang has events for three, because its scheduler starts no batch whose predecessor still waits
    for its copies. Each load-back fills a page on the device at least and keeps it locked, so there
    are never more of them than pages.
    """
    counter = controller.layer_done_counter
    kind = type(counter.events[0])
    counter.events += [kind(counter.num_layers) for _ in range(count)]
    counter.num_counters = len(counter.events)
