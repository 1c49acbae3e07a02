"""Eviction in the radix cache: orders, write-back, host locks, no host tier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Component, EvictionPolicy, Pool

Bench = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""

ORDERS = {
    EvictionPolicy.LRU: "bca",
    EvictionPolicy.LFU: "cab",
    EvictionPolicy.FIFO: "abc",
    EvictionPolicy.MRU: "acb",
    EvictionPolicy.FILO: "cba",
    EvictionPolicy.PRIORITY: "bac",
    EvictionPolicy.SLRU: "cba",
}


def three_leaves(cache: Any) -> None:
    """Created as a, b, c; last used as b, c, a; hit 2, 3 and 1 times; of priority 1, 0 and 2."""
    for text, priority in zip("abcabb", (1, 0, 2, 0, 0, 0), strict=True):
        cache.put(text, priority=priority)
    for text in "ca":
        cache.match(text)


@pytest.mark.parametrize("order", EvictionPolicy)
def test_device_leaves_go_in_the_configured_order(bench: Bench, order: EvictionPolicy) -> None:
    cache = bench(eviction_policy=order, threshold=NEVER)
    three_leaves(cache)
    gone = ""
    for _ in range(3):
        before = cache.locked_in(Pool.FULL)
        assert cache.system.evict(1, 0, 0) == (1, 0, 0)
        gone += "".join(before - cache.locked_in(Pool.FULL))
    assert gone == ORDERS[order]


@pytest.mark.parametrize("order", EvictionPolicy)
def test_host_leaves_go_in_the_configured_order(bench: Bench, order: EvictionPolicy) -> None:
    cache = bench(eviction_policy=order)
    three_leaves(cache)
    cache.settle()
    cache.system.evict(3, 0, 0)
    gone = ""
    for _ in range(3):
        before = cache.locked_in(Pool.FULL_HOST)
        assert cache.system.evict_host(1, Component.FULL) == 1
        gone += "".join(before - cache.locked_in(Pool.FULL_HOST))
    assert gone == ORDERS[order]


def test_equals_go_least_recently_used_first(bench: Bench) -> None:
    cache = bench(eviction_policy=EvictionPolicy.PRIORITY, threshold=NEVER)
    for text in "abc":
        cache.put(text, priority=1)
    cache.match("a")
    cache.system.evict(2, 0, 0)
    assert cache.locked_in(Pool.FULL) == {"a"}


def test_a_walked_node_has_the_highest_priority_it_was_ever_given(bench: Bench) -> None:
    cache = bench(eviction_policy=EvictionPolicy.PRIORITY, threshold=NEVER)
    cache.put("ab", priority=2)
    cache.put("c", priority=1)
    cache.put("a", priority=0)
    cache.match("c")
    cache.system.evict(1, 0, 0)
    assert cache.locked_in(Pool.FULL) == {"a", "ab"}, (
        "both halves of a split have the priority of the whole"
    )
    cache.put("c", priority=1)
    cache.put("a", priority=3)
    cache.put("c", priority=2)
    cache.system.evict(2, 0, 0)
    assert cache.locked_in(Pool.FULL) == {"a"}


def test_halves_of_a_node_were_made_when_it_was(bench: Bench) -> None:
    cache = bench(eviction_policy=EvictionPolicy.FIFO, threshold=NEVER)
    cache.put("abc")
    cache.put("x")
    cache.put("ab")
    cache.system.evict(3, 0, 0)
    assert cache.locked_in(Pool.FULL) == {"x"}


def test_a_parent_that_becomes_a_leaf_takes_its_turn(bench: Bench) -> None:
    cache = bench(eviction_policy=EvictionPolicy.FIFO, threshold=NEVER)
    for text in ("a", "x", "ab"):
        cache.put(text)
    cache.system.evict(2, 0, 0)
    assert cache.locked_in(Pool.FULL) == {"a"}


# No host tier


def test_without_a_host_tier_what_is_evicted_is_deleted(bench: Bench) -> None:
    cache = bench(host_pages=0, swa_host_pages=0, mamba_host_states=0, window=2, mamba=True)
    cache.put("ab", state=True)
    assert not cache.nodes()["ab"].pending
    assert cache.system.lock_host(cache.system.match(cache.key("ab")).best_anchor)
    cache.put("xy", state=True)
    assert cache.system.evict(9, 9, 9) == (2, 2, 1), "a host lock keeps a node from being deleted"
    assert list(cache.nodes()) == ["ab"]
    assert cache.see().free[Pool.FULL_HOST] == 0


# Host locks


def test_an_unbacked_leaf_with_a_host_lock_stays_whole(bench: Bench) -> None:
    cache = bench(window=2, mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    receipt = cache.system.lock_host(cache.system.match(cache.key("ab")).best_anchor)
    assert cache.system.evict(9, 9, 9) == (0, 0, 0)
    cache.system.unlock_host(receipt)
    assert cache.system.evict(9, 9, 9) == (2, 2, 1)


def test_a_host_lock_keeps_copies_on_the_host_and_nothing_on_the_device(bench: Bench) -> None:
    cache = bench(window=2, mamba=True)
    for text in ("ab", "abcd", "abcdef"):
        cache.put(text, state=True)
    cache.settle()
    receipt = cache.system.lock_host(cache.system.match(cache.key("abcd")).best_anchor)
    assert cache.system.evict(9, 9, 9) == (6, 6, 3)
    assert cache.system.evict_host(9, Component.SWA) == 4
    assert cache.system.evict_host(9, Component.MAMBA) == 0, "the state of ab went with its window"
    assert cache.system.evict_host(9, Component.FULL) == 0
    assert cache.locked_in(Pool.FULL_HOST) == {"ab", "abcd"}
    assert cache.locked_in(Pool.SWA_HOST) == cache.locked_in(Pool.MAMBA_HOST) == {"abcd"}
    cache.system.unlock_host(receipt)
    assert cache.system.evict_host(9, Component.FULL) == 4


def test_what_hangs_above_a_locked_node_is_no_room_on_the_host(bench: Bench) -> None:
    cache = bench(host_pages=4)
    for text in ("ab", "abcd"):
        cache.put(text)
    cache.settle()
    cache.system.evict(9, 0, 0)
    receipt = cache.system.lock_host(cache.system.match(cache.key("abcd")).best_anchor)
    cache.put("x")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab", "abcd"}
    cache.system.unlock_host(receipt)
    cache.put("x")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab", "x"}


# Write-back


def test_hits_start_no_backup_under_write_back_and_eviction_does(bench: Bench) -> None:
    cache = bench(write_back=True, window=2, mamba=True)
    cache.put("ab", state=True)
    cache.put("ab")
    assert cache.locked_in(Pool.FULL_HOST) == set()
    assert cache.system.evict(2, 0, 0) == (2, 2, 1)
    assert (
        cache.locked_in(Pool.FULL_HOST)
        == cache.locked_in(Pool.SWA_HOST)
        == cache.locked_in(Pool.MAMBA_HOST)
        == {"ab"}
    )
    assert not cache.wrong()
    assert cache.system.match(cache.key("ab")).host == (2, 2, 1)


@pytest.mark.parametrize(("swa", "mamba"), [(1, 0), (0, 1)])
def test_an_interior_node_is_backed_up_before_it_loses_anything(
    bench: Bench, swa: int, mamba: int
) -> None:
    cache = bench(write_back=True, window=2, mamba=True)
    for text in ("ab", "abcd"):
        cache.put(text, state=True)
    assert cache.system.evict(0, swa, mamba) == (0, 2 * swa, 1)
    assert cache.locked_in(Pool.FULL) == {"ab", "abcd"}
    assert (
        cache.locked_in(Pool.FULL_HOST)
        == cache.locked_in(Pool.SWA_HOST)
        == cache.locked_in(Pool.MAMBA_HOST)
        == {"ab"}
    )
    assert not cache.wrong()


def test_an_interior_node_that_finds_no_room_loses_its_window_all_the_same(bench: Bench) -> None:
    cache = bench(write_back=True, window=2)
    cache.put("ab")
    cache.put("abcd")
    cache.system.refuse(Pool.SWA_HOST)
    assert cache.system.evict(0, 1, 0) == (0, 2, 0)
    assert cache.locked_in(Pool.FULL_HOST) == cache.locked_in(Pool.SWA_HOST) == set()
    assert cache.see().free[Pool.FULL_HOST] == 20


def unbacked_over_host_only(bench: Bench) -> Any:
    """Under write-back: "ab" on the device only, above "abcd" and "abef" on the host only."""
    cache = bench(write_back=True)
    for text in ("ab", "abcd", "abef"):
        cache.put(text)
    cache.system.evict(4, 0, 0)
    assert (cache.locked_in(Pool.FULL), cache.locked_in(Pool.FULL_HOST)) == (
        {"ab"},
        {"abcd", "abef"},
    )
    return cache


def test_a_leaf_that_cannot_be_backed_up_is_deleted_with_what_hangs_below(bench: Bench) -> None:
    cache = unbacked_over_host_only(bench)
    cache.system.refuse(Pool.FULL_HOST)
    assert cache.system.evict(1, 0, 0) == (2, 0, 0)
    assert cache.nodes() == {}
    seen = cache.see()
    assert (seen.free[Pool.FULL], seen.free[Pool.FULL_HOST]) == (20, 20)


@pytest.mark.parametrize("text", ["ab", "abef"])
def test_a_host_lock_below_keeps_a_leaf_that_cannot_be_backed_up(bench: Bench, text: str) -> None:
    cache = unbacked_over_host_only(bench)
    cache.put("x")
    receipt = cache.system.lock_host(cache.system.match(cache.key(text)).best_anchor)
    cache.system.refuse(Pool.FULL_HOST)
    cache.system.match(cache.key("x"))
    assert cache.system.evict(1, 0, 0) == (1, 0, 0), "it is passed over, and the next one goes"
    assert (cache.locked_in(Pool.FULL), cache.locked_in(Pool.FULL_HOST)) == (
        {"ab"},
        {"x", "abcd", "abef"},
    )
    cache.system.unlock_host(receipt)
    assert cache.system.evict(1, 0, 0) == (2, 0, 0)
    assert cache.locked_in(Pool.FULL_HOST) == {"x", "ab", "abcd", "abef"}


def test_duplicates_go_from_the_host_before_what_is_only_there(bench: Bench) -> None:
    cache = bench(write_back=True, window=2)
    for text in ("ab", "abcd", "xy", "uv"):
        cache.put(text)
    cache.system.evict(9, 0, 0)
    cache.put("abcd")
    cache.put("xy")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab", "abcd", "xy", "uv"}
    assert cache.system.evict_host(1, Component.FULL) == 2
    assert cache.locked_in(Pool.FULL_HOST) == {"abcd", "xy", "uv"}, "the one above another first"
    assert cache.locked_in(Pool.SWA_HOST) == {"ab", "abcd", "xy", "uv"}, "only FULL goes"
    receipt = cache.system.lock_host(cache.system.match(cache.key("abcd")).best_anchor)
    assert cache.system.evict_host(3, Component.FULL) == 4
    assert cache.locked_in(Pool.FULL_HOST) == {"abcd"}
    assert set(cache.nodes()) == {"ab", "abcd", "xy"}
    cache.system.unlock_host(receipt)


def test_write_through_never_takes_the_host_copy_of_what_is_on_the_device(bench: Bench) -> None:
    cache = bench()
    cache.put("ab")
    cache.settle()
    assert cache.system.evict_host(9, Component.FULL) == 0
