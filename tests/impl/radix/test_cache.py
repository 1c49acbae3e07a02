"""The cache as a whole: keys, offers that are refused, reset."""

from __future__ import annotations

import pytest

from radixproof.impl.radix.allocator import SlotError
from radixproof.model.config import Pool
from radixproof.model.key import Key

from .lettered import NEVER, Cache, key


def test_a_state_for_a_cache_without_states_is_refused() -> None:
    cache = Cache()
    with pytest.raises(ValueError, match="no MAMBA"):
        cache.system.insert(key("a"), [1], 0, 0, 1)


def test_the_tail_of_an_unaligned_key_stays_with_the_caller() -> None:
    cache = Cache(page_size=2, threshold=NEVER)
    slots = cache.system.allocate(4)
    assert slots is not None
    assert cache.system.insert(key("abc"), slots, 0, 0).reused == 0
    cache.system.free(slots[2:])
    assert cache.free()[Pool.FULL] == 38
    assert cache.system.insert(Key((1,)), [], 0, 0).reused == 0
    assert list(cache.nodes()) == ["ab"]


def test_insert_rejects_malformed_offers() -> None:
    cache = Cache(page_size=2, threshold=NEVER)
    slots = cache.system.allocate(2)
    assert slots is not None
    for arguments in ((slots[:1], 0, 0), (slots, 1, 0), (slots, 0, 1), (slots, -2, 0)):
        with pytest.raises(ValueError, match=r"to insert|whole pages"):
            cache.system.insert(Key((1, 2)), *arguments)
    with pytest.raises(SlotError):
        cache.system.free([*slots, *slots])


def test_empty_key_changes_nothing() -> None:
    cache = Cache(window=2, threshold=NEVER)
    assert cache.put("").reused == 0
    assert cache.match("") == (0, 0)
    assert cache.system.observe(whole=False).nodes == ()


def test_bigram_keys_are_pairs_of_neighbours() -> None:
    cache = Cache(page_size=2, bigram=True, threshold=NEVER)
    slots = cache.system.allocate(4)
    assert slots is not None
    assert cache.system.insert(key("abcdef"), slots, 0, 0).reused == 0
    (node,) = cache.see().nodes
    assert node.segment == ((97, 98), (98, 99), (99, 100), (100, 101)), (
        "the fifth pair is no whole page"
    )
    found = cache.system.match(key("abcx"))
    assert (found.device, found.slots) == (2, slots[:2])
    assert cache.system.match(key("ab")).device == 0
    assert cache.system.insert(Key((1,)), [], 0, 0).reused == 0


def test_reset_leaves_nothing() -> None:
    cache = Cache(threshold=1, window=2)
    cache.put("abcd")
    cache.put("xy", evicted=2)
    cache.settle()
    cache.system.evict(2, 0, 0)
    cache.put("abc")
    ids = {node.id for node in cache.see().nodes}
    cache.system.reset()
    assert set(cache.system.observe(whole=False).removed) == ids
    seen = cache.see()
    assert seen.nodes == ()
    assert seen.free == (20, 20, 0, 20, 20, 0)
    assert seen.evictable == seen.protected == (0, 0, 0)
    assert cache.system.run_copies(9) == cache.system.writing_check(blocking=True) == 0
    cache.put("abcd")
    assert ids.isdisjoint(node.id for node in cache.see().nodes)
    assert cache.match("abcd") == (4, 4)
