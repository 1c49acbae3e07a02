"""Matching: the rules of the radix cache, one at a time (semantics 3)."""

from __future__ import annotations

from radixproof.model.config import Pool
from radixproof.model.key import Key

from .lettered import SWA_DEVICE, Cache


def test_match_inside_a_node_splits_it_and_the_lower_half_keeps_its_identity() -> None:
    cache = Cache()
    cache.put("abcd")
    whole = cache.nodes()["abcd"]
    assert cache.match("abx") == (2, 2)
    nodes = cache.nodes()
    assert list(nodes) == ["ab", "abcd"]
    assert nodes["abcd"].id == whole.id
    assert (nodes["ab"].slots[Pool.FULL] or ()) + (
        nodes["abcd"].slots[Pool.FULL] or ()
    ) == whole.slots[Pool.FULL]


def test_match_compares_whole_pages() -> None:
    cache = Cache(page_size=2)
    cache.put("abcdef")
    assert cache.match("abcxef") == (2, 2)
    assert cache.match("abcde") == (4, 4)
    assert cache.match("a") == (0, 0)


def test_both_halves_of_a_split_have_the_age_of_the_whole() -> None:
    cache = Cache(window=3)
    cache.put("cc")
    receipt = cache.lock("cc")
    cache.put("aaaa", evicted=4)
    cache.put("bb")
    assert cache.match("aa") == (0, 0), "a tombstone: nothing to renew"
    assert cache.system.evict(2, 0, 0) == (2, 0, 0)
    cache.system.unlock(receipt)
    assert set(cache.nodes()) == {"cc", "aa", "bb"}
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"aa", "bb"}
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"bb"}


def test_match_does_not_renew_what_it_could_not_use() -> None:
    cache = Cache(window=3)
    cache.put("ab")
    cache.put("abcd", evicted=4)
    cache.put("xy")
    assert cache.match("abcd") == (2, 2)
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"ab", "xy"}


def test_split_keeps_the_place_in_the_order_of_swa() -> None:
    cache = Cache(window=4)
    cache.put("abcdef", evicted=2)
    cache.put("xy")
    assert cache.match("abcd") == (0, 0)
    assert cache.order(SWA_DEVICE) == ["abcd", "abcdef", "xy"]
    cache.match("x")
    assert cache.order(SWA_DEVICE) == ["abcd", "abcdef", "xy", "x"]


def test_insert_renews_what_it_walks() -> None:
    cache = Cache(window=2)
    cache.put("ab")
    cache.put("xy")
    cache.put("ab")
    assert cache.order(SWA_DEVICE) == ["xy", "ab"]
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"ab"}


def test_namespaces_share_nothing() -> None:
    cache = Cache()
    cache.put("abcd", namespace="tenant")
    assert cache.match("abcd") == (0, 0)
    assert cache.put("abcd") == 0
    assert cache.match("abcd", "tenant") == (4, 4)
    assert len(cache.see().nodes) == 2


def test_the_half_of_a_node_that_was_not_matched_keeps_its_age() -> None:
    cache = Cache()
    cache.put("aaaa")
    cache.put("bb")
    cache.match("aa")
    cache.system.evict(2, 0, 0)
    assert list(cache.nodes()) == ["aa", "bb"]


def test_insert_does_not_renew_the_half_that_it_leaves() -> None:
    cache = Cache()
    cache.put("aaaa")
    cache.put("bb")
    cache.put("aac")
    cache.system.evict(2, 0, 0)
    assert list(cache.nodes()) == ["aa", "aac", "bb"]


def test_after_a_tombstone_a_whole_window_must_follow() -> None:
    cache = Cache(window=3)
    cache.put("abcdef", evicted=4)
    assert cache.match("abcdef") == (0, 0)
    cache.put("abcdefg", evicted=4)
    assert cache.match("abcdefg") == (7, 7)
    cache.put("xy")
    assert cache.match("xy") == (2, 2), "no tombstone, no need for a window"


def test_best_counts_windows_on_the_host_and_device_does_not() -> None:
    cache = Cache(window=2, threshold=1)
    cache.put("ab")
    cache.put("abcd")
    cache.put("abcde")
    cache.settle()
    cache.system.evict(0, 2, 0)
    assert cache.locked_in(Pool.SWA) == {"abcd", "abcde"}
    assert cache.match("ab") == (0, 2)
    assert cache.match("abcde") == (5, 5)


def test_match_renews_swa_within_window_and_page_deepest_most() -> None:
    cache = Cache(window=2)
    for end in range(1, 7):
        cache.put("abcdef"[:end])
    cache.put("xyz")
    before = cache.order(SWA_DEVICE)
    cache.match("abcdef")
    assert cache.order(SWA_DEVICE) == [
        text for text in before if text not in ("abcd", "abcde", "abcdef")
    ] + [
        "abcd",
        "abcde",
        "abcdef",
    ]


def test_bigram_keys_are_pairs_of_neighbours() -> None:
    cache = Cache(page_size=2, bigram=True)
    key = Key(tuple(map(ord, "abcdef")))
    slots = cache.system.allocate(4)
    assert slots is not None
    assert cache.system.insert(key, slots, 0, 0).reused == 0
    (node,) = cache.see().nodes
    assert node.segment == ((97, 98), (98, 99), (99, 100), (100, 101)), (
        "the fifth pair is no whole page"
    )
    found = cache.system.match(Key(tuple(map(ord, "abcx"))))
    assert (found.device, found.slots) == (2, slots[:2])
    assert cache.system.match(Key(tuple(map(ord, "ab")))).device == 0
    assert cache.system.insert(Key((1,)), [], 0, 0).reused == 0
