"""Backups: what gets to the host, when, and what is left if it cannot (semantics 8)."""

from __future__ import annotations

import pytest

from radixproof.model.config import Component, Pool

from .lettered import Cache

NO_LOCKS = (0, 0, 0)


def test_backup_copies_every_component_late_and_is_locked_until_the_check() -> None:
    cache = Cache(mamba=True, window=2)
    cache.put("abcd", state=True)
    assert cache.marked() == ({"ab", "abcd"}, set())
    assert cache.wrong() == {
        ("ab", Pool.FULL_HOST),
        ("ab", Pool.SWA_HOST),
        *(("abcd", pool) for pool in list(Pool)[3:]),
    }
    assert (cache.system.run_copies(2), cache.wrong()) == (2, set())
    assert (cache.system.evict(4, 4, 1), cache.system.copied(load=False)) == (NO_LOCKS, 2)
    assert cache.system.writing_check(blocking=False) == 2
    assert (cache.marked(), cache.protected()) == ((set(), set()), NO_LOCKS)
    assert cache.system.evict(4, 4, 1) == (4, 4, 1)
    assert cache.match("abcd") == (0, 4)


def test_pieces_of_a_node_stay_pending_until_its_check() -> None:
    cache = Cache(mamba=True)
    cache.put("abcd", state=True)
    cache.match("abc")
    cache.match("a")
    assert cache.marked()[0] == {"a", "abc", "abcd"}
    assert cache.system.evict(4, 0, 1) == NO_LOCKS
    cache.settle()
    assert (cache.marked()[0], cache.wrong(), cache.protected()) == (set(), set(), NO_LOCKS)
    assert cache.resident_in(Pool.MAMBA_HOST) == {"abcd"}


def test_what_comes_to_a_node_later_is_backed_up_by_itself() -> None:
    cache = Cache(mamba=True, window=2)
    cache.put("ab", evicted=2)
    assert cache.resident_in(Pool.SWA_HOST) == set()
    cache.put("ab", state=True)
    assert (
        cache.resident_in(Pool.FULL_HOST)
        == cache.resident_in(Pool.SWA_HOST)
        == cache.resident_in(Pool.MAMBA_HOST)
        == {"ab"}
    )
    assert cache.system.run_copies(1) == 1
    assert cache.system.writing_check(blocking=False) == 1
    assert cache.marked()[0] == {"ab"}, "the supplement is in flight"
    assert cache.wrong() == {("ab", Pool.SWA_HOST), ("ab", Pool.MAMBA_HOST)}
    cache.settle()
    assert (cache.marked()[0], cache.wrong(), cache.protected()) == (set(), set(), NO_LOCKS)
    cache.put("ab", state=True)
    assert cache.system.copied(load=False) == cache.system.run_copies(9) == 0, (
        "nothing is missing any more"
    )


def test_ancestors_are_backed_up_first_and_a_full_host_stops_it() -> None:
    cache = Cache(threshold=2, host_pages=3)
    cache.put("ab")
    cache.put("abcd")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}
    cache.put("abcd")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}, "no room for two more"
    cache.put("abcx")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab", "abc"}


@pytest.mark.parametrize("pool", [Pool.FULL_HOST, Pool.SWA_HOST, Pool.MAMBA_HOST])
def test_refused_allocation_undoes_the_whole_backup(pool: Pool) -> None:
    cache = Cache(mamba=True, window=4)
    cache.system.refuse(pool)
    cache.put("ab", state=True)
    assert (cache.marked()[0], cache.protected()) == (set(), NO_LOCKS)
    assert cache.free()[3:] == (20, 20, 6)
    cache.put("ab")
    assert cache.resident_in(Pool.MAMBA_HOST) == {"ab"}, "once only"


def test_failed_backup_is_made_again() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("xy")
    assert cache.system.run_copies(1, fail=True) == 1
    assert cache.system.run_copies(1) == 1
    assert cache.system.copied(load=False) == 0
    assert (cache.system.writing_check(blocking=False), cache.marked()[0]) == (0, {"ab", "xy"})
    assert cache.wrong() == {("ab", Pool.FULL_HOST)}
    assert cache.system.run_copies(9) == 1
    assert (cache.system.writing_check(blocking=False, limit=1), cache.marked()[0]) == (1, {"xy"})
    assert (cache.system.writing_check(blocking=False), cache.wrong()) == (1, set())


def test_write_back_copies_at_eviction_and_leaves_nothing_in_flight() -> None:
    cache = Cache(mamba=True, window=2, write_back=True, threshold=1)
    cache.put("abcd", state=True)
    assert cache.resident_in(Pool.FULL_HOST) == set()
    assert cache.system.evict(2, 0, 0) == (2, 2, 1)
    assert cache.resident_in(Pool.FULL_HOST) == {"abcd"}, "no matter that its parent has no copy"
    assert (cache.marked(), cache.wrong(), cache.protected()) == ((set(), set()), set(), NO_LOCKS)
    assert cache.system.copied(load=False) == cache.system.run_copies(9) == 0


def test_write_back_that_is_refused_deletes_what_it_could_not_copy() -> None:
    cache = Cache(mamba=True, write_back=True)
    cache.put("abcd", state=True)
    cache.system.refuse(Pool.MAMBA_HOST)
    assert cache.system.evict(4, 0, 0) == (4, 0, 1)
    assert cache.nodes() == {}
    assert cache.see().free == (20, 0, 6, 20, 0, 6)


def test_without_a_host_tier_nothing_is_backed_up() -> None:
    cache = Cache(host_pages=0)
    cache.put("abcd")
    cache.put("abcd")
    assert (cache.marked()[0], cache.system.run_copies(9)) == (set(), 0)
    assert cache.system.evict_host(1, Component.FULL) == 0


def test_every_walked_node_and_every_piece_of_a_new_leaf_is_hit_once() -> None:
    cache = Cache(threshold=2, window=2)
    cache.put("abcdefgh", evicted=4)
    assert cache.resident_in(Pool.FULL_HOST) == set()
    cache.put("abcdef", evicted=6)
    assert cache.resident_in(Pool.FULL_HOST) == {"abcd", "abcdef"}
    assert cache.resident_in(Pool.SWA_HOST) == {"abcdef"}


def test_a_request_that_inserts_again_hits_nothing_twice() -> None:
    cache = Cache(threshold=2)
    cache.put("ab")
    cache.put("abcd", inserted=2)
    assert cache.resident_in(Pool.FULL_HOST) == set()
    cache.put("ab")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}


def test_hits_survive_splits() -> None:
    cache = Cache(threshold=2)
    cache.put("abcd")
    cache.match("ab")
    cache.put("ab")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}
    cache = Cache(threshold=3, window=4)
    cache.put("abcd", evicted=4)
    cache.put("abcd", evicted=2)
    cache.put("ab", evicted=2)
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}, (
        "both pieces of a node that an insert splits are hit by it"
    )


def test_locked_host_nodes_are_no_room() -> None:
    cache = Cache(threshold=1, host_pages=4)
    for text in ("a", "ab", "ac"):
        cache.put(text)
    cache.settle()
    cache.system.evict(9, 0, 0)
    cache.system.lock(cache.best("ac"))
    cache.put("xyz")
    assert cache.resident_in(Pool.FULL_HOST) == {"a", "ab", "ac"}
    cache.put("vw")
    assert cache.resident_in(Pool.FULL_HOST) == {"a", "ac", "vw"}


def test_ancestors_are_backed_up_first_each_with_its_own_acknowledgement() -> None:
    cache = Cache(threshold=1, host_pages=1, device_pages=20)
    cache.put("abc")
    cache.put("abcd")
    cache.put("x")
    assert cache.resident_in(Pool.FULL_HOST) == {"x"}, (
        "nothing is backed up below a node that has no host copy"
    )
    cache = Cache(threshold=1)
    cache.put("ab")
    cache.put("abcd")
    assert [node.pending for node in cache.nodes().values()] == [True, True]
    assert cache.system.run_copies(1) == 1
    assert cache.system.writing_check(blocking=False) == 1
    assert {text: node.pending for text, node in cache.nodes().items()} == {
        "ab": False,
        "abcd": True,
    }
    assert cache.locks(Component.FULL) == {"ab": 1, "abcd": 1}
    assert cache.system.writing_check(blocking=True) == 1
    assert cache.system.writing_check(blocking=True) == 0


def test_backup_covers_both_halves_of_a_node_split_on_its_way() -> None:
    cache = Cache(threshold=1, window=4)
    cache.put("abcd")
    cache.match("ab")
    assert [node.pending for node in cache.nodes().values()] == [True, True]
    cache.settle()
    for text, node in cache.nodes().items():
        assert (node.pending, node.locks) == (False, (0, 0, 0))
        start = len(text) - len(node.segment)
        for pool in (Pool.FULL_HOST, Pool.SWA_HOST):
            tags = cache.system.read(pool, node.slots[pool] or ())
            assert tags == [1000 * at + ord(text[at]) for at in range(start, len(text))]


def test_backup_makes_room_on_the_host_from_what_is_there_only() -> None:
    cache = Cache(threshold=1, host_pages=4)
    for text in ("ab", "cd"):
        cache.put(text)
    cache.settle()
    cache.system.evict(2, 0, 0)
    cache.put("efg")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab", "cd"}, (
        "evicting everything would not have been enough"
    )
    cache.put("gh")
    assert cache.resident_in(Pool.FULL_HOST) == {"cd", "gh"}


def test_backup_is_all_or_nothing_over_both_components() -> None:
    cache = Cache(threshold=1, window=2, swa_host_pages=3)
    cache.put("ab")
    cache.put("cd")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}
    assert cache.free()[Pool.FULL_HOST] == 18
    cache.settle()
    cache.system.evict(2, 0, 0)
    cache.put("cd")
    assert cache.resident_in(Pool.SWA_HOST) == {"cd"}


def test_failed_backup_is_tried_again_with_the_next_hit() -> None:
    cache = Cache(threshold=1, host_pages=2)
    cache.put("ab")
    cache.put("cd")
    assert cache.resident_in(Pool.FULL_HOST) == {"ab"}
    cache.settle()
    cache.match("cd")
    cache.system.evict(2, 0, 0)
    cache.put("cd")
    assert cache.resident_in(Pool.FULL_HOST) == {"cd"}
