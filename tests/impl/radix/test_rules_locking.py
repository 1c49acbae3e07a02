"""Locks: the rules of the radix cache, one at a time (semantics 6)."""

from __future__ import annotations

import pytest

from radixproof.impl.radix.locks import ReceiptError
from radixproof.model.config import Component
from radixproof.model.key import Key

from .lettered import Cache


def test_lock_covers_the_full_path_and_a_window_of_swa() -> None:
    cache = Cache(window=3)
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
    cache = Cache(window=5)
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
    found = cache.system.match(Key(tuple(map(ord, "abcd"))))
    assert (found.device, found.best) == (0, 4)
    anchor = cache.system.cache.match(tuple(map(ord, "abcd"))).best_node
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
    cache = Cache()
    cache.put("ab")
    receipt = cache.lock("ab")
    cache.system.unlock(receipt)
    with pytest.raises(ReceiptError, match="before"):
        cache.system.unlock(receipt)
    assert cache.locks(Component.FULL) == {"ab": 0}
    anchor = cache.system.match(Key(tuple(map(ord, "ab")))).anchor
    stale = cache.system.lock(anchor)
    cache.system.reset()
    with pytest.raises(ReceiptError, match="not in the tree"):
        cache.system.unlock(stale)
    with pytest.raises(ReceiptError, match="not in the tree"):
        cache.system.lock(anchor)


def test_unlock_that_finds_no_lock_changes_nothing() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("abcd")
    receipt = cache.lock("abcd")
    receipt.anchor.parent.full.locks = 0
    before = cache.nodes()
    with pytest.raises(ReceiptError, match="not locked"):
        cache.system.unlock(receipt)
    assert cache.nodes() == before


def test_root_can_be_locked() -> None:
    cache = Cache(window=2)
    receipt = cache.lock("nothing")
    cache.put("ab")
    assert cache.system.evict(2, 0, 0) == (2, 2, 0)
    cache.system.unlock(receipt)
