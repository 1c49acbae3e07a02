"""Locks: what they cover, splits under them, windows released early (semantics 6)."""

from __future__ import annotations

from typing import Any

import pytest

from radixproof.impl.observation import PerComponent
from radixproof.impl.radix.locks import Locks, ReceiptError
from radixproof.model.config import Component, Pool

from .lettered import NEVER, Cache, key, shown


def test_a_lock_covers_the_state_of_its_anchor_and_one_that_comes_later() -> None:
    cache = Cache(mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    receipt = cache.system.lock(cache.put("abcd").anchor)
    assert cache.nodes()["ab"].locks == (1, 0, 0)
    assert cache.nodes()["abcd"].locks == (1, 0, 1)
    cache.put("abcd", state=True)
    seen = cache.see()
    assert (seen.evictable, seen.protected) == ((0, 0, 1), (4, 0, 1))
    assert cache.system.evict(9, 9, 9) == (0, 0, 1)
    assert cache.resident_in(Pool.MAMBA) == {"abcd"}
    cache.system.unlock(receipt)
    assert cache.see().evictable == (4, 0, 1)


def device_locks(cache: Cache) -> dict[str, PerComponent]:
    return {text: shown(node.locks) for text, node in cache.nodes().items()}


def host_locks(cache: Cache) -> dict[str, PerComponent | None]:
    return {text: node.host_locks for text, node in cache.nodes().items()}


def path(**options: Any) -> Cache:
    """A cache with "ab", "abcd" and "abcdef", each with a window and a state."""
    cache = Cache(window=3, mamba=True, **options)
    for text in ("ab", "abcd", "abcdef"):
        cache.put(text, state=True)
    cache.settle()
    return cache


def test_a_released_window_is_dropped_where_nothing_on_the_device_hangs_below() -> None:
    cache = path()
    receipt = cache.lock("abcdef")
    assert device_locks(cache) == {"ab": (1, 0, 0), "abcd": (1, 1, 0), "abcdef": (1, 1, 1)}
    cache.system.release_window(receipt)
    assert device_locks(cache) == {"ab": (1, 0, 0), "abcd": (1, 0, 0), "abcdef": (1, 0, 0)}
    assert cache.resident_in(Pool.SWA) == cache.resident_in(Pool.MAMBA) == {"ab", "abcd"}
    assert (
        cache.resident_in(Pool.SWA_HOST)
        == cache.resident_in(Pool.MAMBA_HOST)
        == {"ab", "abcd", "abcdef"}
    )
    assert cache.see().protected == (6, 0, 0)
    cache.system.unlock(receipt)
    assert cache.see().protected == (0, 0, 0)


def test_a_window_that_another_lock_covers_stays() -> None:
    cache = path()
    receipts = [cache.lock("abcdef") for _ in range(2)]
    cache.system.release_window(receipts[0])
    assert cache.resident_in(Pool.SWA) == cache.resident_in(Pool.MAMBA) == {"ab", "abcd", "abcdef"}
    cache.system.unlock(receipts[1])
    assert cache.resident_in(Pool.SWA) == {"ab", "abcd", "abcdef"}, "only a release drops it"
    cache.system.unlock(receipts[0])
    assert set(device_locks(cache).values()) == {(0, 0, 0)}


def test_a_window_is_released_once_and_only_with_a_good_receipt() -> None:
    cache = path()
    receipt = cache.lock("abcd")
    cache.system.release_window(receipt)
    with pytest.raises(ReceiptError, match="released before"):
        cache.system.release_window(receipt)
    cache.system.unlock(receipt)
    for give_back in (cache.system.unlock, cache.system.release_window):
        with pytest.raises(ReceiptError, match="given back before"):
            give_back(receipt)
    assert set(device_locks(cache).values()) == {(0, 0, 0)}


def test_releasing_a_window_starts_no_backup() -> None:
    cache = path(write_back=True)
    receipt = cache.lock("abcdef")
    cache.system.release_window(receipt)
    assert cache.resident_in(Pool.SWA) == {"ab", "abcd"}
    assert cache.resident_in(Pool.FULL_HOST) == set()


def test_a_window_split_under_a_lock_is_released_in_all_its_pieces() -> None:
    cache = path(threshold=NEVER)
    receipt = cache.lock("abcdef")
    cache.match("abc")
    cache.match("abcde")
    cache.system.release_window(receipt)
    assert set(device_locks(cache).values()) == {(1, 0, 0)}
    assert cache.resident_in(Pool.SWA) == {"ab", "abc", "abcd", "abcde"}


def test_in_a_cache_of_full_only_there_is_no_window_to_release() -> None:
    cache = Cache()
    receipt = cache.system.lock(cache.put("ab").anchor)
    cache.settle()
    cache.system.release_window(receipt)
    assert device_locks(cache) == {"ab": (1, 0, 0)}
    cache.system.unlock(receipt)


def test_a_host_lock_covers_its_anchor_and_a_window() -> None:
    cache = path()
    receipt = cache.lock_host("abcdef")
    assert host_locks(cache) == {"ab": (0, 0, 0), "abcd": (0, 1, 0), "abcdef": (1, 1, 1)}
    cache.system.unlock_host(receipt)
    assert set(host_locks(cache).values()) == {(0, 0, 0)}
    with pytest.raises(ReceiptError, match="before"):
        cache.system.unlock_host(receipt)


def test_host_receipts_follow_splits() -> None:
    cache = path()
    first = cache.lock_host("abcdef")
    cache.match("abcde")
    cache.match("abc")
    assert host_locks(cache) == {
        "ab": (0, 0, 0),
        "abc": (0, 1, 0),
        "abcd": (0, 1, 0),
        "abcde": (1, 1, 0),
        "abcdef": (1, 1, 1),
    }
    second = cache.lock_host("abcdef")
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


def test_the_root_can_be_locked_on_the_host() -> None:
    cache = Cache(window=3, mamba=True)
    receipt = cache.lock_host("nothing")
    cache.put("ab")
    assert host_locks(cache) == {"ab": (0, 0, 0)}
    cache.system.unlock_host(receipt)


def test_unlock_that_finds_no_host_lock_changes_nothing() -> None:
    cache = path()
    receipt = cache.lock_host("abcdef")
    receipt.anchor.swa.host_locks = 0
    before = cache.nodes()
    with pytest.raises(ReceiptError, match="not locked on the host"):
        cache.system.unlock_host(receipt)
    assert cache.nodes() == before


def test_what_a_lock_would_pin_is_what_no_lock_covers() -> None:
    cache = path()
    upper, lower = (cache.anchor(text) for text in ("abcd", "abcdef"))
    assert Locks.pinned_by(lower) == 6
    receipt = cache.system.lock(upper)
    assert Locks.pinned_by(lower) == 2
    assert Locks.pinned_by(upper) == 0
    cache.system.unlock(receipt)


def test_lock_covers_the_full_path_and_a_window_of_swa() -> None:
    cache = Cache(window=3, threshold=NEVER)
    for text in ("ab", "abcd", "abcdef"):
        cache.put(text)
    receipt = cache.lock("abcdef")
    assert cache.locks(Component.FULL) == {"ab": 1, "abcd": 1, "abcdef": 1}
    assert cache.locks(Component.SWA) == {"ab": 0, "abcd": 1, "abcdef": 1}
    seen = cache.see()
    assert (seen.evictable, seen.protected) == ((0, 2, 0), (6, 4, 0))
    cache.system.unlock(receipt)
    assert cache.see().protected == (0, 0, 0)


def test_receipts_follow_splits_of_every_node_they_cover() -> None:
    cache = Cache(window=5, threshold=NEVER)
    for text in ("abcd", "abcdefgh"):
        cache.put(text)
    first = cache.lock("abcdefgh")
    cache.match("ab")
    cache.match("abcdef")
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 1, "abcdef": 1, "abcdefgh": 1}
    second = cache.lock("abcdefgh")
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 2, "abcdef": 2, "abcdefgh": 2}
    cache.match("abc")
    cache.system.unlock(first)
    assert cache.locks(Component.SWA) == {"ab": 0, "abc": 1, "abcd": 1, "abcdef": 1, "abcdefgh": 1}
    assert cache.locks(Component.FULL) == {"ab": 1, "abc": 1, "abcd": 1, "abcdef": 1, "abcdefgh": 1}
    cache.system.unlock(second)
    assert cache.see().protected == (0, 0, 0)


def test_lock_counts_tombstones_so_that_their_recovery_costs_nobody_a_lock() -> None:
    cache = Cache(window=4, threshold=1)
    cache.put("ab")
    cache.put("abcd")
    cache.settle()
    cache.system.evict(0, 2, 0)
    found = cache.system.match(key("abcd"))
    assert (found.device, found.best) == (0, 4)
    anchor = cache.best("abcd")
    first = cache.system.lock(anchor)
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 1}
    cache.put("abcd")
    assert cache.see().protected == (4, 4, 0), "SWA that came back under a lock is protected"
    second = cache.lock("abcd")
    cache.system.unlock(first)
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 1}
    assert cache.system.evict(9, 9, 0) == (0, 0, 0)
    cache.system.unlock(second)
    assert cache.see().protected == (0, 0, 0)


def test_receipt_is_good_once_and_only_for_its_tree() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("ab")
    receipt = cache.lock("ab")
    cache.system.unlock(receipt)
    with pytest.raises(ReceiptError, match="before"):
        cache.system.unlock(receipt)
    assert cache.locks(Component.FULL) == {"ab": 0}
    anchor = cache.anchor("ab")
    stale = cache.system.lock(anchor)
    cache.system.reset()
    with pytest.raises(ReceiptError, match="not in the tree"):
        cache.system.unlock(stale)
    with pytest.raises(ReceiptError, match="not in the tree"):
        cache.system.lock(anchor)


def test_unlock_that_finds_no_lock_changes_nothing() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("ab")
    cache.put("abcd")
    receipt = cache.lock("abcd")
    receipt.anchor.parent.full.locks = 0
    before = cache.nodes()
    with pytest.raises(ReceiptError, match="not locked"):
        cache.system.unlock(receipt)
    assert cache.nodes() == before


def test_root_can_be_locked() -> None:
    cache = Cache(window=2, threshold=NEVER)
    receipt = cache.lock("nothing")
    cache.put("ab")
    assert cache.system.evict(2, 0, 0) == (2, 2, 0)
    cache.system.unlock(receipt)
