"""Host inserts (semantics 10.3)."""

from __future__ import annotations

import pytest

from radixproof.model.config import Pool

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
    slots = cache.system.allocate_host(2)
    assert slots is not None
    with pytest.raises(ValueError, match="slots"):
        cache.system.insert_host(key("abcd"), slots, 0)
