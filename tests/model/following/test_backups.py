"""Following the backups of an insert: what a system backed up, or did not although it was due, and
the room that it made for them (semantics 8.1 to 8.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from radixproof.model.config import Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.model.specification.trie import Amounts

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""
UNSETTLED = Dialect(host_values_in_order=False)
"""What goes on the host is open, and so is who met a refusal."""
ENDS = Dialect(supplements=False)
WINDOWED = Dialect(windowed_backups=True, supplements=False)
LATE = Dialect(states_in_backups=False, windowed_backups=True, supplements=False)
UNDER_WRITE_BACK = Dialect(
    supplements=False,
    windowed_backups=True,
    room_before_backup=False,
    hits_under_write_back=False,
    windows_under_write_back=True,
)
DELETED = {"F": ["1"], "M": ["1"]}


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


def test_a_backup_is_not_its_own_supplement(start: Start) -> None:
    cache = start(window=2, dialect=ENDS)
    cache.put("1", evicted=1)
    assert cache.put_as("1 2", gained={"f": ["1 2"], "s": ["1 2"]}) == []
    assert cache.copies() == [("1", "f"), ("1 2", "fs")]


def test_room_for_a_window_may_take_what_the_host_has_of_it(start: Start) -> None:
    """What is copied of it is settled before (semantics 8.3)."""
    dialect = replace(LATE, room_before_backup=False)
    cache = start(window=2, mamba=True, dialect=dialect, swa_host_pages=3)
    cache.put("1 2", evicted=2)
    cache.settle()
    cache.put("1 2 3 4", evicted=2, state=True)
    cache.settle()
    cache.evict(full=1)
    cache.put_as("1 2", sure=False)
    assert cache.tree() == {"1": "FSf", "1 2": "FSf|", "1 2 3": "fs", "1 2 3 4": "fsm|"}
    gone = {"s": ["1 2 3", "1 2 3 4"], "f": ["1 2 3 4"], "m": ["1 2 3 4"]}
    gained = {"s": ["1", "1 2"], "m": ["1 2 3"]}
    assert cache.put_as("1 2 3", gone, gained, evicted=3, state=True) == []
    assert cache.tree() == {"1": "FSfs", "1 2": "FSfs|", "1 2 3": "FMfm|"}
    assert cache.copies() == [("1 2 3", "sm")]


@pytest.mark.parametrize(
    ("gained", "wrong"), [(["1"], []), ([], ["PROGRESS/late-swa-not-written-back"])]
)
def test_under_write_back_what_is_not_supplemented_has_to_be_written_back(
    start: Start, gained: list[str], wrong: list[str]
) -> None:
    """An insert that does not back a window up owes nothing, but the eviction does (4.4, 7.4)."""
    cache = start(write_back=True, window=1, dialect=UNDER_WRITE_BACK)
    cache.put("1", evicted=1)
    cache.evict(full=1)
    assert cache.put_as("1", gained={"s": gained}) == []
    assert cache.copies() == [("1", "s")] * len(gained)
    assert cache.owed() == {}
    cache.settle()
    assert cache.evict_as((1, 0, 0), {"F": ["1"], "S": ["1"]})[1] == wrong


def test_under_write_back_an_insert_backs_up_nothing_else(start: Start) -> None:
    cache = start(write_back=True, window=1, dialect=UNDER_WRITE_BACK)
    assert cache.put_as("1", gained={"f": ["1"], "s": ["1"]}) == ["BACKUP/early"]


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


def test_what_an_allocation_that_was_told_to_fail_kept_from_being_copied_is_not_owed(
    start: Start,
) -> None:
    cache = start()
    cache.cache.refuse(Pool.FULL_HOST)
    assert cache.put_as("1 2", sure=False) == []
    assert cache.owed() == {}
    assert not cache.cache.refusing, "it is over"
    assert cache.put_as("7") == []
    assert set(cache.owed()) == {"7"}


def test_what_needs_no_slot_of_a_pool_that_was_told_to_fail_is_owed(start: Start) -> None:
    cache = start(window=1)
    cache.cache.refuse(Pool.MAMBA_HOST)
    assert cache.put_as("1 2", sure=False) == []
    assert set(cache.owed()) == {"1", "1 2"}
    assert cache.cache.refusing == {Pool.MAMBA_HOST}


def test_where_room_may_be_made_in_vain_a_refusal_leaves_nothing_owed(start: Start) -> None:
    cache = start(dialect=Dialect(room_before_backup=False))
    cache.cache.refuse(Pool.FULL_HOST)
    assert cache.put_as("1 2", sure=False) == []
    assert cache.owed() == {}
    assert cache.cache.refusing == {Pool.FULL_HOST}


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


def test_so_it_is_where_a_node_in_between_is_in_flight(start: Start) -> None:
    cache = start(window=3, dialect=WINDOWED)
    cache.put("1", evicted=1)
    cache.settle()
    cache.put("1 2", evicted=1)
    assert cache.put_as("1 2 3", gained={"f": ["1 2 3"], "s": ["1 2 3"]}) == []
    assert cache.owed() == {"1": [Pool.SWA_HOST]}
    debts = [debt for owed in cache.follower.owed.values() for debt in owed.values()]
    assert debts == ["never-backed-up-again"]


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


@pytest.mark.parametrize(
    ("dialect", "sure", "overdue"),
    [
        (Dialect(), True, ["PROGRESS/never-backed-up"]),
        (Dialect(), False, []),
        (Dialect(room_before_backup=False), True, []),
    ],
)
def test_what_is_owed_is_overdue_at_once_unless_there_is_a_choice_and_paid_by_a_later_backup(
    start: Start, dialect: Dialect, sure: bool, overdue: list[str]
) -> None:
    """A refusal may have kept it from that, or a dialect (semantics 8.2, 17.4)."""
    cache = start(dialect=dialect)
    assert cache.put_as("1 2", sure=sure) == []
    assert [breach.signature for breach in cache.follower.overdue] == overdue
    assert cache.put_as("1 2", gained={"f": ["1", "1 2"]}) == []
    assert cache.follower.overdue == []
    assert cache.owed() == {}
    cache.settle()
    assert cache.evict_as((2, 0, 0), {"F": ["1", "1 2"]}) == ((2, 0, 0), [])
    assert cache.tree() == {"1": "f", "1 2": "f|"}


def test_a_backup_before_the_threshold_is_a_breach_and_adopted(start: Start) -> None:
    cache = start(threshold=2)
    assert cache.put_as("1 2", gained={"f": ["1", "1 2"]}) == ["BACKUP/early"]
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|"}


def test_so_is_one_for_which_room_was_made(start: Start) -> None:
    cache = start(threshold=2, host_pages=2)
    cache.put("1 2")
    cache.demote("1 2")
    assert cache.tree() == {"1": "f", "1 2": "f|"}
    gained, lost = {"f": ["5", "5 6"]}, {"f": ["1", "1 2"]}
    assert cache.put_as("5 6", lost, gained) == ["BACKUP/early"]
    assert cache.tree() == {"5": "Ff", "5 6": "Ff|"}


def test_a_backup_that_takes_inserts_for_hits_is_told_apart(start: Start) -> None:
    cache = start(threshold=2)
    cache.put("1")
    assert cache.put_as("1", gained={"f": ["1"]}, inserted=1) == ["BACKUP/hits-by-insert"]
    assert cache.tree() == {"1": "Ff|"}


def test_room_for_a_backup_that_is_not_due_is_made_as_for_one_that_is(start: Start) -> None:
    """Only one window is on the host, and has to go; FULL has room (semantics 7.9, 8.3)."""
    vain = Dialect(room_before_backup=False)
    cache = start(window=1, swa_host_pages=1, threshold=2, dialect=vain)
    for text, evicted in (("8", 1), ("1", 0)):
        cache.put(text, evicted=evicted)
        cache.put(text, evicted=evicted)
    cache.settle()
    cache.evict(full=2)
    cache.put("5")
    gone, gained = {"f": ["1"], "s": ["1"]}, {"f": ["5"], "s": ["5"]}
    assert cache.put_as("5", gone, gained, inserted=1) == ["BACKUP/hits-by-insert"]
    assert cache.tree() == {"8": "f|", "5": "FSfs|"}


def test_room_that_was_made_in_vain_for_a_backup_is_for_one_backup(start: Start) -> None:
    """Its window has room on the host; only FULL had to go, in order (semantics 7.9, 8.3)."""
    vain = Dialect(room_before_backup=False)
    cache = start(window=1, host_pages=2, swa_host_pages=1, dialect=vain)
    for text in ("8", "1"):
        cache.put(text, evicted=1)
        cache.settle()
        cache.evict(full=1)
    assert cache.put_as("5", {"f": ["1"]}) == ["RECENCY/access-time"]


def test_room_that_was_made_in_vain_for_what_every_insert_makes_due_is_in_order(
    start: Start,
) -> None:
    """One window is on the host, two would be needed; FULL has room (semantics 8.1, 8.3)."""
    vain = Dialect(room_before_backup=False)
    cache = start(window=2, swa_host_pages=1, dialect=vain)
    cache.put("8", evicted=1)
    cache.put("1")
    cache.settle()
    cache.evict(full=2)
    assert cache.put_as("5 6") == []
    assert cache.put_as("5 6", {"f": ["1"], "s": ["1"]}, inserted=2) == []


@pytest.mark.parametrize(
    ("counted", "rule"),
    [
        ([True], "never-backed-up"),
        ([False], "hits-by-insert"),
        ([True, False], "never-backed-up"),
        ([False, True], "never-backed-up"),
    ],
)
def test_a_backup_that_no_counted_insert_owes_is_told_apart(
    start: Start, counted: list[bool], rule: str
) -> None:
    cache = start()
    for one in counted:
        assert cache.put_as("1", counted=one) == []
    assert cache.evict_as((1, 0, 0), {"F": ["1"]})[1] == [f"PROGRESS/{rule}"]


def test_an_insert_that_is_not_counted_owes_what_a_counted_one_had_no_room_for(
    start: Start,
) -> None:
    cache = start(host_pages=1)
    cache.put("9")
    cache.lock("r1", "9")
    assert cache.put_as("1") == []
    cache.unlock("r1")
    cache.settle()
    assert cache.evict_as((1, 0, 0), {"F": ["9"]})[1] == []
    assert cache.put_as("1", counted=False) == []
    assert cache.evict_as((1, 0, 0), {"F": ["1"]})[1] == ["PROGRESS/hits-by-insert"]


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
@pytest.mark.parametrize("dialect", [Dialect(), UNSETTLED], ids=["settled", "open"])
def test_host_data_that_made_room_for_a_backup_went_in_order_and_was_not_too_much(
    start: Start, dialect: Dialect, gone: list[str], wrong: list[str]
) -> None:
    cache = start(host_pages=2, dialect=dialect)
    cache.demote("8", "9")
    assert cache.put_as("1", gone={"f": gone}, gained={"f": ["1"]}) == wrong
    assert set(cache.tree()) == {"1", "8", "9"} - set(gone)


@pytest.mark.parametrize(("sure", "wrong"), [(True, ["PROGRESS/host-freed-too-much"]), (False, [])])
@pytest.mark.parametrize("dialect", [Dialect(), UNSETTLED], ids=["settled", "open"])
def test_room_that_was_made_in_vain_is_excused_by_a_failing_allocation(
    start: Start, dialect: Dialect, sure: bool, wrong: list[str]
) -> None:
    cache = start(host_pages=2, dialect=dialect)
    cache.demote("8", "9")
    cache.cache.refuse(Pool.FULL_HOST)
    assert cache.put_as("1", gone={"f": ["8"]}, sure=sure) == wrong


@pytest.mark.parametrize(
    ("refused", "gone"),
    [(Pool.FULL_HOST, ["8", "9"]), (Pool.SWA_HOST, ["8"])],
    ids=["too many went", "it asked nothing there"],
)
def test_a_refusal_excuses_no_more_than_the_room_of_a_backup_that_asked_there(
    start: Start, refused: Pool, gone: list[str]
) -> None:
    cache = start(host_pages=2, dialect=UNSETTLED)
    cache.demote("8", "9")
    cache.cache.refuse(refused)
    too_much = ["PROGRESS/host-freed-too-much"]
    assert cache.put_as("1", gone={"f": gone}, sure=False) == too_much


def test_a_refusal_is_met_by_a_backup_that_allocates_there(start: Start) -> None:
    """That of the window of ``1`` has no room, and is not about FULL; that of ``1 2`` had room."""
    cache = start(window=1, host_pages=3, swa_host_pages=1)
    cache.put("8", evicted=1)
    cache.settle()
    cache.evict(1)
    for text, evicted in (("7", 0), ("1", 1), ("1", 0)):
        cache.put(text, evicted=evicted)
    assert cache.tree() == {"1": "FSf|", "7": "FSfs|", "8": "f|"}
    cache.cache.refuse(Pool.FULL_HOST)
    assert cache.put_as("1 2", gone={"f": ["8"]}, sure=False, evicted=2) == []
    assert set(cache.tree()) == {"1", "1 2", "7"}
