"""MAMBA states in the radix cache: one slot, at the end of a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Component, Pool

Bench = Callable[..., Any]

SWA_DEVICE, MAMBA_DEVICE, SWA_HOST, MAMBA_HOST = range(4)
"""Orders of use, as `Whole.lru_lists` has them."""

NEVER = 99
"""A threshold that keeps backups out of a test."""


def test_a_prefix_ends_where_a_state_is(bench: Bench) -> None:
    cache = bench(mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    cache.put("abcdef", state=True)
    cache.put("xy")
    assert cache.match("abcdefg") == (6, 6)
    assert cache.match("abcd") == (2, 2)
    assert cache.match("xy") == (0, 0)
    assert cache.nodes()["abcd"].slots[Pool.MAMBA] is None


def test_best_prefix_may_end_at_a_state_on_the_host(bench: Bench) -> None:
    cache = bench(mamba=True)
    cache.put("ab", state=True)
    cache.put("abcd", state=True)
    cache.settle()
    cache.put("abcdef")
    assert cache.system.evict(0, 0, 2) == (0, 0, 2)
    found = cache.system.match(cache.key("abcdef"))
    assert (found.device, found.best, found.host) == (0, 4, (0, 0, 1))


def test_lookup_says_what_is_on_the_host_only(bench: Bench) -> None:
    cache = bench(mamba=True, window=3)
    cache.put("ab", state=True)
    cache.put("abcd", state=True)
    cache.put("abcdef", state=True)
    cache.settle()
    cache.system.evict(2, 4, 0)
    assert cache.locked_in(Pool.SWA) == {"abcd"}
    assert cache.system.match(cache.key("abcdef")).host == (2, 2, 1), (
        "the window of ab is of no use"
    )
    cache.system.evict(9, 9, 9)
    assert cache.system.match(cache.key("abcdef")).host == (6, 4, 1), (
        "whole nodes: a window of three takes two of them"
    )


def test_a_split_leaves_the_state_and_its_locks_to_the_lower_half(bench: Bench) -> None:
    cache = bench(mamba=True)
    cache.put("abcd", state=True)
    cache.settle()
    before = cache.nodes()["abcd"]
    anchor = cache.system.match(cache.key("abcd")).best_anchor
    receipts = cache.system.lock(anchor), cache.system.lock_host(anchor)
    cache.match("ab")
    upper, lower = cache.nodes()["ab"], cache.nodes()["abcd"]
    assert (upper.slots[Pool.MAMBA], upper.slots[Pool.MAMBA_HOST]) == (None, None)
    assert (lower.slots[Pool.MAMBA], lower.slots[Pool.MAMBA_HOST]) == (
        before.slots[Pool.MAMBA],
        before.slots[Pool.MAMBA_HOST],
    )
    assert (upper.locks, lower.locks) == ((1, 0, 0), (1, 0, 1))
    assert (upper.host_locks, lower.host_locks) == ((1, 0, 0), (1, 0, 1))
    cache.system.unlock(receipts[0])
    cache.system.unlock_host(receipts[1])
    assert {(node.locks, node.host_locks) for node in cache.nodes().values()} == {
        ((0, 0, 0), (0, 0, 0))
    }


def test_a_state_is_taken_once(bench: Bench) -> None:
    cache = bench(mamba=True, threshold=NEVER)
    cache.put("abcd")
    cache.put("abcd", state=True)
    taken = cache.nodes()["abcd"].slots[Pool.MAMBA]
    assert taken is not None
    cache.put("abcd", state=True)
    assert cache.nodes()["abcd"].slots[Pool.MAMBA] == taken
    assert cache.see().free[Pool.MAMBA] == 5
    state = cache.system.allocate_state()
    assert not cache.system.insert(cache.key(""), [], 0, 0, state).taken


def test_a_revived_node_takes_a_state_and_keeps_the_host_copy(bench: Bench) -> None:
    cache = bench(mamba=True)
    cache.demote("abcd")
    copy = cache.nodes()["abcd"].slots[Pool.MAMBA_HOST]
    cache.put("abcd")
    assert (cache.order(MAMBA_DEVICE), cache.order(MAMBA_HOST)) == ([], ["abcd"])
    cache.put("abcd", state=True)
    node = cache.nodes()["abcd"]
    assert node.slots[Pool.MAMBA] is not None
    assert node.slots[Pool.MAMBA_HOST] == copy
    assert (cache.order(MAMBA_DEVICE), cache.order(MAMBA_HOST)) == (["abcd"], [])
    assert not cache.wrong()


def test_the_path_is_hit_when_all_that_the_key_brings_is_in_place(bench: Bench) -> None:
    cache = bench(mamba=True, window=2)
    cache.put("ab", state=True)
    assert cache.locked_in(Pool.MAMBA_HOST) == cache.locked_in(Pool.SWA_HOST) == {"ab"}
    assert cache.system.run_copies(9) == 1, "no supplement was needed"


def test_a_state_for_a_cache_without_states_is_refused(bench: Bench) -> None:
    cache = bench()
    with pytest.raises(ValueError, match="no MAMBA"):
        cache.system.insert(cache.key("a"), [1], 0, 0, 1)


def test_a_match_renews_the_state_it_ends_at_and_no_other(bench: Bench) -> None:
    cache = bench(mamba=True, threshold=NEVER)
    for text in ("ab", "abcd", "abcdef", "xy"):
        cache.put(text, state=True)
    cache.match("abcde")
    assert cache.order(MAMBA_DEVICE) == ["ab", "abcdef", "xy", "abcd"]
    cache.put("ab", state=True)
    assert cache.order(MAMBA_DEVICE) == ["abcdef", "xy", "abcd", "ab"]


def test_a_lock_covers_the_state_of_its_anchor_and_one_that_comes_later(bench: Bench) -> None:
    cache = bench(mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    receipt = cache.system.lock(cache.put("abcd"))
    assert cache.nodes()["ab"].locks == (1, 0, 0)
    assert cache.nodes()["abcd"].locks == (1, 0, 1)
    cache.put("abcd", state=True)
    seen = cache.see()
    assert (seen.evictable, seen.protected) == ((0, 0, 1), (4, 0, 1))
    assert cache.system.evict(9, 9, 9) == (0, 0, 1)
    assert cache.locked_in(Pool.MAMBA) == {"abcd"}
    cache.system.unlock(receipt)
    assert cache.see().evictable == (4, 0, 1)


def test_states_of_interior_nodes_go_alone_and_leaves_go_whole(bench: Bench) -> None:
    cache = bench(mamba=True, threshold=NEVER)
    for text in ("ab", "abcd", "xy"):
        cache.put(text, state=True)
    assert cache.system.evict(0, 0, 1) == (0, 0, 1)
    assert cache.locked_in(Pool.MAMBA) == {"abcd", "xy"}
    assert cache.system.evict(0, 0, 1) == (2, 0, 1)
    assert cache.locked_in(Pool.FULL) == {"ab", "xy"}
    assert cache.system.evict(4, 0, 1) == (4, 0, 1), "what the leaves freed counts"


def test_eviction_of_a_window_takes_the_state_along(bench: Bench) -> None:
    cache = bench(mamba=True, window=2)
    for text in ("ab", "abcd"):
        cache.put(text, state=True)
    cache.settle()
    assert cache.system.evict(0, 1, 0) == (0, 2, 1)
    assert cache.locked_in(Pool.SWA) == cache.locked_in(Pool.MAMBA) == {"abcd"}
    assert cache.order(SWA_HOST) == cache.order(MAMBA_HOST) == ["ab"]
    assert cache.system.evict_host(1, Component.SWA) == 2
    assert cache.locked_in(Pool.SWA_HOST) == cache.locked_in(Pool.MAMBA_HOST) == {"abcd"}


def test_a_host_state_goes_alone_unless_its_node_is_a_host_leaf(bench: Bench) -> None:
    cache = bench(mamba=True, window=2)
    for text in ("ab", "abcd"):
        cache.put(text, state=True)
    cache.settle()
    cache.system.evict(9, 9, 9)
    assert cache.system.evict_host(2, Component.MAMBA) == 2
    assert cache.locked_in(Pool.FULL_HOST) == cache.locked_in(Pool.SWA_HOST) == set(), (
        "the deeper state is older, and its node a leaf"
    )
    cache.demote("ab")
    cache.put("abcd")
    cache.settle()
    assert cache.system.evict_host(1, Component.MAMBA) == 1
    assert cache.locked_in(Pool.FULL_HOST) == cache.locked_in(Pool.SWA_HOST) == {"ab", "abcd"}


# Copies for requests (semantics 3.6)


def copied(cache: Any, text: str) -> int | None:
    """What a request gets that goes on from ``text``: the tag of the state in its own slot."""
    slot = cache.system.copy_state(cache.system.match(cache.key(text)).best_anchor)
    if slot is None:
        return None
    (tag,) = cache.system.read(Pool.MAMBA, [slot])
    cache.system.free_state(slot)
    return tag


def test_a_copy_of_a_state_is_the_requests_own(bench: Bench) -> None:
    cache = bench(mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    before = cache.nodes()["ab"]
    slot = cache.system.copy_state(cache.system.match(cache.key("ab")).anchor)
    cache.system.write_state(slot, 7)
    assert cache.nodes()["ab"] == before
    assert not cache.wrong()


def test_a_copy_evicts_another_state_but_never_its_source(bench: Bench) -> None:
    cache = bench(mamba=True, threshold=NEVER, mamba_states=2, mamba_host_states=2)
    cache.put("ab", state=True)
    cache.put("xy", state=True)
    assert copied(cache, "ab") == 1000 + ord("b")
    assert cache.locked_in(Pool.MAMBA) == {"ab"}
    cache.system.allocate_state()
    assert copied(cache, "ab") is None
    assert cache.locked_in(Pool.MAMBA) == {"ab"}
    assert cache.see().protected == (0, 0, 0)


def test_a_copy_of_a_state_that_is_being_loaded_comes_from_the_host(bench: Bench) -> None:
    cache = bench(mamba=True)
    cache.demote("ab")
    assert cache.load("ab") == 2
    assert cache.nodes()["ab"].loading
    assert copied(cache, "ab") == 1000 + ord("b")


def test_a_copy_of_a_state_that_came_during_a_load_comes_from_the_device(bench: Bench) -> None:
    cache = bench(mamba=True, window=2)
    cache.put("ab")
    cache.settle()
    cache.system.evict(2, 2, 0)
    node = cache.system.cache.tree.root.children.values()
    assert cache.system.load_back(next(iter(node)), None) == 2
    cache.put("ab", state=True)
    (seen,) = cache.nodes().values()
    assert (seen.loading, seen.pending, seen.slots[Pool.MAMBA_HOST] is not None) == (
        True,
        True,
        True,
    )
    assert copied(cache, "ab") == 1000 + ord("b")


def test_only_a_node_with_a_state_can_be_copied_from(bench: Bench) -> None:
    cache = bench(mamba=True)
    anchor = cache.put("ab")
    with pytest.raises(ValueError, match="no state"):
        cache.system.copy_state(anchor)
