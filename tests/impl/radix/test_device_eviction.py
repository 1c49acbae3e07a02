"""Eviction from the device: demotion, deletion, tombstones, write-back (semantics 7)."""

from __future__ import annotations

import pytest

from radixproof.model.config import Component, Pool

from .lettered import MAMBA_HOST, NEVER, SWA_HOST, Cache, key


def test_states_of_interior_nodes_go_alone_and_leaves_go_whole() -> None:
    cache = Cache(mamba=True, threshold=NEVER)
    for text in ("ab", "abcd", "xy"):
        cache.put(text, state=True)
    assert cache.system.evict(0, 0, 1) == (0, 0, 1)
    assert cache.resident_in(Pool.MAMBA) == {"abcd", "xy"}
    assert cache.system.evict(0, 0, 1) == (2, 0, 1)
    assert cache.resident_in(Pool.FULL) == {"ab", "xy"}
    assert cache.system.evict(4, 0, 1) == (4, 0, 1), "what the leaves freed counts"


def test_eviction_of_a_window_takes_the_state_along() -> None:
    cache = Cache(mamba=True, window=2)
    for text in ("ab", "abcd"):
        cache.put(text, state=True)
    cache.settle()
    assert cache.system.evict(0, 1, 0) == (0, 2, 1)
    assert cache.resident_in(Pool.SWA) == cache.resident_in(Pool.MAMBA) == {"abcd"}
    assert cache.order(SWA_HOST) == cache.order(MAMBA_HOST) == ["ab"]
    assert cache.system.evict_host(1, Component.SWA) == 2
    assert cache.resident_in(Pool.SWA_HOST) == cache.resident_in(Pool.MAMBA_HOST) == {"abcd"}


def test_without_a_host_tier_what_is_evicted_is_deleted() -> None:
    cache = Cache(host_pages=0, swa_host_pages=0, mamba_host_states=0, window=2, mamba=True)
    cache.put("ab", state=True)
    assert not cache.nodes()["ab"].pending
    assert cache.lock_host("ab")
    cache.put("xy", state=True)
    assert cache.system.evict(9, 9, 9) == (2, 2, 1), "a host lock keeps a node from being deleted"
    assert list(cache.nodes()) == ["ab"]
    assert cache.free()[Pool.FULL_HOST] == 0


def test_an_unbacked_leaf_with_a_host_lock_stays_whole() -> None:
    cache = Cache(window=2, mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    receipt = cache.lock_host("ab")
    assert cache.system.evict(9, 9, 9) == (0, 0, 0)
    cache.system.unlock_host(receipt)
    assert cache.system.evict(9, 9, 9) == (2, 2, 1)


def test_hits_start_no_backup_under_write_back_and_eviction_does() -> None:
    cache = Cache(write_back=True, window=2, mamba=True)
    cache.put("ab", state=True)
    cache.put("ab")
    assert cache.resident_in(Pool.FULL_HOST) == set()
    assert cache.system.evict(2, 0, 0) == (2, 2, 1)
    assert (
        cache.resident_in(Pool.FULL_HOST)
        == cache.resident_in(Pool.SWA_HOST)
        == cache.resident_in(Pool.MAMBA_HOST)
        == {"ab"}
    )
    assert not cache.wrong()
    assert cache.system.match(key("ab")).host == (2, 2, 1)


@pytest.mark.parametrize(("swa", "mamba"), [(1, 0), (0, 1)])
def test_an_interior_node_is_backed_up_before_it_loses_anything(swa: int, mamba: int) -> None:
    cache = Cache(write_back=True, window=2, mamba=True)
    for text in ("ab", "abcd"):
        cache.put(text, state=True)
    assert cache.system.evict(0, swa, mamba) == (0, 2 * swa, 1)
    assert cache.resident_in(Pool.FULL) == {"ab", "abcd"}
    assert (
        cache.resident_in(Pool.FULL_HOST)
        == cache.resident_in(Pool.SWA_HOST)
        == cache.resident_in(Pool.MAMBA_HOST)
        == {"ab"}
    )
    assert not cache.wrong()


@pytest.mark.parametrize("interior", [False, True])
@pytest.mark.parametrize("refused", [None, Pool.SWA_HOST])
def test_what_came_after_the_first_backup_is_backed_up_before_it_goes(
    interior: bool, refused: Pool | None
) -> None:
    cache = Cache(write_back=True, window=2)
    cache.put("ab", evicted=2)
    cache.system.evict(2, 0, 0)
    cache.put("ab")
    if interior:
        cache.put("abcd")
    if refused is not None:
        cache.system.refuse(refused)
    assert cache.system.evict(*((0, 1, 0) if interior else (1, 0, 0))) == (2 * (not interior), 2, 0)
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}
    assert cache.resident_in(Pool.SWA_HOST) == (set() if refused else {"ab"})
    assert not cache.wrong()


def test_an_interior_node_that_finds_no_room_loses_its_window_all_the_same() -> None:
    cache = Cache(write_back=True, window=2)
    cache.put("ab")
    cache.put("abcd")
    cache.system.refuse(Pool.SWA_HOST)
    assert cache.system.evict(0, 1, 0) == (0, 2, 0)
    assert cache.resident_in(Pool.FULL_HOST) == cache.resident_in(Pool.SWA_HOST) == set()
    assert cache.free()[Pool.FULL_HOST] == 20


def unbacked_over_host_only() -> Cache:
    """Under write-back: "ab" on the device only, above "abcd" and "abef" on the host only."""
    cache = Cache(write_back=True)
    for text in ("ab", "abcd", "abef"):
        cache.put(text)
    cache.system.evict(4, 0, 0)
    assert (cache.resident_in(Pool.FULL), cache.resident_in(Pool.FULL_HOST)) == (
        {"ab"},
        {"abcd", "abef"},
    )
    return cache


def test_a_leaf_that_cannot_be_backed_up_is_deleted_with_what_hangs_below() -> None:
    cache = unbacked_over_host_only()
    cache.system.refuse(Pool.FULL_HOST)
    assert cache.system.evict(1, 0, 0) == (2, 0, 0)
    assert cache.nodes() == {}
    free = cache.free()
    assert (free[Pool.FULL], free[Pool.FULL_HOST]) == (20, 20)


@pytest.mark.parametrize("text", ["ab", "abef"])
def test_a_host_lock_below_keeps_a_leaf_that_cannot_be_backed_up(text: str) -> None:
    cache = unbacked_over_host_only()
    cache.put("x")
    receipt = cache.lock_host(text)
    cache.system.refuse(Pool.FULL_HOST)
    cache.system.match(key("x"))
    assert cache.system.evict(1, 0, 0) == (1, 0, 0), "it is passed over, and the next one goes"
    assert (cache.resident_in(Pool.FULL), cache.resident_in(Pool.FULL_HOST)) == (
        {"ab"},
        {"x", "abcd", "abef"},
    )
    cache.system.unlock_host(receipt)
    assert cache.system.evict(1, 0, 0) == (2, 0, 0)
    assert cache.resident_in(Pool.FULL_HOST) == {"x", "ab", "abcd", "abef"}


def test_leaves_go_oldest_first_and_parents_follow() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("ab")
    cache.put("abc")
    cache.put("xy")
    cache.match("ab")
    assert cache.system.evict(2, 0, 0) == (3, 0, 0)
    assert set(cache.nodes()) == {"ab"}
    assert cache.system.evict(9, 0, 0) == (2, 0, 0)
    assert cache.free()[Pool.FULL] == 20


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
    assert cache.resident_in(Pool.FULL_HOST) == cache.resident_in(Pool.SWA_HOST) == {"ab"}
    assert cache.resident_in(Pool.FULL) == cache.resident_in(Pool.SWA) == set()
    assert cache.match("ab") == (0, 2)
    assert cache.whole().host_leaves == frozenset([cache.nodes()["ab"].id])


def test_swa_of_interior_nodes_becomes_a_tombstone_and_leaves_go_whole() -> None:
    cache = Cache(window=1, threshold=NEVER)
    cache.put("ab")
    cache.put("abc")
    assert cache.resident_in(Pool.SWA) == {"a", "ab", "abc"}
    assert cache.system.evict(0, 1, 0) == (0, 1, 0)
    assert cache.resident_in(Pool.SWA) == {"ab", "abc"}
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
    assert cache.resident_in(Pool.SWA) == {"abc"}
    assert cache.resident_in(Pool.SWA_HOST) == {"a", "ab", "abc"}
    assert cache.order(SWA_HOST) == ["a", "ab"]


def test_what_the_full_drive_freed_counts_for_swa() -> None:
    cache = Cache(window=2, threshold=NEVER)
    cache.put("ab")
    cache.put("xy")
    assert cache.system.evict(2, 2, 0) == (2, 2, 0)
    assert set(cache.nodes()) == {"xy"}
