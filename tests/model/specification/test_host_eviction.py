"""Eviction from the host: leaves, duplicates, windows and states, and what a system chose to make
room (semantics 7.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Component, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect

FULL, SWA, MAMBA = Component
Start = Callable[..., Any]


# -- FULL ------------------------------------------------------------------------------------------


def test_host_leaves_are_deleted_oldest_first_and_parents_follow(start: Start) -> None:
    cache = start()
    cache.demote("1", "1 2", "3")
    assert cache.evict_host(1) == 1
    assert cache.tree() == {"1": "f|", "3": "f|"}
    assert cache.evict_host(9) == 2
    assert cache.tree() == {}


@pytest.mark.parametrize(
    ("order", "victims"),
    [
        (EvictionPolicy.LRU, "2 3 1"),
        (EvictionPolicy.MRU, "1 3 2"),
        (EvictionPolicy.FIFO, "1 2 3"),
        (EvictionPolicy.FILO, "3 2 1"),
        (EvictionPolicy.LFU, "2 3 1"),
    ],
)
def test_host_leaves_go_in_the_order_of_eviction(
    start: Start, order: EvictionPolicy, victims: str
) -> None:
    cache = start(eviction_policy=order)
    cache.demote("1", "2", "3", "1")
    cache.match("1")
    taken: list[str] = []
    while cache.tree():
        before = set(cache.tree())
        cache.evict_host(1)
        taken += before - set(cache.tree())
    assert " ".join(taken) == victims


def test_a_host_leaf_takes_its_window_and_its_state_along(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.demote("1 2")
    assert cache.evict_host(1) == 2
    assert cache.tree() == {}
    assert all(cache.trie.used[pool] == 0 for pool in Pool)


def test_host_copies_of_what_is_on_device_stay(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.put("1", state=True)
    cache.settle()
    assert [cache.evict_host(9, component) for component in Component] == [0, 0, 0]
    assert cache.tree() == {"1": "FSMfsm|"}


@pytest.mark.parametrize("locked", ["1", "1 2"])
def test_a_host_lock_keeps_a_host_leaf_and_what_is_above_it(start: Start, locked: str) -> None:
    cache = start()
    cache.demote("1", "1 2")
    cache.lock_host("r1", locked)
    assert cache.evict_host(9) == (1 if locked == "1" else 0)
    assert "1" in cache.tree()


def test_a_device_lock_keeps_a_host_leaf_too(start: Start) -> None:
    """A lock covers nodes that are on the host only as well (semantics 1.6)."""
    cache = start()
    cache.demote("1")
    cache.lock_page("r1", "1")
    assert cache.evict_host(9) == 0
    cache.unlock("r1")
    assert cache.evict_host(9) == 1


# -- SWA and MAMBA ---------------------------------------------------------------------------------


def test_what_came_to_the_host_first_goes_first(start: Start) -> None:
    """The leaf was demoted before the node above it; host leaves go whole."""
    cache = start(window=2)
    cache.demote("1", "1 2")
    assert cache.evict_host(1, SWA) == 1
    assert cache.tree() == {"1": "fs|"}
    assert cache.evict_host(1, SWA) == 1
    assert cache.tree() == {}


@pytest.mark.parametrize(("component", "left"), [(SWA, "f|"), (MAMBA, "fs|")])
def test_on_the_host_too_swa_takes_the_state_along_and_the_state_goes_alone(
    start: Start, component: Component, left: str
) -> None:
    """The node above is the first to be on the host only with these, and it is not a leaf."""
    cache = start(window=2, mamba=True)
    cache.put("1", state=True)
    cache.put("1 2", state=True)
    cache.settle()
    cache.evict(0, 1, 1)
    cache.evict(8)
    assert cache.evict_host(1, component) == 1
    assert cache.tree() == {"1": left, "1 2": "fsm|"}


def test_a_window_on_the_host_of_a_node_on_the_device_may_go(start: Start) -> None:
    """If it is not on the device as well; the node is no host leaf and stays."""
    cache = start(window=2, mamba=True)
    cache.put("1", state=True)
    cache.put("1 2", state=True)
    cache.settle()
    cache.evict(swa=1)
    assert cache.tree() == {"1": "Ffsm|", "1 2": "FSMfsm|"}
    assert cache.evict_host(9, SWA) == 1
    assert cache.tree() == {"1": "Ff|", "1 2": "FSMfsm|"}


def test_host_locked_windows_and_states_are_passed_over(start: Start) -> None:
    cache = start(window=1, mamba=True)
    cache.demote("1", "1 2", "1 2 3")
    cache.lock_host("r1", "1 2")
    assert cache.evict_host(9, MAMBA) == 2
    assert cache.tree() == {"1": "fs|", "1 2": "fsm|"}
    assert cache.evict_host(9, SWA) == 1
    assert cache.tree() == {"1": "f|", "1 2": "fsm|"}


def test_windows_and_states_of_a_node_with_a_copy_in_flight_are_passed_over(start: Start) -> None:
    """Here the state is backed up late, while the window is on the host only."""
    cache = start(window=1, mamba=True)
    cache.put("1", state=False)
    cache.put("1 2")
    cache.settle()
    cache.evict(swa=1)
    cache.put("1", evicted=1, state=True)
    assert cache.tree() == {"1": "FMfsm|", "1 2": "FSfs|"}
    assert cache.copies() == [("1", "m")]
    assert cache.evict_host(9, SWA) == 0
    cache.settle()
    assert cache.evict_host(9, SWA) == 1


# -- under write_back ------------------------------------------------------------------------------


def test_under_write_back_duplicates_go_first_interior_ones_before_leaves(
    duplicated: Start,
) -> None:
    """Only the FULL slots on the host go: the node is on the device (semantics 7.9)."""
    cache = duplicated(window=1, mamba=True)
    assert cache.tree() == {"9": "fsm|", "1": "FSfsm|", "1 2": "FSfsm|"}
    assert cache.evict_host(1) == 1
    assert cache.tree() == {"9": "fsm|", "1": "FSsm|", "1 2": "FSfsm|"}
    assert cache.evict_host(1) == 1
    assert cache.tree() == {"9": "fsm|", "1": "FSsm|", "1 2": "FSsm|"}
    assert cache.evict_host(1) == 1
    assert cache.tree() == {"1": "FSsm|", "1 2": "FSsm|"}


@pytest.mark.parametrize(
    ("order", "victim"), [(EvictionPolicy.LRU, "1"), (EvictionPolicy.MRU, "2")]
)
def test_duplicates_go_in_the_order_of_eviction(
    start: Start, order: EvictionPolicy, victim: str
) -> None:
    cache = start(write_back=True, eviction_policy=order)
    cache.demote("1", "2")
    cache.put("1")
    cache.put("2")
    assert cache.evict_host(1) == 1
    assert cache.tree()[victim] == "F|"


def test_before_0_5_18_duplicates_stay(duplicated: Start) -> None:
    cache = duplicated(dialect=Dialect(duplicates_on_host=False))
    assert cache.evict_host(9) == 1
    assert cache.tree() == {"1": "Ff|", "1 2": "Ff|"}


@pytest.mark.parametrize("locked", ["1", "1 2"])
def test_a_host_lock_keeps_a_duplicate(duplicated: Start, locked: str) -> None:
    cache = duplicated()
    cache.lock_host("r1", locked)
    assert cache.evict_host(9) == 2
    assert "f" in cache.tree()[locked]


def test_a_device_lock_does_not_keep_a_duplicate(duplicated: Start) -> None:
    cache = duplicated()
    cache.lock("r1", "1 2")
    assert cache.evict_host(9) == 3


def test_a_load_back_keeps_its_source_until_the_ack(start: Start) -> None:
    cache = start(write_back=True)
    cache.demote("1", "1 2")
    assert cache.load("1 2")
    assert cache.evict_host(9) == 0
    cache.settle()
    assert cache.tree() == {"1": "Ff|", "1 2": "Ff|"}
    assert cache.evict_host(9) == 2
