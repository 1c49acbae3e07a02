"""The configuration of a history in the words of the cache."""

from __future__ import annotations

from radixproof.impl.radix.config import CacheConfig, Sizes
from radixproof.model.config import Config


def cache_config(config: Config) -> CacheConfig:
    """What the cache is built with for histories of ``config``."""
    return CacheConfig(
        page_size=config.page_size,
        device=Sizes(config.device_pages, config.swa_pages, config.mamba_states),
        host=Sizes(config.host_pages, config.swa_host_pages, config.mamba_host_states),
        window=config.window,
        write_back=config.write_back,
        threshold=config.threshold,
        eviction_policy=config.eviction_policy.value,
        load_threshold=config.load_threshold,
        bigram=config.bigram,
    )
