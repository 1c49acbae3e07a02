"""Backups: which are due, which are owed, what is attached later, and the room that is made for
them (semantics 8.1 to 8.3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import DEVICE, POOLS, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.model.specification.trie import Amounts

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


@pytest.mark.parametrize("dialect", [ENDS, Dialect()])
def test_what_is_not_supplemented_is_owed(start: Start, dialect: Dialect) -> None:
    """In each dialect (semantics 4.4)."""
    cache = start(mamba=True, dialect=dialect)
    cache.put("1 2")
    cache.settle()
    assert cache.put_as("1 2", state=True) == []
    gone = {"M": ["1 2"], "F": ["1", "1 2"]}
    assert cache.evict_as((0, 0, 1), gone)[1] == ["PROGRESS/late-mamba-not-backed-up"]


def test_of_what_a_supplement_should_have_copied_the_rest_stays_owed(start: Start) -> None:
    cache = start(window=2, mamba=True, dialect=ENDS)
    cache.put("1", evicted=1)
    cache.put("1 2", evicted=2)
    cache.settle()
    assert cache.put_as("1 2", gained={"s": ["1 2"]}, state=True) == []
    assert cache.copies() == [("1 2", "s")]
    assert cache.owed() == {"1": [Pool.SWA_HOST], "1 2": [Pool.MAMBA_HOST]}


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


@pytest.mark.parametrize(
    "config",
    [
        {"host_pages": 1},
        {"window": 2, "swa_host_pages": 1},
        {"mamba": True, "mamba_host_states": 1, "host_pages": 4},
    ],
)
def test_without_room_on_the_host_nothing_is_backed_up_and_nothing_owed(
    start: Start, config: dict[str, Any]
) -> None:
    cache = start(**config)
    if "mamba" in config:
        cache.put("9", state=True)
        assert cache.lock("r1", "9") == 1
    assert cache.put_as("1 2", state="mamba" in config) == []
    assert cache.owed() == {}
    cache.put("1 2")
    cache.settle()
    assert cache.evict(full=2)[0] == 2
    assert set(cache.tree()) <= {"9"}


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


# -- what a system chose ---------------------------------------------------------------------------


def test_a_node_that_is_not_backed_up_although_there_is_room_is_owed(start: Start) -> None:
    cache = start()
    assert cache.put_as("1 2") == []
    assert set(cache.owed()) == {"1", "1 2"}
    _, (breach,) = cache.follower.evict(Amounts(2), cache.choice({"F": ["1", "1 2"]}))
    assert breach.signature == "PROGRESS/never-backed-up"
    assert breach.witness is not None
    assert (breach.witness.prefix, breach.witness.pool, breach.witness.held) == (
        Key((1, 2)),
        Pool.FULL_HOST,
        True,
    )


def test_nothing_is_owed_while_a_host_allocation_may_have_been_told_to_fail(start: Start) -> None:
    cache = start()
    cache.cache.refuse(Pool.FULL_HOST)
    assert cache.put_as("1 2", sure=False) == []
    assert cache.owed() == {}


@pytest.mark.parametrize(
    "asked",
    [(2, 0, 0), (0, 0, 1)],
)
def test_a_state_that_came_late_is_owed_too(start: Start, asked: tuple[int, int, int]) -> None:
    cache = start(mamba=True)
    cache.put("1 2")
    cache.settle()
    assert cache.put_as("1 2", state=True) == []
    assert cache.owed() == {"1 2": [Pool.MAMBA_HOST]}
    gone = {"F": ["1", "1 2"], "M": ["1 2"]}
    assert cache.evict_as(asked, gone)[1] == ["PROGRESS/late-mamba-not-backed-up"]
    assert cache.tree() == {"1": "f", "1 2": "f|"}


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


def test_a_window_that_comes_late_is_backed_up_where_a_key_ends_whatever_the_hits(
    start: Start,
) -> None:
    cache = start(window=1, dialect=WINDOWED)
    cache.put("1", evicted=1)
    cache.settle()
    assert cache.put_as("1", gained={"s": ["1"]}) == []
    assert cache.tree() == {"1": "FSfs|"}
    assert cache.owed() == {}


def test_what_a_backup_in_flight_keeps_from_being_made_again_stays_owed(start: Start) -> None:
    cache = start(window=1, dialect=WINDOWED)
    cache.put("1", evicted=1)
    assert cache.put_as("1") == []
    assert cache.owed() == {"1": [Pool.SWA_HOST]}
    cache.settle()
    gone = {"F": ["1"], "S": ["1"]}
    assert cache.evict_as((1, 0, 0), gone)[1] == ["PROGRESS/never-backed-up-again"]


def test_a_window_ends_at_what_a_backup_in_flight_marks(start: Start) -> None:
    cache = start(window=2, dialect=WINDOWED)
    cache.put("1", evicted=1)
    assert cache.put_as("1 2", gained={"f": ["1 2"], "s": ["1 2"]}) == []
    assert cache.tree() == {"1": "FSf|", "1 2": "FSfs|"}
    assert cache.owed() == {"1": [Pool.SWA_HOST]}


def test_what_is_passed_over_because_the_end_of_the_key_is_in_flight_is_owed_as_that(
    start: Start,
) -> None:
    """The node that lacks a copy is not in flight itself."""
    cache = start(window=2, dialect=WINDOWED)
    cache.put("1", evicted=1)
    cache.settle()
    cache.put("1 2 3")
    assert cache.put_as("1 2") == []
    assert cache.owed() == {"1": [Pool.SWA_HOST]}
    gone = {"S": ["1"]}
    assert cache.evict_as((0, 1, 0), gone)[1] == ["PROGRESS/never-backed-up-again"]


# -- states that come after the backup of their insert (SGLang) ------------------------------------

LATE = Dialect(states_in_backups=False, windowed_backups=True, supplements=False)
DELETED = {"F": ["1"], "M": ["1"]}


def test_the_state_of_a_new_node_is_part_of_its_backup(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE)
    cache.put("1", state=True)
    assert cache.tree() == {"1": "FMfm|"}


def test_a_state_that_an_insert_brings_after_its_backup_is_owed(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE, threshold=2)
    cache.put("1")
    assert cache.put_as("1", gained={"f": ["1"]}, state=True) == []
    assert cache.tree() == {"1": "FMf|"}
    assert cache.owed() == {"1": [Pool.MAMBA_HOST]}
    cache.settle()
    assert cache.evict_as((1, 0, 0), DELETED)[1] == ["PROGRESS/state-never-backed-up"]


def test_it_is_paid_by_the_next_insert_that_ends_there(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE, threshold=2)
    cache.put("1")
    cache.put_as("1", gained={"f": ["1"]}, state=True)
    cache.settle()
    assert cache.put_as("1", gained={"m": ["1"]}, state=True) == []
    assert (cache.tree(), cache.owed()) == ({"1": "FMfm|"}, {})


def test_a_state_whose_node_was_backed_before_is_backed_up_at_once(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE)
    cache.put("1")
    cache.settle()
    assert cache.put_as("1", gained={"m": ["1"]}, state=True) == []
    assert (cache.tree(), cache.owed()) == ({"1": "FMfm|"}, {})
    assert cache.copies() == [("1", "m")]


def test_where_a_mark_keeps_it_from_that_the_mark_is_the_cause(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE)
    cache.put("1")
    assert cache.put_as("1", state=True) == []
    assert cache.owed() == {"1": [Pool.MAMBA_HOST]}
    cache.settle()
    assert cache.evict_as((1, 0, 0), DELETED)[1] == ["PROGRESS/never-backed-up-again"]


def test_room_for_a_late_state_is_needed_too(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE, mamba_host_states=1)
    cache.demote("9")
    cache.put("1")
    cache.settle()
    gone = {"f": ["9"], "m": ["9"]}
    assert cache.put_as("1", gone, {"m": ["1"]}, state=True) == []
    assert cache.tree() == {"1": "FMfm|"}


def test_without_backups_a_late_state_is_there_all_the_same(start: Start) -> None:
    cache = start(mamba=True, dialect=LATE, write_back=True)
    cache.put("1")
    cache.put("1", state=True)
    assert cache.tree() == {"1": "FM|"}


@pytest.mark.parametrize("paid", [False, True])
def test_a_window_that_came_late_is_owed_where_an_interior_node_loses_it(
    start: Start, paid: bool
) -> None:
    cache = start(window=2)
    cache.put("1 2", evicted=2)
    cache.put("1 2 3", evicted=2)
    cache.settle()
    assert cache.put_as("1 2") == []
    if paid:
        assert cache.put_as("1 2 3", gained={"s": ["1", "1 2"]}) == []
        cache.settle()
    cache.match("1 2 3")
    freed, wrong = cache.evict_as((0, 1, 0), {"S": ["1", "1 2"]})
    assert freed.full == 0
    assert wrong == ([] if paid else ["PROGRESS/late-swa-not-backed-up"])
    assert cache.tree()["1 2"] == ("Ffs|" if paid else "Ff|")


def test_only_as_much_is_owed_as_there_is_room_for(start: Start) -> None:
    cache = start(host_pages=3)
    cache.put_as("1 2")
    cache.put_as("1 2 3 4")
    assert cache.owed() == {"1": [Pool.FULL_HOST], "1 2": [Pool.FULL_HOST]}


def test_a_debt_is_paid_by_a_later_backup(start: Start) -> None:
    cache = start()
    cache.put_as("1 2")
    cache.put_as("1 2", gained={"f": ["1", "1 2"]})
    assert cache.owed() == {}
    cache.settle()
    assert cache.evict_as((2, 0, 0), {"F": ["1", "1 2"]}) == ((2, 0, 0), [])
    assert cache.tree() == {"1": "f", "1 2": "f|"}


def test_a_backup_before_the_threshold_is_a_breach_and_adopted(start: Start) -> None:
    cache = start(threshold=2)
    assert cache.put_as("1 2", gained={"f": ["1", "1 2"]}) == ["BACKUP/early"]
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|"}


def test_a_supplement_before_the_threshold_is_a_breach(start: Start) -> None:
    cache = start(mamba=True, threshold=NEVER)
    cache.put_as("1 2", gained={"f": ["1", "1 2"]})
    assert cache.put_as("1 2", gained={"m": ["1 2"]}, state=True) == ["BACKUP/early"]


def test_the_backups_that_a_system_started_are_adopted(start: Start) -> None:
    cache = start(window=2)
    assert cache.put_as("1 2 3", gained={"f": ["1", "1 2"]}, evicted=2) == []
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|", "1 2 3": "FS|"}
    assert cache.owed() == {"1 2 3": [Pool.FULL_HOST, Pool.SWA_HOST]}


@pytest.mark.parametrize(
    ("gone", "wrong"),
    [(["8"], []), (["9"], ["RECENCY/access-time"]), (["8", "9"], ["PROGRESS/host-freed-too-much"])],
)
def test_host_data_that_made_room_for_a_backup_went_in_order_and_was_not_too_much(
    start: Start, gone: list[str], wrong: list[str]
) -> None:
    cache = start(host_pages=2)
    cache.demote("8", "9")
    assert cache.put_as("1", gone={"f": gone}, gained={"f": ["1"]}) == wrong
    assert set(cache.tree()) == {"1", "8", "9"} - set(gone)


@pytest.mark.parametrize(("sure", "wrong"), [(True, ["PROGRESS/host-freed-too-much"]), (False, [])])
def test_room_that_was_made_in_vain_is_excused_by_a_failing_allocation(
    start: Start, sure: bool, wrong: list[str]
) -> None:
    cache = start(host_pages=2)
    cache.demote("8", "9")
    assert cache.put_as("1", gone={"f": ["8"]}, sure=sure) == wrong
