"""Load-back: what it brings, when it is refused, and what it holds until its ack (semantics 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import DEVICE, POOLS, Component, Pool
from radixproof.model.dialect import Dialect

Start = Callable[..., Any]


# -- what it brings --------------------------------------------------------------------------------


def test_a_load_back_brings_the_path_the_window_and_the_state(start: Start) -> None:
    """FULL of all that is missing, SWA of one window in whole nodes, the state of the end
    (semantics 9.2)."""
    cache = start(window=3, mamba=True)
    cache.demote("1", "1 2", "1 2 3 4")
    assert cache.load("1 2 3 4 5")
    assert cache.tree() == {"1": "Ffsm|", "1 2": "FSfsm|", "1 2 3": "FSfs", "1 2 3 4": "FSMfsm|"}
    assert cache.copies() == [("1 2 3 4", "FSM")]
    assert cache.match("1 2 3 4") == (4, 4)


def test_a_load_back_brings_only_what_is_missing(start: Start) -> None:
    cache = start(window=2)
    cache.put("1")
    cache.put("1 2 3")
    cache.settle()
    cache.evict(full=2, swa=3)
    cache.put("1", evicted=1)
    assert cache.tree() == {"1": "Ffs|", "1 2": "fs", "1 2 3": "fs|"}
    loading = cache.cache.load_back(cache.page("1 2 3"), None)
    assert loading.full == 2
    assert [[page.end for page in loading.lists[pool]] for pool in DEVICE] == [[2, 3], [2, 3], []]


def test_a_window_alone_is_loaded_back_over_full_that_stayed(start: Start) -> None:
    cache = start(window=2)
    cache.put("1 2")
    cache.put("1 2 3")
    cache.settle()
    cache.evict(swa=1)
    assert cache.tree() == {"1": "Ffs", "1 2": "Ffs|", "1 2 3": "FSfs|"}
    assert cache.match("1 2") == (0, 2)
    assert cache.load("1 2")
    assert cache.tree() == {"1": "FSfs", "1 2": "FSfs|", "1 2 3": "FSfs|"}
    assert cache.copies() == [("1 2", "S")]
    assert cache.match("1 2") == (2, 2)


def test_a_state_alone_is_loaded_back(start: Start) -> None:
    cache = start(mamba=True)
    for text in ("1", "1 2"):
        cache.put(text, state=True)
    cache.settle()
    cache.evict(mamba=1)
    assert cache.tree() == {"1": "Ffm|", "1 2": "FMfm|"}
    assert cache.load("1")
    assert cache.tree()["1"] == "FMfm|"
    assert cache.copies() == [("1", "M")]


def test_loaded_windows_and_states_are_the_newest(start: Start) -> None:
    cache = start(window=1, mamba=True)
    cache.demote("1")
    cache.put("2", state=True)
    assert cache.load("1")
    assert cache.order(Pool.SWA) == cache.order(Pool.MAMBA) == ["2", "1"]


def test_a_load_back_is_no_hit(start: Start) -> None:
    cache = start()
    cache.demote("1 2")
    assert cache.load("1 2")
    assert cache.page("1 2").hits == 1
    assert cache.page("1 2").created == 1
    assert cache.order() == cache.order(Pool.FULL) == ["1", "1 2"]


# -- what refuses it -------------------------------------------------------------------------------


def test_nothing_to_load_is_refused(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.put("1 2", state=True)
    assert not cache.load("1 2")
    assert not cache.load("9")
    assert not start(host_pages=0).load("1")


@pytest.mark.parametrize(("threshold", "loaded"), [(2, True), (3, False)])
def test_few_full_tokens_are_not_worth_a_load_back(
    start: Start, threshold: int, loaded: bool
) -> None:
    cache = start(load_threshold=threshold)
    cache.demote("1 2")
    assert cache.load("1 2") is loaded
    assert cache.tree()["1 2"] == ("Ff|" if loaded else "f|")
    assert not loaded or cache.flying()
    assert loaded or not any(cache.holders(pool) for pool in POOLS), (
        "a refusal leaves no lock behind"
    )


@pytest.mark.parametrize("shape", [{"window": 1}, {"mamba": True}])
def test_a_window_or_a_state_is_worth_one_whatever_comes_with_it(
    start: Start, shape: dict[str, Any]
) -> None:
    cache = start(load_threshold=99, **shape)
    cache.demote("1")
    assert cache.load("1")


@pytest.mark.parametrize(
    ("quota", "locked", "loaded"),
    [
        (None, False, True),
        (3, False, True),
        (2, False, False),
        (2, True, True),
        (1, True, False),
    ],
)
def test_the_quota_is_for_what_is_loaded_and_what_is_pinned(
    start: Start, quota: int | None, locked: bool, loaded: bool
) -> None:
    """Two tokens are loaded below one on the device, which counts unless it was locked anyway
    (semantics 9.3)."""
    cache = start()
    cache.put("1")
    cache.put("1 2 3")
    cache.settle()
    cache.evict(2)
    if locked:
        cache.lock("r1", "1")
    assert cache.load("1 2 3", quota) is loaded


def test_room_is_made_on_the_device(full_device: Start) -> None:
    cache = full_device(locked=False)
    assert cache.load("1 2")
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|", "7": "f", "7 8": "f|"}
    assert cache.trie.free(Pool.FULL) == 1


def test_without_room_nothing_is_evicted_and_nothing_changed(full_device: Start) -> None:
    cache = full_device(locked=True)
    assert not cache.load("1 2")
    assert cache.tree() == {"1": "f", "1 2": "f|", "7": "Ff", "7 8": "Ff|"}
    assert set(cache.holders(Pool.FULL)) == {"7", "7 8"}
    assert cache.holders(Pool.FULL_HOST) == {}


def test_the_prefix_that_is_loaded_below_makes_no_room(start: Start) -> None:
    """It is locked before room is counted (semantics 9.3)."""
    cache = start(device_pages=2)
    cache.put("1")
    cache.settle()
    cache.evict(1)
    cache.put("1 2")
    cache.settle()
    cache.evict(1)
    cache.fetch("1 2 3", 2)
    assert cache.tree() == {"1": "Ff|", "1 2": "f|", "1 2 3": "f|"}
    assert not cache.load("1 2 3")
    assert cache.load("1 2")


@pytest.mark.parametrize("component", [Component.SWA, Component.MAMBA])
def test_every_component_needs_room(start: Start, component: Component) -> None:
    cache = start(window=1, mamba=True, swa_pages=1, mamba_states=1, device_pages=9)
    cache.demote("1")
    cache.put("2", evicted=int(component is Component.MAMBA), state=component is Component.MAMBA)
    cache.settle()
    cache.lock_page("r1", "2")
    assert not cache.load("1")
    cache.unlock("r1")
    assert cache.load("1")


def test_a_load_back_for_which_room_could_not_be_made_is_refused(start: Start) -> None:
    """What counts as evictable here is locked on the host and without a host copy, so that it
    cannot go (semantics 9.3)."""
    cache = start(device_pages=2, threshold=2)
    cache.demote("1", "1")
    cache.put("7 8")
    cache.lock_host("r1", "7 8")
    assert not cache.load("1")
    assert cache.tree() == {"1": "f|", "7": "F", "7 8": "F|"}
    assert cache.trie.free(Pool.FULL) == 0


# -- until the ack ---------------------------------------------------------------------------------


def test_source_and_target_are_locked_until_the_ack(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.demote("1", "1 2 3")
    assert cache.load("1 2 3")
    assert [set(cache.holders(pool)) for pool in DEVICE] == [
        {"1", "1 2", "1 2 3"},
        {"1 2", "1 2 3"},
        {"1 2 3"},
    ]
    assert set(cache.holders(Pool.FULL_HOST)) == {"1 2", "1 2 3"}
    assert cache.evict(9, 9, 9) == (0, 0, 0)
    assert cache.cache.check(load=True, blocking=False) == []
    cache.cache.copies.run(1, load=True)
    assert len(cache.cache.check(load=True, blocking=False)) == 1
    assert not any(cache.holders(pool) for pool in POOLS)
    assert cache.tree() == {"1": "Ffsm|", "1 2": "FSfs", "1 2 3": "FSMfsm|"}, "the host copies stay"


@pytest.mark.parametrize("segments", [True, False])
def test_what_was_loaded_is_locked_where_only_values_can_be(start: Start, segments: bool) -> None:
    """The lock that lasts until the ack is taken when the values are there (semantics 9.4)."""
    cache = start(window=2, mamba=True, dialect=Dialect(segment_locks=segments))
    cache.demote("1 2")
    assert cache.load("1 2")
    assert [set(cache.holders(pool)) for pool in DEVICE] == [{"1", "1 2"}, {"1", "1 2"}, {"1 2"}]
    cache.settle()
    assert not any(cache.holders(pool) for pool in POOLS)


def test_a_load_back_follows_a_split(start: Start) -> None:
    cache = start()
    cache.demote("1 2 3")
    assert cache.load("1 2 3")
    cache.match("1")
    assert cache.cache.copies.busy() == set(cache.all_pages())
    assert set(cache.holders(Pool.FULL_HOST)) == {"1", "1 2", "1 2 3"}
    cache.settle()
    assert not any(cache.holders(pool) for pool in POOLS)


def test_what_is_on_its_way_is_matched_and_can_be_loaded_no_second_time(start: Start) -> None:
    cache = start()
    cache.demote("1 2")
    assert cache.load("1 2")
    assert cache.match("1 2") == (2, 2)
    assert not cache.load("1 2")


def test_a_failed_load_back_is_made_again(start: Start) -> None:
    cache = start()
    cache.demote("1")
    assert cache.load("1")
    cache.cache.copies.run(1, load=True, fail=True)
    assert cache.cache.check(load=True, blocking=False) == []
    assert cache.page("1").locked
    assert len(cache.cache.check(load=True, blocking=True)) == 1


def test_what_comes_back_is_no_newer_than_its_use(start: Start) -> None:
    """A load-back may be long after its match (semantics 3.7, 9.4)."""
    cache = start()
    cache.demote("1")
    cache.match("1")
    cache.put("2")
    loading = cache.cache.load_back(cache.page("1"), None)
    assert cache.cache.finish_load(loading)
    cache.settle()
    assert [page.key().tokens for page in cache.trie.recency_in[Pool.FULL]] == [(1,), (2,)]
    cache.evict(full=1)
    assert not cache.page("1").has(Pool.FULL)
