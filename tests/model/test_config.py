"""Configurations: what can be built, and the sizes that follow from it."""

from __future__ import annotations

from typing import Any

import pytest

from radixproof.model.config import (
    COMPONENTS,
    DEVICE,
    HOST,
    POOLS,
    Component,
    Config,
    ConfigError,
    Pool,
)
from radixproof.model.key import Key

WINDOW: dict[str, Any] = {"window": 2, "swa_pages": 4, "swa_host_pages": 5}
STATES: dict[str, Any] = {"mamba_states": 3, "mamba_host_states": 2}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"page_size": 0}, "page_size must be at least 1"),
        ({"device_pages": 0}, "device_pages must be at least 1"),
        ({"host_pages": -1}, "host_pages must be at least 0"),
        ({"threshold": 0}, "threshold must be at least 1"),
        ({"load_threshold": 0}, "load_threshold must be at least 1"),
        ({"ranks": 0}, "ranks must be at least 1"),
        (WINDOW | {"window": 0}, "window must be at least 1"),
        ({"window": 2}, "the swa pools must have room"),
        ({"window": 2, "swa_pages": 4}, "the swa pools must have room"),
        ({"swa_pages": 4}, "the swa pools must have room"),
        ({"mamba_states": 3}, "the mamba pools must have room"),
        ({"mamba_host_states": 3}, "the mamba pools must have room"),
        (WINDOW | {"host_pages": 0}, "the swa pools must have room"),
        ({"host_pages": 0, "write_back": True}, "write_back needs a host tier"),
        (STATES | {"bigram": True}, "bigram keys and MAMBA states exclude each other"),
    ],
)
def test_what_cannot_be_built_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Config(**options)


@pytest.mark.parametrize(
    ("options", "components", "pools"),
    [
        ({}, "FULL", "FULL FULL_HOST"),
        ({"host_pages": 0}, "FULL", "FULL"),
        (WINDOW, "FULL SWA", "FULL SWA FULL_HOST SWA_HOST"),
        (STATES, "FULL MAMBA", "FULL MAMBA FULL_HOST MAMBA_HOST"),
        (WINDOW | {"host_pages": 0, "swa_host_pages": 0}, "FULL SWA", "FULL SWA"),
    ],
)
def test_a_cache_has_the_components_and_pools_that_were_asked_for(
    options: dict[str, Any], components: str, pools: str
) -> None:
    config = Config(**options)
    assert [component.name for component in config.components] == components.split()
    assert [pool.name for pool in config.pools] == pools.split()
    assert config.hosted is ("HOST" in pools)


def test_pools_hold_slots_for_tokens_and_slots_for_states() -> None:
    given: dict[str, Any] = {"page_size": 2, "device_pages": 7, "host_pages": 9}
    config = Config(**given, **WINDOW, **STATES)
    assert [config.pages(pool) for pool in POOLS] == [7, 4, 3, 9, 5, 2]
    assert [config.slots(pool) for pool in POOLS] == [14, 8, 3, 18, 10, 2]
    assert [config.unit(pool) for pool in POOLS] == [2, 2, 1, 2, 2, 1]


def test_a_pool_is_one_component_on_one_tier() -> None:
    assert tuple(Component) == COMPONENTS
    assert (
        [pool.component for pool in DEVICE] == [pool.component for pool in HOST] == list(Component)
    )
    assert [pool for pool in Pool if pool.on_host] == list(HOST)


@pytest.mark.parametrize(("tokens", "whole"), [(0, 0), (2, 0), (3, 3), (5, 3), (6, 6)])
def test_lengths_are_rounded_down_to_whole_pages(tokens: int, whole: int) -> None:
    assert Config(page_size=3).floor(tokens) == whole


def test_keys_are_written_with_their_namespace() -> None:
    assert str(Key((1, 2))) == "[1 2]"
    assert str(Key((1, 2), "a")) == "a:[1 2]"
    assert str(Key(())) == "[]"
