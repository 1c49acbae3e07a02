"""The order of eviction, on either tier (semantics 7.2)."""

from __future__ import annotations

import pytest

from radixproof.model.config import Component, EvictionPolicy, Pool

from .lettered import NEVER, Cache

ORDERS = {
    EvictionPolicy.LRU: "bca",
    EvictionPolicy.LFU: "cab",
    EvictionPolicy.FIFO: "abc",
    EvictionPolicy.MRU: "acb",
    EvictionPolicy.FILO: "cba",
    EvictionPolicy.PRIORITY: "bac",
    EvictionPolicy.SLRU: "cba",
}


def three_leaves(cache: Cache) -> None:
    """Created as a, b, c; last used as b, c, a; hit 2, 3 and 1 times; of priority 1, 0 and 2."""
    for text, priority in zip("abcabb", (1, 0, 2, 0, 0, 0), strict=True):
        cache.put(text, priority=priority)
    for text in "ca":
        cache.match(text)


@pytest.mark.parametrize("order", EvictionPolicy)
def test_device_leaves_go_in_the_configured_order(order: EvictionPolicy) -> None:
    cache = Cache(eviction_policy=order, threshold=NEVER)
    three_leaves(cache)
    gone = ""
    for _ in range(3):
        before = cache.resident_in(Pool.FULL)
        assert cache.system.evict(1, 0, 0) == (1, 0, 0)
        gone += "".join(before - cache.resident_in(Pool.FULL))
    assert gone == ORDERS[order]


@pytest.mark.parametrize("order", EvictionPolicy)
def test_host_leaves_go_in_the_configured_order(order: EvictionPolicy) -> None:
    cache = Cache(eviction_policy=order)
    three_leaves(cache)
    cache.settle()
    cache.system.evict(3, 0, 0)
    gone = ""
    for _ in range(3):
        before = cache.resident_in(Pool.FULL_HOST)
        assert cache.system.evict_host(1, Component.FULL) == 1
        gone += "".join(before - cache.resident_in(Pool.FULL_HOST))
    assert gone == ORDERS[order]


def test_equals_go_least_recently_used_first() -> None:
    cache = Cache(eviction_policy=EvictionPolicy.PRIORITY, threshold=NEVER)
    for text in "abc":
        cache.put(text, priority=1)
    cache.match("a")
    cache.system.evict(2, 0, 0)
    assert cache.resident_in(Pool.FULL) == {"a"}


def test_a_walked_node_has_the_highest_priority_it_was_ever_given() -> None:
    cache = Cache(eviction_policy=EvictionPolicy.PRIORITY, threshold=NEVER)
    cache.put("ab", priority=2)
    cache.put("c", priority=1)
    cache.put("a", priority=0)
    cache.match("c")
    cache.system.evict(1, 0, 0)
    assert cache.resident_in(Pool.FULL) == {"a", "ab"}, (
        "both halves of a split have the priority of the whole"
    )
    cache.put("c", priority=1)
    cache.put("a", priority=3)
    cache.put("c", priority=2)
    cache.system.evict(2, 0, 0)
    assert cache.resident_in(Pool.FULL) == {"a"}


def test_halves_of_a_node_were_made_when_it_was() -> None:
    cache = Cache(eviction_policy=EvictionPolicy.FIFO, threshold=NEVER)
    cache.put("abc")
    cache.put("x")
    cache.put("ab")
    cache.system.evict(3, 0, 0)
    assert cache.resident_in(Pool.FULL) == {"x"}


def test_a_parent_that_becomes_a_leaf_takes_its_turn() -> None:
    cache = Cache(eviction_policy=EvictionPolicy.FIFO, threshold=NEVER)
    for text in ("a", "x", "ab"):
        cache.put(text)
    cache.system.evict(2, 0, 0)
    assert cache.resident_in(Pool.FULL) == {"a"}
