"""Eviction from the device: who goes, in which order, what goes with whom, and what becomes of it
(semantics 7.1 to 7.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import EvictionPolicy

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


# -- FULL ------------------------------------------------------------------------------------------


def test_the_least_recently_used_leaf_goes_first(start: Start) -> None:
    cache = start()
    for text in ("1", "2", "3"):
        cache.put(text)
    cache.settle()
    cache.match("1")
    assert cache.evict(1) == (1, 0, 0)
    assert cache.tree() == {"1": "Ff|", "2": "f|", "3": "Ff|"}


@pytest.mark.parametrize(
    ("order", "victims"),
    [
        (EvictionPolicy.LRU, "4 1 3 5 2"),
        (EvictionPolicy.MRU, "2 5 3 1 4"),
        (EvictionPolicy.LFU, "4 2 3 5 1"),
        (EvictionPolicy.FIFO, "1 2 3 4 5"),
        (EvictionPolicy.FILO, "5 4 3 2 1"),
        (EvictionPolicy.PRIORITY, "4 5 2 1 3"),
        (EvictionPolicy.SLRU, "4 2 1 3 5"),
    ],
)
def test_every_order_has_its_victims(
    used_differently: Start, order: EvictionPolicy, victims: str
) -> None:
    cache = used_differently(order)
    taken: list[str] = []
    while cache.tree():
        before = set(cache.tree())
        assert cache.evict(1) == (1, 0, 0)
        taken += before - set(cache.tree())
    assert " ".join(taken) == victims


def test_a_parent_takes_its_turn_by_the_order(start: Start) -> None:
    """Under MRU it is older than its child, under FIFO too: other leaves go before it, or after it
    (semantics 7.2)."""
    for order, left in (
        (EvictionPolicy.MRU, {"1", "2"}),
        (EvictionPolicy.FIFO, {"2", "2 3"}),
        (EvictionPolicy.FILO, {"1", "2"}),
    ):
        cache = start(eviction_policy=order, host_pages=0)
        cache.put("1")
        cache.put("2")
        cache.put("2 3")
        cache.evict(1)
        assert set(cache.tree()) == left, order


def test_a_backed_leaf_is_demoted_and_another_is_deleted(start: Start) -> None:
    cache = start(threshold=2)
    for text in ("1", "1", "2"):
        cache.put(text)
    cache.settle()
    assert cache.evict(2) == (2, 0, 0)
    assert cache.tree() == {"1": "f|"}


def test_without_a_host_tier_every_leaf_is_deleted(start: Start) -> None:
    cache = start(host_pages=0, window=2, mamba=True)
    cache.put("1 2 3", state=True)
    assert cache.evict(full=1) == (2, 2, 1)
    assert cache.tree() == {"1": "FS|"}


def test_a_demoted_leaf_loses_what_has_no_host_copy(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=3)
    for _ in range(3):
        cache.put("1 2", evicted=2)
    cache.settle()
    cache.page("1 2").hits = cache.page("1").hits = 0
    cache.put("1 2", state=True)
    assert cache.tree() == {"1": "FSf", "1 2": "FSMf|"}
    assert cache.evict(full=1) == (2, 2, 1)
    assert cache.tree() == {"1": "f", "1 2": "f|"}


def test_parents_follow_their_children_and_nodes_go_whole(start: Start) -> None:
    cache = start(threshold=2)
    cache.put("1 2 3")
    cache.put("1 4")
    assert cache.tree() == {"1": "Ff|", "1 2": "F", "1 2 3": "F|", "1 4": "F|"}
    cache.settle()
    assert cache.evict(1) == (2, 0, 0)
    assert cache.evict(2) == (2, 0, 0)
    assert cache.tree() == {"1": "f|"}


@pytest.mark.parametrize("holder", ["a receipt", "a backup"])
def test_what_is_held_stays(start: Start, holder: str) -> None:
    cache = start()
    cache.put("1 2")
    if holder == "a receipt":
        cache.settle()
        cache.lock("r1", "1")
    assert cache.evict(9) == ((1, 0, 0) if holder == "a receipt" else (0, 0, 0))
    assert cache.tree()["1"].startswith("F")


def test_a_host_lock_keeps_a_leaf_that_would_be_deleted(start: Start) -> None:
    """It is passed over with all that it holds; another leaf takes its turn (semantics 7.4)."""
    cache = start(window=2, threshold=NEVER)
    cache.put("1")
    cache.put("2")
    cache.lock_host("r1", "1")
    assert cache.evict(full=1) == (1, 1, 0)
    assert cache.tree() == {"1": "FS|"}
    assert cache.evict(full=1) == (0, 0, 0)
    assert cache.evict(swa=1) == (0, 0, 0)
    cache.unlock("r1")
    assert cache.evict(full=1) == (1, 1, 0)


def test_nothing_asked_nothing_freed(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    assert cache.evict() == (0, 0, 0)


# -- SWA and MAMBA ---------------------------------------------------------------------------------


def test_a_leaf_takes_its_swa_and_its_state_along_and_that_counts(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    cache.put("2", state=True)
    assert cache.evict(1, 1, 1) == (1, 1, 1)
    assert cache.tree() == {"2": "FSM|"}


def test_swa_is_taken_from_interior_nodes_and_leaves_go_whole(start: Start) -> None:
    cache = start(window=2)
    cache.put("1")
    cache.put("1 2")
    cache.settle()
    assert cache.evict(swa=1) == (0, 1, 0)
    assert cache.tree() == {"1": "Ffs|", "1 2": "FSfs|"}
    assert cache.evict(swa=1) == (1, 1, 0)
    assert cache.tree() == {"1": "Ffs|", "1 2": "fs|"}


@pytest.mark.parametrize(("component", "left"), [("swa", "F|"), ("mamba", "FS|")])
def test_of_an_interior_node_swa_takes_the_state_along_and_the_state_goes_alone(
    start: Start, component: str, left: str
) -> None:
    """A component takes along those that rank below it (semantics 7.6)."""
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    cache.put("1 2", state=True)
    freed = cache.evict(**{component: 1})
    assert freed == (0, 1 if component == "swa" else 0, 1)
    assert cache.tree() == {"1": left, "1 2": "FSM|"}


def test_a_state_at_a_leaf_takes_the_leaf_along(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1 2", state=True)
    assert cache.evict(mamba=1) == (2, 2, 1)
    assert cache.tree() == {}


def test_states_that_swa_took_along_count_for_the_states_asked_for(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    for text in ("1", "1 2", "1 2 3"):
        cache.put(text, state=True)
    assert cache.evict(swa=1, mamba=1) == (0, 1, 1)
    assert cache.tree() == {"1": "F|", "1 2": "FSM|", "1 2 3": "FSM|"}


def test_locked_windows_and_states_are_passed_over(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1 2", state=True)
    cache.put("1 2 3 4", state=True)
    cache.lock("r1", "1 2 3 4")
    assert cache.evict(swa=9, mamba=9) == (0, 2, 1)
    assert cache.tree() == {"1": "F", "1 2": "F|", "1 2 3": "FS", "1 2 3 4": "FSM|"}


def test_a_locked_window_stays_where_its_state_goes(start: Start) -> None:
    """MAMBA goes alone, also after a drive of SWA that found nothing (semantics 7.6)."""
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    cache.put("1 2", state=True)
    cache.lock("r1", "1 2")
    assert cache.evict(swa=9, mamba=1) == (0, 0, 1)
    assert cache.tree() == {"1": "FS|", "1 2": "FSM|"}


# -- under write_back ------------------------------------------------------------------------------


def test_write_back_puts_a_leaf_on_the_host_when_it_goes(start: Start) -> None:
    cache = start(write_back=True, window=2, mamba=True)
    cache.put("1 2", state=True)
    assert cache.evict(full=1) == (2, 2, 1)
    assert cache.tree() == {"1": "fs", "1 2": "fsm|"}
    assert cache.flying() == [], "nothing is in flight when the eviction returns"


def test_write_back_needs_no_backed_parent(start: Start) -> None:
    cache = start(write_back=True)
    cache.put("1")
    cache.put("1 2")
    assert cache.evict(1) == (1, 0, 0)
    assert cache.tree() == {"1": "F|", "1 2": "f|"}


def test_write_back_backs_an_interior_node_up_before_its_window_goes(start: Start) -> None:
    cache = start(write_back=True, window=2)
    cache.put("1")
    cache.put("1 2")
    assert cache.evict(swa=1) == (0, 1, 0)
    assert cache.tree() == {"1": "Ffs|", "1 2": "FS|"}


def test_a_host_lock_keeps_no_leaf_on_the_device_that_write_back_can_put_on_the_host(
    start: Start,
) -> None:
    """Only one that would be deleted, because the backup failed (semantics 7.4)."""
    cache = start(write_back=True)
    cache.put("1")
    cache.lock_host("r1", "1")
    assert cache.evict(1) == (1, 0, 0)
    assert cache.tree() == {"1": "f|"}


@pytest.mark.parametrize(
    ("swa_host_pages", "upper", "lower"), [(2, "fs|", "fs|"), (1, "f|", "fs|")]
)
def test_write_back_copies_what_came_after_a_first_backup_while_there_is_room(
    start: Start, swa_host_pages: int, upper: str, lower: str
) -> None:
    """An interior node first, then two leaves: a copy makes room for the next (semantics 7.3,
    7.4)."""
    cache = start(write_back=True, window=2, swa_host_pages=swa_host_pages)
    cache.put("1", evicted=1)
    cache.put("1 2", evicted=2)
    cache.evict(full=2)
    cache.put("1 2")
    assert cache.tree() == {"1": "FSf|", "1 2": "FSf|"}
    assert cache.evict(swa=1) == (0, 1, 0)
    assert cache.evict(full=2) == (2, 1, 0)
    assert cache.tree() == {"1": upper, "1 2": lower}


def test_a_demoted_leaf_loses_what_the_host_cannot_have_room_for(start: Start) -> None:
    cache = start(write_back=True, window=2, swa_host_pages=1)
    cache.put("1 2", evicted=2)
    cache.evict(full=2)
    cache.put("1 2")
    assert cache.evict(full=1) == (2, 2, 0)
    assert cache.tree() == {"1": "f", "1 2": "f|"}


def test_write_back_copies_a_state_that_came_after_a_first_backup(start: Start) -> None:
    cache = start(write_back=True, mamba=True)
    cache.put("1 2", state=True)
    cache.evict(full=2)
    cache.put("1", state=True)
    assert cache.tree() == {"1": "FMf|", "1 2": "fm|"}
    assert cache.evict(full=1) == (1, 0, 1)
    assert cache.tree() == {"1": "fm|", "1 2": "fm|"}


def test_a_leaf_for_which_the_host_has_no_room_is_deleted_with_what_hangs_below_it(
    start: Start,
) -> None:
    cache = start(write_back=True, host_pages=2)
    cache.put("1 2 3")
    cache.put("1 2 3 4")
    assert cache.evict(1) == (1, 0, 0)
    assert cache.tree() == {"1": "F", "1 2": "F", "1 2 3": "F|", "1 2 3 4": "f|"}
    assert cache.evict(1) == (3, 0, 0)
    assert cache.tree() == {}


def test_a_host_lock_below_keeps_a_leaf_that_would_be_deleted(start: Start) -> None:
    cache = start(write_back=True, host_pages=2)
    cache.put("1 2 3")
    cache.put("1 2 3 4")
    cache.evict(1)
    cache.lock_host("r1", "1 2 3 4")
    assert cache.evict(1) == (0, 0, 0)
    cache.unlock("r1")
    assert cache.evict(1) == (3, 0, 0)
