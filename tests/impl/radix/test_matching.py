"""Matching: which prefix is found, and what it renews (semantics 3)."""

from __future__ import annotations

from radixproof.model.config import Pool

from .lettered import MAMBA_DEVICE, NEVER, SWA_DEVICE, Cache, key


def test_a_prefix_ends_where_a_state_is() -> None:
    cache = Cache(mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    cache.put("abcdef", state=True)
    cache.put("xy")
    assert cache.match("abcdefg") == (6, 6)
    assert cache.match("abcd") == (2, 2)
    assert cache.match("xy") == (0, 0)
    assert cache.nodes()["abcd"].slots[Pool.MAMBA] is None


def test_best_prefix_may_end_at_a_state_on_the_host() -> None:
    cache = Cache(mamba=True)
    cache.put("ab", state=True)
    cache.put("abcd", state=True)
    cache.settle()
    cache.put("abcdef")
    assert cache.system.evict(0, 0, 2) == (0, 0, 2)
    found = cache.system.match(key("abcdef"))
    assert (found.device, found.best, found.host) == (0, 4, (0, 0, 1))


def test_lookup_says_what_is_on_the_host_only() -> None:
    cache = Cache(mamba=True, window=3)
    cache.put("ab", state=True)
    cache.put("abcd", state=True)
    cache.put("abcdef", state=True)
    cache.settle()
    cache.system.evict(2, 4, 0)
    assert cache.resident_in(Pool.SWA) == {"abcd"}
    assert cache.system.match(key("abcdef")).host == (2, 2, 1), "the window of ab is of no use"
    cache.system.evict(9, 9, 9)
    assert cache.system.match(key("abcdef")).host == (6, 4, 1), (
        "whole nodes: a window of three takes two of them"
    )


def test_a_match_renews_the_state_it_ends_at_and_no_other() -> None:
    cache = Cache(mamba=True, threshold=NEVER)
    for text in ("ab", "abcd", "abcdef", "xy"):
        cache.put(text, state=True)
    cache.match("abcde")
    assert cache.order(MAMBA_DEVICE) == ["ab", "abcdef", "xy", "abcd"]
    cache.put("ab", state=True)
    assert cache.order(MAMBA_DEVICE) == ["abcdef", "xy", "abcd", "ab"]


def test_match_does_not_renew_what_it_could_not_use() -> None:
    cache = Cache(window=3, threshold=NEVER)
    cache.put("ab")
    cache.put("abcd", evicted=4)
    cache.put("xy")
    assert cache.match("abcd") == (2, 2)
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"ab", "xy"}


def test_the_half_of_a_node_that_was_not_matched_keeps_its_age() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("aaaa")
    cache.put("bb")
    cache.match("aa")
    cache.system.evict(2, 0, 0)
    assert list(cache.nodes()) == ["aa", "bb"]


def test_after_a_tombstone_a_whole_window_must_follow() -> None:
    cache = Cache(window=3, threshold=NEVER)
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
    assert cache.resident_in(Pool.SWA) == {"abcd", "abcde"}
    assert cache.match("ab") == (0, 2)
    assert cache.match("abcde") == (5, 5)


def test_match_renews_swa_within_window_and_page_deepest_most() -> None:
    cache = Cache(window=2, threshold=NEVER)
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
