"""Backups of the radix cache: what gets to the host, when, and what they leave behind if they cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Component, Pool

Bench = Callable[..., Any]
NO_LOCKS = (0, 0, 0)


def test_backup_copies_every_component_late_and_is_locked_until_the_check(bench: Bench) -> None:
    cache = bench(mamba=True, window=2)
    cache.put("abcd", state=True)
    assert cache.marked() == ({"ab", "abcd"}, set())
    assert cache.wrong() == {
        ("ab", Pool.FULL_HOST),
        ("ab", Pool.SWA_HOST),
        *(("abcd", pool) for pool in list(Pool)[3:]),
    }
    assert (cache.system.run_copies(2), cache.wrong()) == (2, set())
    assert (cache.system.evict(4, 4, 1), cache.system.copied(load=False)) == (NO_LOCKS, 2)
    assert cache.system.writing_check(blocking=False) == 2
    assert (cache.marked(), cache.protected()) == ((set(), set()), NO_LOCKS)
    assert cache.system.evict(4, 4, 1) == (4, 4, 1)
    assert cache.match("abcd") == (0, 4)


def test_pieces_of_a_node_stay_pending_until_its_check(bench: Bench) -> None:
    cache = bench(mamba=True)
    cache.put("abcd", state=True)
    cache.match("abc")
    cache.match("a")
    assert cache.marked()[0] == {"a", "abc", "abcd"}
    assert cache.system.evict(4, 0, 1) == NO_LOCKS
    cache.settle()
    assert (cache.marked()[0], cache.wrong(), cache.protected()) == (set(), set(), NO_LOCKS)
    assert cache.locked_in(Pool.MAMBA_HOST) == {"abcd"}


def test_what_comes_to_a_node_later_is_backed_up_by_itself(bench: Bench) -> None:
    cache = bench(mamba=True, window=2)
    cache.put("ab", evicted=2)
    assert cache.locked_in(Pool.SWA_HOST) == set()
    cache.put("ab", state=True)
    assert (
        cache.locked_in(Pool.FULL_HOST)
        == cache.locked_in(Pool.SWA_HOST)
        == cache.locked_in(Pool.MAMBA_HOST)
        == {"ab"}
    )
    assert cache.system.run_copies(1) == 1
    assert cache.system.writing_check(blocking=False) == 1
    assert cache.marked()[0] == {"ab"}, "the supplement is in flight"
    assert cache.wrong() == {("ab", Pool.SWA_HOST), ("ab", Pool.MAMBA_HOST)}
    cache.settle()
    assert (cache.marked()[0], cache.wrong(), cache.protected()) == (set(), set(), NO_LOCKS)
    cache.put("ab", state=True)
    assert cache.system.copied(load=False) == cache.system.run_copies(9) == 0, (
        "nothing is missing any more"
    )


def test_ancestors_are_backed_up_first_and_a_full_host_stops_it(bench: Bench) -> None:
    cache = bench(threshold=2, host_pages=3)
    cache.put("ab")
    cache.put("abcd")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab"}
    cache.put("abcd")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab"}, "no room for two more"
    cache.put("abcx")
    assert cache.locked_in(Pool.FULL_HOST) == {"ab", "abc"}


@pytest.mark.parametrize("pool", [Pool.FULL_HOST, Pool.SWA_HOST, Pool.MAMBA_HOST])
def test_refused_allocation_undoes_the_whole_backup(bench: Bench, pool: Pool) -> None:
    cache = bench(mamba=True, window=4)
    cache.system.refuse(pool)
    cache.put("ab", state=True)
    assert (cache.marked()[0], cache.protected()) == (set(), NO_LOCKS)
    assert cache.see().free[3:] == (20, 20, 6)
    cache.put("ab")
    assert cache.locked_in(Pool.MAMBA_HOST) == {"ab"}, "once only"


def test_failed_backup_is_made_again(bench: Bench) -> None:
    cache = bench()
    cache.put("ab")
    cache.put("xy")
    assert cache.system.run_copies(1, fail=True) == 1
    assert cache.system.run_copies(1) == 1
    assert cache.system.copied(load=False) == 0
    assert (cache.system.writing_check(blocking=False), cache.marked()[0]) == (0, {"ab", "xy"})
    assert cache.wrong() == {("ab", Pool.FULL_HOST)}
    assert cache.system.run_copies(9) == 1
    assert (cache.system.writing_check(blocking=False, limit=1), cache.marked()[0]) == (1, {"xy"})
    assert (cache.system.writing_check(blocking=False), cache.wrong()) == (1, set())


def test_write_back_copies_at_eviction_and_leaves_nothing_in_flight(bench: Bench) -> None:
    cache = bench(mamba=True, window=2, write_back=True, threshold=1)
    cache.put("abcd", state=True)
    assert cache.locked_in(Pool.FULL_HOST) == set()
    assert cache.system.evict(2, 0, 0) == (2, 2, 1)
    assert cache.locked_in(Pool.FULL_HOST) == {"abcd"}, "no matter that its parent has no copy"
    assert (cache.marked(), cache.wrong(), cache.protected()) == ((set(), set()), set(), NO_LOCKS)
    assert cache.system.copied(load=False) == cache.system.run_copies(9) == 0


def test_write_back_that_is_refused_deletes_what_it_could_not_copy(bench: Bench) -> None:
    cache = bench(mamba=True, write_back=True)
    cache.put("abcd", state=True)
    cache.system.refuse(Pool.MAMBA_HOST)
    assert cache.system.evict(4, 0, 0) == (4, 0, 1)
    assert cache.nodes() == {}
    assert cache.see().free == (20, 0, 6, 20, 0, 6)


def test_without_a_host_tier_nothing_is_backed_up(bench: Bench) -> None:
    cache = bench(host_pages=0)
    cache.put("abcd")
    cache.put("abcd")
    assert (cache.marked()[0], cache.system.run_copies(9)) == (set(), 0)
    assert cache.system.evict_host(1, Component.FULL) == 0
