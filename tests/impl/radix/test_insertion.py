"""Inserting: whose slots are kept, whose are freed, and where leaves are cut (semantics 4)."""

from __future__ import annotations

import pytest

from radixproof.impl.observation import NodeView
from radixproof.model.config import Pool

from .lettered import MAMBA_DEVICE, MAMBA_HOST, NEVER, SWA_DEVICE, Cache, key


def test_a_state_is_taken_once() -> None:
    cache = Cache(mamba=True, threshold=NEVER)
    cache.put("abcd")
    cache.put("abcd", state=True)
    taken = cache.nodes()["abcd"].slots[Pool.MAMBA]
    assert taken is not None
    cache.put("abcd", state=True)
    assert cache.nodes()["abcd"].slots[Pool.MAMBA] == taken
    assert cache.free()[Pool.MAMBA] == 5
    state = cache.system.allocate_state()
    assert not cache.system.insert(key(""), [], 0, 0, state).taken


def test_a_revived_node_takes_a_state_and_keeps_the_host_copy() -> None:
    cache = Cache(mamba=True)
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


def test_the_path_is_hit_when_all_that_the_key_brings_is_in_place() -> None:
    cache = Cache(mamba=True, window=2)
    cache.put("ab", state=True)
    assert cache.resident_in(Pool.MAMBA_HOST) == cache.resident_in(Pool.SWA_HOST) == {"ab"}
    assert cache.system.run_copies(9) == 1, "no supplement was needed"


def test_overlap_frees_the_duplicates() -> None:
    cache = Cache(window=3, threshold=NEVER)
    cache.put("abcd")
    before = cache.nodes()
    assert cache.put("abcd").reused == 4
    assert cache.nodes() == before
    free = cache.free()
    assert (free[Pool.FULL], free[Pool.SWA]) == (16, 16)


def test_protected_slots_are_neither_freed_nor_taken() -> None:
    cache = Cache(window=3, threshold=NEVER)
    cache.put("abcd")
    before = cache.nodes()
    assert cache.put("abcdef", reuse=True).reused == 4
    after = cache.nodes()
    assert {text: after[text] for text in before} == before
    assert cache.match("abcdef") == (6, 6)


@pytest.mark.parametrize("evicted", [0, 4])
def test_protected_tombstone_stays_one(evicted: int) -> None:
    cache = Cache(window=2, threshold=NEVER)
    cache.put("abcdef", evicted=4)
    found = cache.system.match(key("abcdef"))
    own = cache.nodes()["abcd"].slots[Pool.FULL] or ()
    fresh = cache.system.allocate(2)
    assert fresh is not None
    assert found.device == 6
    assert cache.system.insert(key("abcdef"), [*own, *fresh], 4, evicted).reused == 6
    assert cache.resident_in(Pool.SWA) == {"abcdef"}
    assert cache.nodes()["abcd"].slots[Pool.FULL] == own
    assert cache.free()[Pool.FULL] == 14


@pytest.mark.parametrize(
    ("evicted", "pieces", "live"),
    [
        (0, ["abcdef", "abcdefghij"], ["abcdef", "abcdefghij"]),
        (2, ["ab", "abcdef", "abcdefghij"], ["abcdef", "abcdefghij"]),
        (6, ["abcdef", "abcdefghij"], ["abcdefghij"]),
        (8, ["abcdefgh", "abcdefghij"], ["abcdefghij"]),
        (10, ["abcdefghij"], []),
        (12, ["abcdefghij"], []),
    ],
)
def test_new_leaf_is_cut_at_the_evicted_length_and_one_window_before_its_end(
    evicted: int, pieces: list[str], live: list[str]
) -> None:
    cache = Cache(window=3, page_size=2, threshold=NEVER)
    assert cache.put("abcdefghij", evicted=evicted).reused == 0
    assert sorted(cache.nodes()) == pieces
    assert cache.resident_in(Pool.SWA) == set(live)
    assert cache.order(SWA_DEVICE) == live


def test_revived_node_takes_the_offered_slots_and_keeps_its_host_copy() -> None:
    cache = Cache(threshold=1)
    cache.put("abcd")
    cache.settle()
    cache.system.evict(4, 0, 0)
    before = cache.nodes()["abcd"]
    assert before.slots[Pool.FULL] is None
    assert cache.put("abcd").reused == 4
    after = cache.nodes()["abcd"]
    assert after.slots[Pool.FULL] is not None
    assert after.slots[Pool.FULL_HOST] == before.slots[Pool.FULL_HOST]
    assert cache.free()[Pool.FULL] == 16
    assert cache.match("abcd") == (4, 4)


@pytest.mark.parametrize(("evicted", "live"), [(0, {"abcd"}), (2, {"abcd"}), (4, set())])
def test_revived_node_gets_swa_from_the_evicted_length_on(evicted: int, live: set[str]) -> None:
    cache = Cache(threshold=1, window=4)
    cache.put("abcd")
    cache.settle()
    cache.system.evict(4, 0, 0)
    cache.put("abcd", evicted=evicted)
    assert cache.resident_in(Pool.SWA) == live
    assert set(cache.nodes()) == ({"ab", "abcd"} if evicted == 2 else {"abcd"})
    assert cache.free()[Pool.SWA] == 16 + evicted


def test_protected_tokens_that_are_not_on_the_device_are_refused() -> None:
    cache = Cache(threshold=1)
    cache.put("abcd")
    cache.settle()
    cache.system.evict(4, 0, 0)
    slots = cache.system.allocate(4)
    assert slots is not None
    with pytest.raises(ValueError, match="not on the device"):
        cache.system.insert(key("abcd"), slots, 2, 2)


def tombstone(cache: Cache) -> NodeView:
    cache.put("abcd", evicted=4)
    return cache.nodes()["abcd"]


def test_tombstone_recovers_by_taking_the_offered_slots() -> None:
    cache = Cache(window=2, threshold=NEVER)
    own = tombstone(cache).slots[Pool.FULL] or ()
    assert cache.put("abcd").reused == 4
    node = cache.nodes()["abcd"]
    assert not set(node.slots[Pool.FULL] or ()) & set(own)
    assert node.slots[Pool.SWA] == tuple(cache.system.swa_of(node.slots[Pool.FULL] or ()))
    assert (cache.free()[Pool.FULL], cache.free()[Pool.SWA]) == (16, 16)


def test_locked_tombstone_recovers_by_taking_the_peers_only() -> None:
    cache = Cache(window=2, threshold=NEVER)
    cache.put("abcdef", evicted=4)
    own = cache.nodes()["abcd"].slots[Pool.FULL]
    cache.lock("abcdef")
    assert cache.put("abcdef", evicted=2).reused == 6
    node = cache.nodes()["abcd"]
    assert set(cache.nodes()) == {"ab", "abcd", "abcdef"}
    assert node.slots[Pool.FULL] == (own or ())[2:]
    assert node.slots[Pool.SWA] == tuple(cache.system.swa_of(node.slots[Pool.FULL] or ()))
    assert cache.system.read(Pool.SWA, node.slots[Pool.SWA] or ()) == [
        2000 + ord("c"),
        3000 + ord("d"),
    ]
    assert cache.resident_in(Pool.SWA) == {"abcd", "abcdef"}
    free = cache.free()
    assert (free[Pool.FULL], free[Pool.SWA]) == (14, 16)
    seen = cache.see()
    assert (seen.evictable, seen.protected) == ((0, 2, 0), (6, 2, 0))


def test_insert_renews_what_it_walks() -> None:
    cache = Cache(window=2, threshold=NEVER)
    cache.put("ab")
    cache.put("xy")
    cache.put("ab")
    assert cache.order(SWA_DEVICE) == ["xy", "ab"]
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"ab"}


def test_insert_does_not_renew_the_half_that_it_leaves() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("aaaa")
    cache.put("bb")
    cache.put("aac")
    cache.system.evict(2, 0, 0)
    assert list(cache.nodes()) == ["aa", "aac", "bb"]
