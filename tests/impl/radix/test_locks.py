"""Locks of the radix cache: windows released early, host locks, receipts that outlive splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.impl.radix.locks import Locks, ReceiptError
from radixproof.model.config import Pool

Bench = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


def device_locks(cache: Any) -> dict[str, tuple[int, int, int]]:
    return {text: node.locks for text, node in cache.nodes().items()}


def host_locks(cache: Any) -> dict[str, tuple[int, int, int]]:
    return {text: node.host_locks for text, node in cache.nodes().items()}


def path(bench: Bench, **options: Any) -> Any:
    """A cache with "ab", "abcd" and "abcdef", each with a window and a state."""
    cache = bench(window=3, mamba=True, **options)
    for text in ("ab", "abcd", "abcdef"):
        cache.put(text, state=True)
    cache.settle()
    return cache


# Windows released early (semantics 6.4)


def test_a_released_window_is_dropped_where_nothing_on_the_device_hangs_below(bench: Bench) -> None:
    cache = path(bench)
    receipt = cache.system.lock(cache.system.match(cache.key("abcdef")).anchor)
    assert device_locks(cache) == {"ab": (1, 0, 0), "abcd": (1, 1, 0), "abcdef": (1, 1, 1)}
    cache.system.release_window(receipt)
    assert device_locks(cache) == {"ab": (1, 0, 0), "abcd": (1, 0, 0), "abcdef": (1, 0, 0)}
    assert cache.locked_in(Pool.SWA) == cache.locked_in(Pool.MAMBA) == {"ab", "abcd"}
    assert (
        cache.locked_in(Pool.SWA_HOST)
        == cache.locked_in(Pool.MAMBA_HOST)
        == {"ab", "abcd", "abcdef"}
    )
    assert cache.see().protected == (6, 0, 0)
    cache.system.unlock(receipt)
    assert cache.see().protected == (0, 0, 0)


def test_a_window_that_another_lock_covers_stays(bench: Bench) -> None:
    cache = path(bench)
    receipts = [cache.system.lock(cache.system.match(cache.key("abcdef")).anchor) for _ in range(2)]
    cache.system.release_window(receipts[0])
    assert cache.locked_in(Pool.SWA) == cache.locked_in(Pool.MAMBA) == {"ab", "abcd", "abcdef"}
    cache.system.unlock(receipts[1])
    assert cache.locked_in(Pool.SWA) == {"ab", "abcd", "abcdef"}, "only a release drops it"
    cache.system.unlock(receipts[0])
    assert set(device_locks(cache).values()) == {(0, 0, 0)}


def test_a_window_is_released_once_and_only_with_a_good_receipt(bench: Bench) -> None:
    cache = path(bench)
    receipt = cache.system.lock(cache.system.match(cache.key("abcd")).anchor)
    cache.system.release_window(receipt)
    with pytest.raises(ReceiptError, match="released before"):
        cache.system.release_window(receipt)
    cache.system.unlock(receipt)
    for give_back in (cache.system.unlock, cache.system.release_window):
        with pytest.raises(ReceiptError, match="given back before"):
            give_back(receipt)
    assert set(device_locks(cache).values()) == {(0, 0, 0)}


def test_releasing_a_window_starts_no_backup(bench: Bench) -> None:
    cache = path(bench, write_back=True)
    receipt = cache.system.lock(cache.system.match(cache.key("abcdef")).anchor)
    cache.system.release_window(receipt)
    assert cache.locked_in(Pool.SWA) == {"ab", "abcd"}
    assert cache.locked_in(Pool.FULL_HOST) == set()


def test_a_window_split_under_a_lock_is_released_in_all_its_pieces(bench: Bench) -> None:
    cache = path(bench, threshold=NEVER)
    receipt = cache.system.lock(cache.system.match(cache.key("abcdef")).anchor)
    cache.match("abc")
    cache.match("abcde")
    cache.system.release_window(receipt)
    assert set(device_locks(cache).values()) == {(1, 0, 0)}
    assert cache.locked_in(Pool.SWA) == {"ab", "abc", "abcd", "abcde"}


def test_in_a_cache_of_full_only_there_is_no_window_to_release(bench: Bench) -> None:
    cache = bench()
    receipt = cache.system.lock(cache.put("ab"))
    cache.settle()
    cache.system.release_window(receipt)
    assert device_locks(cache) == {"ab": (1, 0, 0)}
    cache.system.unlock(receipt)


# Host locks (semantics 6.6)


def test_a_host_lock_covers_its_anchor_and_a_window(bench: Bench) -> None:
    cache = path(bench)
    receipt = cache.system.lock_host(cache.system.match(cache.key("abcdef")).best_anchor)
    assert host_locks(cache) == {"ab": (0, 0, 0), "abcd": (0, 1, 0), "abcdef": (1, 1, 1)}
    cache.system.unlock_host(receipt)
    assert set(host_locks(cache).values()) == {(0, 0, 0)}
    with pytest.raises(ReceiptError, match="before"):
        cache.system.unlock_host(receipt)


def test_host_receipts_follow_splits(bench: Bench) -> None:
    cache = path(bench)
    first = cache.system.lock_host(cache.system.match(cache.key("abcdef")).best_anchor)
    cache.match("abcde")
    cache.match("abc")
    assert host_locks(cache) == {
        "ab": (0, 0, 0),
        "abc": (0, 1, 0),
        "abcd": (0, 1, 0),
        "abcde": (1, 1, 0),
        "abcdef": (1, 1, 1),
    }
    second = cache.system.lock_host(cache.system.match(cache.key("abcdef")).best_anchor)
    assert host_locks(cache) == {
        "ab": (0, 0, 0),
        "abc": (0, 1, 0),
        "abcd": (0, 2, 0),
        "abcde": (1, 2, 0),
        "abcdef": (2, 2, 2),
    }
    cache.system.unlock_host(first)
    assert host_locks(cache) == {
        "ab": (0, 0, 0),
        "abc": (0, 0, 0),
        "abcd": (0, 1, 0),
        "abcde": (0, 1, 0),
        "abcdef": (1, 1, 1),
    }
    cache.system.unlock_host(second)
    assert set(host_locks(cache).values()) == {(0, 0, 0)}


def test_the_root_can_be_locked_on_the_host(bench: Bench) -> None:
    cache = bench(window=3, mamba=True)
    receipt = cache.system.lock_host(cache.system.match(cache.key("nothing")).best_anchor)
    cache.put("ab")
    assert host_locks(cache) == {"ab": (0, 0, 0)}
    cache.system.unlock_host(receipt)


def test_unlock_that_finds_no_host_lock_changes_nothing(bench: Bench) -> None:
    cache = path(bench)
    receipt = cache.system.lock_host(cache.system.match(cache.key("abcdef")).best_anchor)
    receipt.anchor.swa.host_locks = 0
    before = cache.nodes()
    with pytest.raises(ReceiptError, match="not locked on the host"):
        cache.system.unlock_host(receipt)
    assert cache.nodes() == before


def test_what_a_lock_would_pin_is_what_no_lock_covers(bench: Bench) -> None:
    cache = path(bench)
    upper, lower = (cache.system.match(cache.key(text)).anchor for text in ("abcd", "abcdef"))
    assert Locks.pinned_by(lower) == 6
    receipt = cache.system.lock(upper)
    assert Locks.pinned_by(lower) == 2
    assert Locks.pinned_by(upper) == 0
    cache.system.unlock(receipt)
