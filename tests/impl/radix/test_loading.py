"""Load-backs (semantics 9)."""

from __future__ import annotations

from typing import Any

import pytest

from radixproof.model.config import Component, Pool

from .lettered import Cache

NOTHING = (0, 0, 0)


def chain(**options: Any) -> Cache:
    """On the host only: "abcd" and below it "abcdefgh", each with a window and a state."""
    cache = Cache(mamba=True, window=4, **options)
    cache.put("abcd", state=True)
    cache.demote("abcdefgh")
    assert cache.match("abcdefgh") == (0, 8)
    return cache


def test_path_comes_back_with_its_window_and_its_state() -> None:
    cache = chain()
    assert cache.load("abcdefgh") == 8
    assert cache.match("abcdefgh") == (8, 8)
    assert (cache.resident_in(Pool.SWA), cache.resident_in(Pool.MAMBA)) == (
        {"abcdefgh"},
        {"abcdefgh"},
    )
    assert cache.marked() == (set(), {"abcd", "abcdefgh"})
    late = {
        ("abcd", Pool.FULL),
        ("abcdefgh", Pool.FULL),
        ("abcdefgh", Pool.SWA),
        ("abcdefgh", Pool.MAMBA),
    }
    assert cache.wrong() == late
    full, swa, *_ = cache.nodes()["abcdefgh"].slots
    assert full is not None
    assert swa is not None
    assert cache.system.swa_of(full) == list(swa)
    assert (
        cache.system.run_copies(9, load=True),
        cache.system.copied(load=True),
        cache.wrong(),
    ) == (1, 1, set())
    assert cache.system.loading_check(blocking=False) == 1
    assert cache.resident_in(Pool.FULL_HOST) == {"abcd", "abcdefgh"}


def test_source_and_target_are_locked_until_the_check() -> None:
    cache = chain()
    cache.load("abcdefgh")
    assert cache.protected() == (8, 4, 1)
    assert cache.system.evict(9, 9, 9) == NOTHING
    assert [cache.system.evict_host(9, component) for component in Component] == [0, 0, 0]
    cache.settle()
    assert (cache.protected(), cache.marked()[1]) == (NOTHING, set())
    assert all(node.host_locks == NOTHING for node in cache.nodes().values())
    assert [cache.system.evict_host(9, component) for component in Component] == [0, 4, 0], (
        "what was not loaded"
    )
    assert cache.system.evict(9, 9, 9) == (8, 4, 1)


def test_pieces_of_a_loading_node_load_until_the_check() -> None:
    cache = chain()
    cache.load("abcdefgh")
    cache.match("abcdef")
    assert cache.marked()[1] == {"abcd", "abcdef", "abcdefgh"}
    cache.settle()
    assert (cache.marked()[1], cache.wrong(), cache.protected()) == (set(), set(), NOTHING)
    assert all(node.host_locks == NOTHING for node in cache.nodes().values())


def test_window_and_state_come_back_by_themselves_below_any_threshold() -> None:
    cache = Cache(mamba=True, window=2, load_threshold=9)
    cache.demote("abcd")
    cache.put("abcdef", evicted=6)
    cache.settle()
    assert cache.match("abcd") == (0, 4)
    assert cache.load("abcd") == 0
    assert (cache.resident_in(Pool.SWA), cache.resident_in(Pool.MAMBA)) == ({"abcd"}, {"abcd"})
    assert cache.marked()[1] == {"abcd"}
    cache.settle()
    assert (cache.match("abcd"), cache.wrong()) == ((4, 4), set())


def test_several_load_backs_are_outstanding_and_end_in_order() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("abcd")
    cache.demote("xy")
    assert (cache.load("ab"), cache.load("abcd"), cache.load("xy"), cache.load("xy")) == (
        2,
        2,
        2,
        0,
    )
    assert cache.marked()[1] == {"ab", "abcd", "xy"}
    assert cache.system.run_copies(1, load=True, fail=True) == 1
    assert cache.system.run_copies(1, load=True) == 1
    assert (cache.system.loading_check(blocking=False), cache.wrong()) == (
        0,
        {("ab", Pool.FULL), ("xy", Pool.FULL)},
    )
    assert cache.system.run_copies(2, load=True) == 2
    assert (cache.system.copied(load=True), cache.wrong()) == (3, set())
    assert (cache.system.loading_check(blocking=False, limit=2), cache.marked()[1]) == (2, {"xy"})
    assert cache.system.loading_check(blocking=True) == 1
    assert cache.protected() == NOTHING


def test_too_short_or_over_quota_is_refused() -> None:
    cache = Cache(load_threshold=3)
    cache.demote("abcd")
    cache.put("ab")
    cache.settle()
    before = cache.state()
    assert (cache.load("abcd"), cache.load("abcd", quota=3)) == (0, 0), "two tokens to load"
    assert cache.state() == before
    cache.put("abcdef")
    cache.settle()
    cache.system.evict(4, 0, 0)
    assert cache.load("abcdef", quota=5) == 0, "four tokens to load, and two more would be locked"
    lock = cache.lock("ab")
    assert cache.load("abcdef", quota=4) == 4
    cache.system.unlock(lock)


def test_device_without_room_refuses_before_anything_is_evicted() -> None:
    cache = Cache(device_pages=6)
    cache.demote("abcd")
    cache.put("xyz")
    cache.settle()
    cache.lock("xyz")
    cache.put("pq")
    cache.settle()
    before = cache.state()
    assert cache.load("abcd") == 0, "three free or evictable"
    assert cache.state() == before
    assert cache.load("ab") == 2, "evicts the older of what can go"


@pytest.mark.parametrize("pool", [Pool.FULL, Pool.SWA, Pool.MAMBA])
def test_refused_allocation_undoes_the_whole_load_back(pool: Pool) -> None:
    cache = chain()
    before = cache.state()
    cache.system.refuse(pool)
    assert cache.load("abcdefgh") == 0
    assert cache.state() == before
    assert cache.load("abcdefgh") == 8, "once only"


def test_write_back_makes_room_for_a_load_back_by_backing_up() -> None:
    cache = Cache(device_pages=4, write_back=True)
    cache.demote("abcd")
    cache.put("wxyz")
    assert cache.load("abcd") == 4
    assert cache.resident_in(Pool.FULL_HOST) == {"abcd", "wxyz"}
    assert cache.system.evict_host(9, Component.FULL) == 4, "what is loading is no spare copy yet"
    cache.settle()
    assert cache.system.evict_host(9, Component.FULL) == 4
    assert (cache.wrong(), cache.match("abcd")) == (set(), (4, 4))
