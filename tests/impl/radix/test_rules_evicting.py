"""Eviction: the rules of the radix cache, one at a time (semantics 7)."""

from __future__ import annotations

from radixproof.model.config import Component, Pool

from .lettered import SWA_HOST, Cache


def test_leaves_go_oldest_first_and_parents_follow() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("abc")
    cache.put("xy")
    cache.match("ab")
    assert cache.system.evict(2, 0, 0) == (3, 0, 0)
    assert set(cache.nodes()) == {"ab"}
    assert cache.system.evict(9, 0, 0) == (2, 0, 0)
    assert cache.see().free[Pool.FULL] == 20


def test_locked_and_in_flight_nodes_stay() -> None:
    cache = Cache(threshold=1)
    cache.put("ab")
    assert cache.nodes()["ab"].pending
    assert cache.system.evict(2, 0, 0) == (0, 0, 0)
    assert cache.system.run_copies(5) == 1
    assert cache.system.evict(2, 0, 0) == (0, 0, 0), "only the acknowledgement unlocks"
    assert cache.system.writing_check(blocking=False) == 1
    receipt = cache.lock("ab")
    assert cache.system.evict(2, 0, 0) == (0, 0, 0)
    cache.system.unlock(receipt)
    assert cache.system.evict(2, 0, 0) == (2, 0, 0)


def test_backed_leaf_is_demoted_and_another_deleted() -> None:
    cache = Cache(threshold=2, window=2)
    cache.put("ab")
    cache.put("ab")
    cache.put("xy")
    cache.settle()
    assert cache.system.evict(4, 0, 0) == (4, 4, 0)
    assert cache.locked_in(Pool.FULL_HOST) == cache.locked_in(Pool.SWA_HOST) == {"ab"}
    assert cache.locked_in(Pool.FULL) == cache.locked_in(Pool.SWA) == set()
    assert cache.match("ab") == (0, 2)
    assert cache.whole().host_leaves == {cache.nodes()["ab"].id}


def test_swa_of_interior_nodes_becomes_a_tombstone_and_leaves_go_whole() -> None:
    cache = Cache(window=1)
    cache.put("ab")
    cache.put("abc")
    assert cache.locked_in(Pool.SWA) == {"a", "ab", "abc"}
    assert cache.system.evict(0, 1, 0) == (0, 1, 0)
    assert cache.locked_in(Pool.SWA) == {"ab", "abc"}
    cache.match("ab")
    assert cache.system.evict(0, 1, 0) == (1, 1, 0), "the oldest SWA is on a leaf now"
    assert set(cache.nodes()) == {"a", "ab"}


def test_tombstone_keeps_its_host_copy_and_locked_swa_stays() -> None:
    cache = Cache(window=1, threshold=1)
    for text in ("a", "ab", "abc"):
        cache.put(text)
    cache.settle()
    cache.lock("abc")
    assert cache.system.evict(0, 9, 0) == (0, 2, 0)
    assert cache.locked_in(Pool.SWA) == {"abc"}
    assert cache.locked_in(Pool.SWA_HOST) == {"a", "ab", "abc"}
    assert cache.order(SWA_HOST) == ["a", "ab"]


def test_what_the_full_drive_freed_counts_for_swa() -> None:
    cache = Cache(window=2)
    cache.put("ab")
    cache.put("xy")
    assert cache.system.evict(2, 2, 0) == (2, 2, 0)
    assert set(cache.nodes()) == {"xy"}


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
    assert cache.locked_in(Pool.FULL_HOST) == {"z"}


def test_host_swa_is_dropped_alone_unless_its_node_is_a_host_leaf() -> None:
    cache = Cache(window=1, threshold=1)
    for text in ("a", "ab"):
        cache.put(text)
    cache.settle()
    cache.system.evict(0, 1, 0)
    assert cache.system.evict_host(1, Component.SWA) == 1
    assert cache.locked_in(Pool.FULL_HOST) == {"a", "ab"}
    assert cache.locked_in(Pool.SWA_HOST) == {"ab"}
    cache.system.evict(1, 0, 0)
    assert cache.system.evict_host(9, Component.SWA) == 1
    assert set(cache.nodes()) == {"a"}
