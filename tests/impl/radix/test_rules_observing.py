"""Reset and observation: the rules of the radix cache, one at a time (semantics 12)."""

from __future__ import annotations

from .lettered import Cache


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


def test_delta_shows_what_changed_and_nothing_else() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("xyz")
    cache.see()
    cache.match("x")
    assert {node.segment for node in cache.system.observe(whole=False).nodes} == {
        (ord("x"),),
        (ord("y"), ord("z")),
    }
    assert cache.system.observe(whole=False).nodes == ()
    receipt = cache.lock("ab")
    assert [node.locks for node in cache.system.observe(whole=False).nodes] == [(1, 0, 0)]
    cache.system.unlock(receipt)
    gone = cache.nodes()["xyz"].id
    cache.system.evict(2, 0, 0)
    delta = cache.system.observe(whole=False)
    assert (delta.nodes, delta.removed, delta.whole) == ((), (gone,), None)


def test_node_that_came_and_went_between_two_observations_is_not_reported() -> None:
    cache = Cache()
    cache.put("ab")
    cache.system.evict(2, 0, 0)
    delta = cache.system.observe(whole=False)
    assert (delta.nodes, delta.removed) == ((), ())
