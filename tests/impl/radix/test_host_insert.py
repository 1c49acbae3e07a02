"""Host inserts (semantics 10.3)."""

from __future__ import annotations

import pytest

from radixproof.impl.system import Fetched
from radixproof.model.config import Component, EvictionPolicy, Pool

from .lettered import NEVER, Cache, key


def test_fetched_prompt_is_found_on_the_host_and_can_be_loaded() -> None:
    cache = Cache(page_size=2)
    assert cache.fetch("abcd") == 4
    assert (cache.match("abcd"), cache.wrong()) == ((0, 4), set())
    assert cache.load("abcd") == 4
    cache.settle()
    assert (cache.match("abcd"), cache.wrong()) == ((4, 4), set())


def test_only_what_is_missing_is_kept() -> None:
    cache = Cache()
    cache.demote("abcd")
    assert cache.fetch("abxy") == 2, "the walk splits"
    assert cache.fetch("abcdef", start=4) == 2
    assert set(cache.nodes()) == {"ab", "abcd", "abxy", "abcdef"}
    assert (cache.free()[Pool.FULL_HOST], cache.wrong()) == (12, set())
    assert cache.fetch("ab") == 0


def test_node_without_a_host_copy_is_refilled() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("abcd")
    cache.put("abxy")
    assert cache.fetch("abcdef") == 6
    assert cache.resident_in(Pool.FULL_HOST) == {"ab", "abcd", "abcdef"}
    assert (cache.marked()[0], cache.wrong(), cache.free()[Pool.FULL_HOST]) == (
        set(),
        set(),
        14,
    )


def test_nothing_hangs_under_a_node_without_a_host_copy() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("ab")
    cache.put("abcd")
    assert cache.fetch("abcdef", start=2) == 0
    assert set(cache.nodes()) == {"ab", "abcd"}
    assert cache.free()[Pool.FULL_HOST] == 20


def test_write_back_hangs_it_anywhere_and_refills_nothing() -> None:
    cache = Cache(write_back=True)
    cache.put("ab")
    assert cache.fetch("abcd") == 2
    assert cache.resident_in(Pool.FULL_HOST) == {"abcd"}
    assert (cache.free()[Pool.FULL_HOST], cache.match("abcd")) == (18, (2, 4))


def test_fetched_slots_must_fit_the_key() -> None:
    cache = Cache()
    slots = cache.system.allocate_host(Pool.FULL_HOST, 2)
    assert slots is not None
    with pytest.raises(ValueError, match="slots"):
        cache.system.insert_host(key("abcd"), Fetched(slots), 0)


def test_window_and_state_are_fetched_along() -> None:
    cache = Cache(window=2, mamba=True)
    assert cache.fetch("abc", window=2, state=True) == 3
    assert set(cache.nodes()) == {"a", "abc"}, "split where the window begins"
    assert cache.match("abc") == (0, 3)
    assert cache.load("abc") == 3
    cache.settle()
    assert (cache.match("abc"), cache.wrong()) == ((3, 3), set())


def test_what_is_there_of_a_window_and_a_state_is_freed() -> None:
    cache = Cache(window=2, mamba=True)
    cache.fetch("abc", window=2, state=True)
    before = cache.free()
    assert cache.fetch("abc", window=2, state=True) == 0
    assert (cache.free(), cache.wrong()) == (before, set())


def test_node_on_the_device_takes_the_window_that_it_lacks() -> None:
    cache = Cache(window=2, threshold=NEVER)
    cache.put("abc")
    assert cache.fetch("abc", window=2) == 3
    assert cache.resident_in(Pool.SWA_HOST) == {"abc"}
    assert set(cache.nodes()) == {"a", "abc"}


def test_window_and_state_go_with_what_is_not_kept() -> None:
    cache = Cache(window=2, mamba=True, threshold=NEVER)
    cache.put("a")
    before = cache.free()
    assert cache.fetch("abc", start=1, window=2, state=True) == 0
    assert cache.free() == before


def test_a_window_belongs_to_the_end_of_its_key_alone() -> None:
    """Part of the prefix is gone, so that the rest of the key cannot be kept."""
    cache = Cache(window=2, mamba=True)
    cache.fetch("a", state=True)
    before = cache.free()
    assert cache.fetch("abcd", start=2, window=2, state=True) == 0
    assert cache.free() == before
    assert cache.resident_in(Pool.SWA_HOST) == set()


def test_under_write_back_an_end_without_a_host_copy_takes_nothing() -> None:
    cache = Cache(window=2, mamba=True, write_back=True)
    cache.put("ab")
    before = cache.free()
    assert cache.fetch("ab", window=2, state=True) == 0
    assert cache.free() == before


def test_fetched_node_is_as_urgent_as_its_parent() -> None:
    cache = Cache(eviction_policy=EvictionPolicy.PRIORITY)
    cache.put("a", priority=2)
    cache.fetch("ab", start=1)
    cache.fetch("xy")
    cache.system.evict_host(1, Component.FULL)
    assert set(cache.nodes()) == {"a", "ab"}, "and not the one that was used less recently"
