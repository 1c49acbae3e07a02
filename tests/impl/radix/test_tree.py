"""The tree: splits, pages, namespaces (semantics 1, 2 and 5)."""

from __future__ import annotations

from radixproof.model.config import Pool

from .lettered import NEVER, SWA_DEVICE, Cache


def test_a_split_leaves_the_state_and_its_locks_to_the_lower_half() -> None:
    cache = Cache(mamba=True)
    cache.put("abcd", state=True)
    cache.settle()
    before = cache.nodes()["abcd"]
    anchor = cache.best("abcd")
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


def test_match_inside_a_node_splits_it_and_the_lower_half_keeps_its_identity() -> None:
    cache = Cache(threshold=NEVER)
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
    cache = Cache(page_size=2, threshold=NEVER)
    cache.put("abcdef")
    assert cache.match("abcxef") == (2, 2)
    assert cache.match("abcde") == (4, 4)
    assert cache.match("a") == (0, 0)


def test_both_halves_of_a_split_have_the_age_of_the_whole() -> None:
    cache = Cache(window=3, threshold=NEVER)
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


def test_split_keeps_the_place_in_the_order_of_swa() -> None:
    cache = Cache(window=4, threshold=NEVER)
    cache.put("abcdef", evicted=2)
    cache.put("xy")
    assert cache.match("abcd") == (0, 0)
    assert cache.order(SWA_DEVICE) == ["abcd", "abcdef", "xy"]
    cache.match("x")
    assert cache.order(SWA_DEVICE) == ["abcd", "abcdef", "xy", "x"]


def test_namespaces_share_nothing() -> None:
    cache = Cache(threshold=NEVER)
    cache.put("abcd", namespace="tenant")
    assert cache.match("abcd") == (0, 0)
    assert cache.put("abcd").reused == 0
    assert cache.match("abcd", "tenant") == (4, 4)
    assert len(cache.see().nodes) == 2
