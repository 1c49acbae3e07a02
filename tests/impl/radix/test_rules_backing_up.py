"""Backups: the rules of the radix cache, one at a time (semantics 8)."""

from __future__ import annotations

from radixproof.model.config import Component, Pool

from .lettered import Cache


def test_every_walked_node_and_every_piece_of_a_new_leaf_is_hit_once() -> None:
    cache = Cache(threshold=2, window=2)
    cache.put("abcdefgh", evicted=4)
    assert cache.locked_in(Pool.FULL_HOST) == set()
    cache.put("abcdef", evicted=6)
    assert cache.locked_in(Pool.FULL_HOST) == {"abcd", "abcdef"}
    assert cache.locked_in(Pool.SWA_HOST) == {"abcdef"}


def test_hits_survive_splits() -> None:
    cache = Cache(threshold=2)
    cache.put("abcd")
    cache.match("ab")
    cache.put("ab")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab"}
    cache = Cache(threshold=3, window=4)
    cache.put("abcd", evicted=4)
    cache.put("abcd", evicted=2)
    cache.put("ab", evicted=2)
    assert cache.locked_in(Pool.FULL_HOST) == {"ab"}, (
        "both pieces of a node that an insert splits are hit by it"
    )


def test_locked_host_nodes_are_no_room() -> None:
    cache = Cache(threshold=1, host_pages=4)
    for text in ("a", "ab", "ac"):
        cache.put(text)
    cache.settle()
    cache.system.evict(9, 0, 0)
    cache.system.lock(cache.system.cache.match(tuple(map(ord, "ac"))).best_node)
    cache.put("xyz")
    assert cache.locked_in(Pool.FULL_HOST) == {"a", "ab", "ac"}
    cache.put("vw")
    assert cache.locked_in(Pool.FULL_HOST) == {"a", "ac", "vw"}


def test_ancestors_are_backed_up_first_each_with_its_own_acknowledgement() -> None:
    cache = Cache(threshold=1, host_pages=1, device_pages=20)
    cache.put("abc")
    cache.put("abcd")
    cache.put("x")
    assert cache.locked_in(Pool.FULL_HOST) == {"x"}, (
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
    assert cache.locked_in(Pool.FULL_HOST) == {"ab", "cd"}, (
        "evicting everything would not have been enough"
    )
    cache.put("gh")
    assert cache.locked_in(Pool.FULL_HOST) == {"cd", "gh"}


def test_backup_is_all_or_nothing_over_both_components() -> None:
    cache = Cache(threshold=1, window=2, swa_host_pages=3)
    cache.put("ab")
    cache.put("cd")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab"}
    assert cache.see().free[Pool.FULL_HOST] == 18
    cache.settle()
    cache.system.evict(2, 0, 0)
    cache.put("cd")
    assert cache.locked_in(Pool.SWA_HOST) == {"cd"}


def test_failed_backup_is_tried_again_with_the_next_hit() -> None:
    cache = Cache(threshold=1, host_pages=2)
    cache.put("ab")
    cache.put("cd")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab"}
    cache.settle()
    cache.match("cd")
    cache.system.evict(2, 0, 0)
    cache.put("cd")
    assert cache.locked_in(Pool.FULL_HOST) == {"cd"}
