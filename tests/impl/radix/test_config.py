"""Configurations: what a cache can be built with."""

from __future__ import annotations

from typing import Any

import pytest

from radixproof.impl.radix.config import CacheConfig, Component, Sizes

GOOD: dict[str, Any] = {"page_size": 2, "device": Sizes(8), "host": Sizes(4)}
WINDOWED = GOOD | {"device": Sizes(8, 4), "host": Sizes(4, 4), "window": 3}
STATEFUL = GOOD | {"device": Sizes(8, 0, 4), "host": Sizes(4, 0, 4)}


def test_components_and_tiers_are_those_that_have_room() -> None:
    assert CacheConfig(**GOOD).components == (Component.FULL,)
    assert CacheConfig(**WINDOWED).components == (Component.FULL, Component.SWA)
    assert CacheConfig(**STATEFUL).components == (Component.FULL, Component.MAMBA)
    assert (CacheConfig(**GOOD).stateful, CacheConfig(**STATEFUL).stateful) == (False, True)
    assert CacheConfig(**GOOD).hosted
    assert not CacheConfig(page_size=2, device=Sizes(8)).hosted


def test_lengths_are_rounded_down_to_whole_pages() -> None:
    config = CacheConfig(**GOOD)
    assert [config.floor(tokens) for tokens in range(5)] == [0, 0, 2, 2, 4]


def test_a_state_takes_one_slot_and_a_page_of_anything_else_one_a_token() -> None:
    config = CacheConfig(**STATEFUL)
    assert [config.slots_per_page(component) for component in Component] == [2, 2, 1]


@pytest.mark.parametrize(
    ("base", "changes", "why"),
    [
        (GOOD, {"page_size": 0}, "page_size must be at least 1"),
        (GOOD, {"threshold": 0}, "threshold must be at least 1"),
        (GOOD, {"load_threshold": 0}, "load_threshold must be at least 1"),
        (WINDOWED, {"window": 0}, "window must be at least 1"),
        (GOOD, {"eviction_policy": "random"}, "no eviction policy is called 'random'"),
        (GOOD, {"device": Sizes()}, "no cache is of"),
        (GOOD, {"device": Sizes(8, -1)}, "no cache is of"),
        (GOOD, {"host": Sizes(4, 0, -1)}, "no cache is of"),
        (GOOD, {"window": 3}, "or neither"),
        (WINDOWED, {"window": None}, "or neither"),
        (WINDOWED, {"host": Sizes(4)}, "room on the host for SWA: 0"),
        (WINDOWED, {"host": Sizes(0, 4)}, "room on the host for SWA: 4"),
        (GOOD, {"host": Sizes(4, 0, 4)}, "room on the host for MAMBA: 4"),
        (GOOD, {"host": Sizes(), "write_back": True}, "write_back needs a host tier"),
        (STATEFUL, {"bigram": True}, "exclude each other"),
    ],
)
def test_what_no_cache_can_be_built_with_is_refused(
    base: dict[str, Any], changes: dict[str, Any], why: str
) -> None:
    assert CacheConfig(**base)
    with pytest.raises(ValueError, match=why):
        CacheConfig(**(base | changes))
