"""Backups: which are due, what is attached later, and the room that is made for them (semantics 8.1
to 8.3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import DEVICE, POOLS, Pool
from radixproof.model.dialect import Dialect

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


# -- which backups ---------------------------------------------------------------------------------


def test_write_through_backs_up_at_once_and_locks_until_the_ack(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.put("1 2", state=True)
    assert cache.tree() == {"1": "FSfs", "1 2": "FSMfsm|"}
    (copy,) = cache.cache.copies.flying
    assert [page.end for page in copy.node] == [1, 2]
    assert [set(cache.holders(pool)) for pool in DEVICE] == [{"1", "1 2"}, {"1", "1 2"}, {"1 2"}]
    cache.settle()
    assert not any(cache.holders(pool) for pool in POOLS)
    assert cache.cache.receipts == {}


def test_a_threshold_of_two_waits_for_the_second_insert(start: Start) -> None:
    cache = start(threshold=2)
    cache.put("1 2")
    cache.match("1 2")
    assert cache.tree() == {"1": "F", "1 2": "F|"}
    cache.put("1")
    assert cache.tree() == {"1": "Ff|", "1 2": "F|"}
    cache.put("1 2")
    assert cache.tree() == {"1": "Ff|", "1 2": "Ff|"}
    assert cache.flying() == ["1", "1 2"]


def test_tombstones_are_backed_up_without_swa(start: Start) -> None:
    cache = start(window=2)
    cache.put("1 2 3", evicted=2)
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|", "1 2 3": "FSfs|"}
    assert cache.copies() == [("1 2", "f"), ("1 2 3", "fs")]


def test_ancestors_go_first(start: Start) -> None:
    """Where only the lowest piece of a split leaf is hit, it takes the pieces above it along."""
    cache = start(window=2, dialect=Dialect(hits_on_split_leaf=False))
    cache.put("1 2 3", evicted=2)
    assert [cache.page(text).hits for text in ("1", "1 2", "1 2 3")] == [0, 0, 1]
    assert cache.flying() == ["1 2", "1 2 3"]


@pytest.mark.parametrize(("all_pieces", "hits"), [(True, [2, 2, 1]), (False, [1, 2, 1])])
def test_hits_where_an_insert_cuts_a_node_that_was_there(
    start: Start, all_pieces: bool, hits: list[int]
) -> None:
    """All pieces have been walked; SGLang counts the lowest alone (semantics 8.1)."""
    cache = start(window=2, threshold=NEVER, dialect=Dialect(hits_on_split_leaf=all_pieces))
    cache.put("1 2", evicted=2)
    cache.put("1 2 3", evicted=1)
    assert cache.tree() == {"1": "F|", "1 2": "FS|", "1 2 3": "FS|"}
    assert [cache.page(text).hits for text in ("1", "1 2", "1 2 3")] == hits


@pytest.mark.parametrize("config", [{"write_back": True}, {"host_pages": 0}])
def test_without_write_through_hits_are_counted_and_start_nothing(
    start: Start, config: dict[str, Any]
) -> None:
    cache = start(window=2, mamba=True, **config)
    for _ in range(3):
        cache.put("1 2", state=True)
    assert cache.tree() == {"1": "FS", "1 2": "FSM|"}
    assert cache.page("1 2").hits == 3
    assert cache.flying() == []


@pytest.mark.parametrize(("counted", "hits"), [(True, 2), (False, 0)])
def test_some_systems_count_no_hits_under_write_back(
    start: Start, counted: bool, hits: int
) -> None:
    cache = start(write_back=True, dialect=Dialect(hits_under_write_back=counted))
    cache.put("1")
    cache.put("1")
    assert cache.page("1").hits == hits


# -- what is attached later ------------------------------------------------------------------------


def test_a_state_that_comes_late_to_a_backed_node_is_backed_up_with_its_next_hit(
    start: Start,
) -> None:
    cache = start(mamba=True)
    cache.put("1 2")
    cache.settle()
    cache.put("1 2", state=True)
    assert cache.tree() == {"1": "Ff", "1 2": "FMfm|"}
    assert cache.copies() == [("1 2", "m")]


def test_a_window_that_comes_late_to_a_backed_node_is_backed_up_with_its_next_hit(
    start: Start,
) -> None:
    cache = start(window=2)
    cache.put("1 2", evicted=2)
    cache.settle()
    cache.put("1 2")
    assert cache.tree() == {"1": "FSfs", "1 2": "FSfs|"}
    assert cache.copies() == [("1 2", "s")]


ENDS = Dialect(supplements=False)
"""Supplements are made where a key ends, and nowhere else."""


def test_where_hits_make_no_supplement_the_end_of_a_key_gets_one(start: Start) -> None:
    cache = start(mamba=True, dialect=ENDS)
    cache.put("1 2")
    cache.settle()
    cache.put("1 2", state=True)
    assert cache.copies() == [("1 2", "m")]


def test_with_the_state_of_its_end_a_key_supplements_one_window(start: Start) -> None:
    cache = start(window=1, mamba=True, dialect=ENDS)
    cache.put("1", evicted=1)
    cache.put("1 2", evicted=2)
    cache.settle()
    cache.put("1 2", state=True)
    assert cache.tree() == {"1": "FSf|", "1 2": "FSMfsm|"}


def test_a_node_can_have_two_backups_in_flight(start: Start) -> None:
    cache = start(mamba=True)
    cache.put("1 2")
    cache.put("1 2", state=True)
    assert cache.copies() == [("1 2", "f"), ("1 2", "m")]
    assert len(cache.holders(Pool.FULL)["1 2"]) == 2
    cache.cache.copies.run(1)
    assert len(cache.cache.check(load=False, blocking=False)) == 1
    assert cache.copies() == [("1 2", "m")]
    assert len(cache.holders(Pool.FULL)["1 2"]) == 1


def test_a_supplement_waits_for_the_threshold_as_well(start: Start) -> None:
    cache = start(mamba=True, threshold=3)
    cache.put("1 2")
    cache.put("1 2", state=True)
    assert cache.flying() == []
    cache.put("1 2")
    assert cache.copies() == [("1 2", "fm")]


def test_ancestors_that_lack_only_a_state_are_not_taken_along(start: Start) -> None:
    """Only those without a FULL host copy: this one is due by hits of its own (semantics 8.2)."""
    cache = start(mamba=True, threshold=2)
    cache.put("1")
    cache.put("1")
    cache.settle()
    cache.page("1").hits = 0
    cache.put("1", state=True)
    assert cache.copies() == []
    cache.page("1").hits = 0
    cache.put("1 2")
    cache.page("1").hits = 0
    cache.put("1 2")
    assert cache.copies() == [("1 2", "f")]


# -- room on the host ------------------------------------------------------------------------------


def test_backups_of_one_insert_share_the_room_on_the_host(start: Start) -> None:
    cache = start(window=2, host_pages=2, swa_host_pages=8)
    cache.put("1 2 3", evicted=1)
    assert cache.tree() == {"1": "Ff|", "1 2": "FS", "1 2 3": "FS|"}


def test_host_only_data_makes_room(start: Start) -> None:
    cache = start(host_pages=2)
    cache.put("1")
    cache.put("2")
    cache.settle()
    cache.evict(1)
    cache.put("3")
    assert cache.tree() == {"2": "Ff|", "3": "Ff|"}


def test_room_is_made_for_all_that_is_copied_or_not_at_all(start: Start) -> None:
    """There could be room for FULL, but not for the state (semantics 8.3)."""
    cache = start(mamba=True, host_pages=2, mamba_host_states=1)
    cache.put("9", state=True)
    cache.put("8")
    cache.settle()
    cache.match("9")
    cache.evict(1)
    assert cache.tree() == {"9": "FMfm|", "8": "f|"}
    cache.put("1", state=True)
    assert cache.tree() == {"9": "FMfm|", "8": "f|", "1": "FM|"}


def test_a_supplement_without_room_is_in_nobodys_way(start: Start) -> None:
    """Only an ancestor without a FULL host copy has to be backed up first (semantics 8.2)."""
    cache = start(mamba=True, mamba_host_states=1)
    cache.put("9", state=True)
    cache.put("1")
    cache.settle()
    cache.put("1", state=True)
    assert cache.tree() == {"9": "FMfm|", "1": "FMf|"}
    cache.put("1 2")
    assert cache.tree() == {"9": "FMfm|", "1": "FMf|", "1 2": "Ff|"}


# -- windows (since SGLang 0.5.20) -----------------------------------------------------------------

WINDOWED = Dialect(windowed_backups=True, supplements=False)


def test_a_backup_takes_along_what_its_window_lacks(start: Start) -> None:
    cache = start(window=2, dialect=WINDOWED)
    cache.put("1 2", evicted=2)
    cache.settle()
    cache.put("1 2 3")
    assert cache.tree() == {"1": "FSfs", "1 2": "FSfs|", "1 2 3": "FSfs|"}
    assert cache.copies() == [("1 2 3", "fs")]
    (copy,) = cache.cache.copies.flying
    assert {page.end for page in copy.node} == {1, 2, 3}
    assert {pool: len(pages) for pool, pages in copy.targets.items()} == {
        Pool.FULL_HOST: 1,
        Pool.SWA_HOST: 3,
    }


# -- windows under write_back (SGLang 0.5.22) ------------------------------------------------------

UNDER_WRITE_BACK = Dialect(
    supplements=False,
    windowed_backups=True,
    hits_under_write_back=False,
    windows_under_write_back=True,
)


def with_a_late_window(start: Start, **given: Any) -> Any:
    """Under write_back a prompt has FULL on the host; its window comes when it is used again."""
    cache = start(write_back=True, window=1, dialect=UNDER_WRITE_BACK, **given)
    cache.put("1", evicted=1)
    cache.evict(full=1)
    assert cache.tree() == {"1": "f|"}
    cache.put("1")
    return cache


def test_an_insert_backs_up_a_window_that_came_late_under_write_back(start: Start) -> None:
    cache = with_a_late_window(start)
    assert cache.tree() == {"1": "FSfs|"}
    assert cache.copies() == [("1", "s")]
    assert set(cache.holders(Pool.FULL)) == {"1"}


def test_but_nothing_that_has_no_host_copy_and_no_state_by_itself(start: Start) -> None:
    cache = with_a_late_window(start, mamba=True)
    cache.settle()
    cache.put("1", state=True)
    cache.put("2", state=True)
    assert cache.copies() == []
    assert cache.tree() == {"1": "FSMfs|", "2": "FSM|"}


def test_an_eviction_waits_for_it(start: Start) -> None:
    cache = with_a_late_window(start)
    assert cache.evict(full=1) == (1, 1, 0)
    assert cache.copies() == []
    assert cache.tree() == {"1": "fs|"}


@pytest.mark.parametrize(("room", "left"), [(1, ["2"]), (2, ["1", "2"])])
def test_a_load_back_waits_for_it_only_if_it_has_to_evict(
    start: Start, room: int, left: list[str]
) -> None:
    cache = start(
        write_back=True, window=1, device_pages=room + 1, threshold=9, dialect=UNDER_WRITE_BACK
    )
    cache.put("1", evicted=1)
    cache.put("2")
    cache.evict(full=2)
    if room == 1:
        cache.put("3")
    cache.put("1")
    assert cache.copies() == [("1", "s")]
    assert cache.load("2")
    assert cache.flying() == left


# -- states that come after the backup of their insert (SGLang) ------------------------------------

LATE = Dialect(states_in_backups=False, windowed_backups=True, supplements=False)


def test_the_state_of_a_new_node_is_part_of_its_backup(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE)
    cache.put("1", state=True)
    assert cache.tree() == {"1": "FMfm|"}


def test_without_backups_a_late_state_is_there_all_the_same(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE, write_back=True)
    cache.put("1")
    cache.put("1", state=True)
    assert cache.tree() == {"1": "FM|"}
