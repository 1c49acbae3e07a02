"""Observations of the cache: deltas show what changed, and nothing else."""

from __future__ import annotations

from ..radix.lettered import NEVER, Cache


def test_delta_shows_what_changed_and_nothing_else() -> None:
    cache = Cache(threshold=NEVER)
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
    cache = Cache(threshold=NEVER)
    cache.put("ab")
    cache.system.evict(2, 0, 0)
    delta = cache.system.observe(whole=False)
    assert (delta.nodes, delta.removed) == ((), ())
