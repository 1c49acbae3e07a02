"""The configuration of a history in the words of the cache."""

from __future__ import annotations

from dataclasses import fields

from radixproof.impl.radix.config import CacheConfig, Sizes
from radixproof.impl.radix_adapter.shape import cache_config
from radixproof.model.config import Config, EvictionPolicy


def test_every_option_is_handed_on() -> None:
    config = Config(
        page_size=2,
        window=3,
        device_pages=4,
        swa_pages=5,
        host_pages=7,
        swa_host_pages=8,
        write_back=True,
        threshold=9,
        eviction_policy=EvictionPolicy.SLRU,
        load_threshold=10,
        bigram=True,
    )
    assert cache_config(config) == CacheConfig(
        page_size=2,
        device=Sizes(4, 5),
        host=Sizes(7, 8),
        window=3,
        write_back=True,
        threshold=9,
        eviction_policy="slru",
        load_threshold=10,
        bigram=True,
    )
    stateful = cache_config(Config(mamba_states=6, mamba_host_states=11))
    assert (stateful.device.mamba, stateful.host.mamba) == (6, 11)


def test_no_option_of_the_cache_is_out_of_reach() -> None:
    default, other = (
        cache_config(Config()),
        cache_config(
            Config(
                page_size=2,
                window=3,
                device_pages=4,
                swa_pages=5,
                host_pages=7,
                swa_host_pages=8,
                write_back=True,
                threshold=9,
                eviction_policy=EvictionPolicy.SLRU,
                load_threshold=10,
                bigram=True,
            )
        ),
    )
    for field in fields(CacheConfig):
        assert getattr(default, field.name) != getattr(other, field.name), field.name


def test_every_eviction_policy_has_its_name_in_the_cache() -> None:
    for policy in EvictionPolicy:
        assert cache_config(Config(eviction_policy=policy)).eviction_policy == policy.value
