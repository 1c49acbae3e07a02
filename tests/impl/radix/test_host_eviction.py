"""Eviction from the host (semantics 7.9)."""

from __future__ import annotations

from radixproof.model.config import Component, Pool

from .lettered import Cache


def test_a_host_state_goes_alone_unless_its_node_is_a_host_leaf() -> None:
    cache = Cache(mamba=True, window=2)
    for text in ("ab", "abcd"):
        cache.put(text, state=True)
    cache.settle()
    cache.system.evict(9, 9, 9)
    assert cache.system.evict_host(2, Component.MAMBA) == 2
    assert cache.resident_in(Pool.FULL_HOST) == cache.resident_in(Pool.SWA_HOST) == set(), (
        "the deeper state is older, and its node a leaf"
    )
    cache.demote("ab")
    cache.put("abcd")
    cache.settle()
    assert cache.system.evict_host(1, Component.MAMBA) == 1
    assert cache.resident_in(Pool.FULL_HOST) == cache.resident_in(Pool.SWA_HOST) == {"ab", "abcd"}


def test_a_host_lock_keeps_copies_on_the_host_and_nothing_on_the_device() -> None:
    cache = Cache(window=2, mamba=True)
    for text in ("ab", "abcd", "abcdef"):
        cache.put(text, state=True)
    cache.settle()
    receipt = cache.lock_host("abcd")
    assert cache.system.evict(9, 9, 9) == (6, 6, 3)
    assert cache.system.evict_host(9, Component.SWA) == 4
    assert cache.system.evict_host(9, Component.MAMBA) == 0, "the state of ab went with its window"
    assert cache.system.evict_host(9, Component.FULL) == 0
    assert cache.resident_in(Pool.FULL_HOST) == {"ab", "abcd"}
    assert cache.resident_in(Pool.SWA_HOST) == cache.resident_in(Pool.MAMBA_HOST) == {"abcd"}
    cache.system.unlock_host(receipt)
    assert cache.system.evict_host(9, Component.FULL) == 4


def test_what_hangs_above_a_locked_node_is_no_room_on_the_host() -> None:
    cache = Cache(host_pages=4)
    for text in ("ab", "abcd"):
        cache.put(text)
    cache.settle()
    cache.system.evict(9, 0, 0)
    receipt = cache.lock_host("abcd")
    cache.put("x")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab", "abcd"}
    cache.system.unlock_host(receipt)
    cache.put("x")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab", "x"}


def test_duplicates_go_from_the_host_before_what_is_only_there() -> None:
    cache = Cache(write_back=True, window=2)
    for text in ("ab", "abcd", "xy", "uv"):
        cache.put(text)
    cache.system.evict(9, 0, 0)
    cache.put("abcd")
    cache.put("xy")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab", "abcd", "xy", "uv"}
    assert cache.system.evict_host(1, Component.FULL) == 2
    assert cache.resident_in(Pool.FULL_HOST) == {"abcd", "xy", "uv"}, "the one above another first"
    assert cache.resident_in(Pool.SWA_HOST) == {"ab", "abcd", "xy", "uv"}, "only FULL goes"
    receipt = cache.lock_host("abcd")
    assert cache.system.evict_host(3, Component.FULL) == 4
    assert cache.resident_in(Pool.FULL_HOST) == {"abcd"}
    assert set(cache.nodes()) == {"ab", "abcd", "xy"}
    cache.system.unlock_host(receipt)


def test_write_through_never_takes_the_host_copy_of_what_is_on_the_device() -> None:
    cache = Cache()
    cache.put("ab")
    cache.settle()
    assert cache.system.evict_host(9, Component.FULL) == 0


def test_host_leaves_go_oldest_first_and_device_copies_stay() -> None:
    cache = Cache(threshold=1)
    for text in ("ab", "abc", "xy", "z"):
        cache.put(text)
    cache.settle()
    cache.system.evict(9, 0, 0)
    cache.put("z")
    assert cache.system.evict_host(2, Component.FULL) == 3
    assert set(cache.nodes()) == {"xy", "z"}
    assert cache.system.evict_host(9, Component.FULL) == 2
    assert cache.resident_in(Pool.FULL_HOST) == {"z"}


def test_host_swa_is_dropped_alone_unless_its_node_is_a_host_leaf() -> None:
    cache = Cache(window=1, threshold=1)
    for text in ("a", "ab"):
        cache.put(text)
    cache.settle()
    cache.system.evict(0, 1, 0)
    assert cache.system.evict_host(1, Component.SWA) == 1
    assert cache.resident_in(Pool.FULL_HOST) == {"a", "ab"}
    assert cache.resident_in(Pool.SWA_HOST) == {"ab"}
    cache.system.evict(1, 0, 0)
    assert cache.system.evict_host(9, Component.SWA) == 1
    assert set(cache.nodes()) == {"a"}
