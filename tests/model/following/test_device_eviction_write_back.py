"""Victims that are written back, and the room that is made for them on the host (7.3, 7.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key

Start = Callable[..., Any]

UNSETTLED = Dialect(host_values_in_order=False)
"""What goes on the host is open, and so is who met a refusal."""


@pytest.mark.parametrize(
    ("policy", "taken", "rule"),
    [
        (EvictionPolicy.LRU, [], "PROGRESS/unbacked-leaf-kept"),
        (EvictionPolicy.FIFO, ["7"], "PROGRESS/unbacked-leaf-kept"),
        (EvictionPolicy.LRU, ["7"], "RECENCY/access-time"),
    ],
)
def test_a_leaf_that_cannot_be_written_back_must_go(
    start: Start, policy: EvictionPolicy, taken: list[str], rule: str
) -> None:
    cache = start(write_back=True, host_pages=2, eviction_policy=policy)
    cache.put("1 2 3")
    cache.put("7")
    _, wrong = cache.evict_as((1, 0, 0), {"F": taken})
    assert wrong[0] == rule


@pytest.mark.parametrize(
    ("pages", "wrong"),
    [(2, "PROGRESS/unbacked-leaf-kept"), (8, "RECENCY/fifo")],
    ids=["the host is full", "the host has room"],
)
def test_a_copy_may_have_left_a_full_host_again(start: Start, pages: int, wrong: str) -> None:
    """Then whoever is gone may have been copied, and another one have met the refusal."""
    fifo = EvictionPolicy.FIFO
    cache = start(write_back=True, host_pages=pages, eviction_policy=fifo, dialect=UNSETTLED)
    for text in ("1", "7 8", "7 8 9"):
        cache.put(text)
    cache.cache.refuse(Pool.FULL_HOST)
    gone, gained = {"F": ["7", "7 8", "7 8 9"]}, {"f": ["7", "7 8"]}
    assert cache.evict_as((2, 0, 0), gone, gained, sure=False)[1][0] == wrong


@pytest.mark.parametrize(
    ("gained", "sure", "wrong"),
    [
        ({"f": ["1", "1 2"], "s": ["1", "1 2"]}, True, []),
        ({}, True, ["PROGRESS/not-written-back"]),
        ({}, False, []),
    ],
)
def test_a_leaf_that_write_back_deletes_had_no_room_on_the_host(
    start: Start, gained: dict[str, list[str]], sure: bool, wrong: list[str]
) -> None:
    cache = start(write_back=True, window=2)
    cache.put("1 2")
    if not sure:
        cache.cache.refuse(Pool.FULL_HOST)
    gone = {letter: ["1", "1 2"] for letter in "FS"}
    assert cache.evict_as((2, 0, 0), gone, gained, sure) == ((2, 2, 0), wrong)
    assert not cache.cache.refusing, "one that was met is over"
    assert cache.tree() == ({"1": "fs", "1 2": "fs|"} if gained else {})


@pytest.mark.parametrize(
    ("asked", "gained", "wrong"),
    [
        ((0, 1, 0), {}, ["PROGRESS/swa-not-written-back"]),
        ((0, 1, 0), {"f": ["1"], "s": ["1"]}, []),
        ((0, 2, 0), {}, []),
    ],
)
def test_a_window_that_write_back_drops_had_no_room_on_the_host(
    start: Start, asked: tuple[int, int, int], gained: dict[str, list[str]], wrong: list[str]
) -> None:
    """An eviction in a dialect that may make room in vain tells only if nothing was tried after
    that victim: if it has freed what was asked for (semantics 7.3)."""
    cache = start(write_back=True, window=1, dialect=Dialect(room_before_backup=False))
    cache.put("1")
    cache.put("1 2")
    cache.lock("r1", "1 2")
    assert cache.evict_as(asked, {"S": ["1"]}, gained)[1] == wrong


@pytest.mark.parametrize("where", ["a leaf", "an interior node"])
@pytest.mark.parametrize(
    ("gained", "room", "sure", "wrong"),
    [
        ({"s": ["1"]}, True, True, []),
        ({}, True, True, ["PROGRESS/late-swa-not-written-back"]),
        ({}, True, False, []),
        ({}, False, True, ["PROGRESS/late-swa-not-written-back"]),
    ],
)
def test_a_late_window_that_write_back_drops_had_no_room_on_the_host(
    start: Start, where: str, gained: dict[str, list[str]], room: bool, sure: bool, wrong: list[str]
) -> None:
    """FULL had its host copy before the window came: that loss has a name of its own."""
    cache = start(write_back=True, window=1, swa_host_pages=1)
    cache.put("1", evicted=1)
    if not room:
        cache.put("9")
    cache.evict(full=2)
    cache.put("1")
    assert cache.tree()["1"] == "FSf|"
    if where == "a leaf":
        gone, asked = {"F": ["1"], "S": ["1"]}, (1, 0, 0)
    else:
        cache.put("1 2")
        gone, asked = {"S": ["1"]}, (0, 1, 0)
    if not sure:
        cache.cache.refuse(Pool.SWA_HOST)
    assert cache.evict_as(asked, gone, gained, sure)[1] == wrong
    assert not cache.cache.refusing, "one that was met is over"
    assert cache.tree()["1"] == ("f" if where == "a leaf" else "Ff") + ("s|" if gained else "|")


def test_a_late_state_that_write_back_drops_had_no_room_on_the_host(start: Start) -> None:
    cache = start(write_back=True, mamba=True)
    cache.put("1")
    cache.evict(full=1)
    cache.put("1", state=True)
    gone = {"F": ["1"], "M": ["1"]}
    assert cache.evict_as((1, 0, 0), gone)[1] == ["PROGRESS/late-mamba-not-written-back"]


def test_what_made_room_for_a_late_window_is_adopted(start: Start) -> None:
    cache = start(write_back=True, window=1, swa_host_pages=1)
    cache.put("1", evicted=1)
    cache.put("2")
    cache.evict(full=2)
    cache.put("1")
    assert cache.tree() == {"1": "FSf|", "2": "fs|"}
    gone = {"F": ["1"], "S": ["1"], "f": ["2"], "s": ["2"]}
    assert cache.evict_as((1, 0, 0), gone, {"s": ["1"]}) == ((1, 1, 0), [])
    assert cache.tree() == {"1": "fs|"}


@pytest.mark.parametrize(
    ("dialect", "wrong"),
    [(Dialect(), ["PROGRESS/not-written-back-along"]), (UNSETTLED, [])],
    ids=["settled", "unsettled"],
)
def test_what_lacks_a_copy_is_written_back_with_a_window_that_has_one(
    start: Start, dialect: Dialect, wrong: list[str]
) -> None:
    """Though nothing is lost (semantics 7.3)."""
    cache = start(write_back=True, window=1, dialect=dialect)
    cache.put("1")
    cache.put("1 2")
    assert cache.evict_as((0, 1, 0), {"S": ["1"]}, {"f": ["1"], "s": ["1"]})[1] == []
    cache.put("1 2")
    assert cache.evict_host_as(1, {"f": ["1"]}) == (1, [])
    assert cache.tree() == {"1": "FSs|", "1 2": "FS|"}
    assert cache.evict_as((0, 1, 0), {"S": ["1"]}, {})[1] == wrong


@pytest.mark.parametrize(
    ("host_pages", "wrong"), [(4, []), (8, ["PROGRESS/stopped-early"])], ids=["full", "room"]
)
def test_who_found_room_only_in_a_later_drive_makes_no_leaf_for_an_earlier_one(
    start: Start, host_pages: int, wrong: list[str]
) -> None:
    """The host copy of SWA that makes the room is a duplicate before the SWA drive (7.1, 7.9)."""
    cache = start(
        write_back=True,
        window=3,
        swa_host_pages=host_pages,
        dialect=Dialect(room_before_backup=False, windowed_backups=True),
    )
    cache.put("1")
    cache.evict(full=1)
    cache.put("1 2")
    cache.put("1 2 3 4 5")
    cache.evict(full=1)
    cache.lock_host("h1", "1 2 3 4 5")
    assert [cache.tree()[text] for text in ("1", "1 2")] == ["FSfs|", "FS|"]
    gone = {"S": ["1", "1 2"], "F": ["1 2"], "s": ["1"]}
    assert cache.evict_as((2, 2, 0), gone, {"f": ["1 2"], "s": ["1 2"]})[1][:1] == wrong


def test_what_makes_room_in_a_later_drive_may_be_elsewhere(start: Start) -> None:
    in_vain = Dialect(room_before_backup=False)
    cache = start(write_back=True, window=1, swa_host_pages=2, dialect=in_vain)
    cache.put("1", evicted=1)
    cache.put("7")
    cache.evict(full=2)
    cache.put("7 8")
    cache.lock("r1", "7 8")
    for text in ("1", "1 2", "1 2 3"):
        cache.put(text)
    cache.evict(full=1)
    assert cache.tree()["1"] == "FSf|"
    cache.lock_host("h1", "1 2 3")
    cache.put("1")
    gone = {"S": ["7", "1 2"], "F": ["1 2"], "s": ["7"]}
    assert cache.evict_as((2, 2, 0), gone, {"f": ["1 2"], "s": ["1 2"]})[1] == []


def test_without_room_on_the_host_write_back_may_delete(start: Start) -> None:
    cache = start(write_back=True, host_pages=1)
    cache.put("1 2")
    assert cache.evict_as((2, 0, 0), {"F": ["1", "1 2"]}) == ((2, 0, 0), [])


def test_what_write_back_took_off_the_host_to_make_room_is_adopted(start: Start) -> None:
    cache = start(write_back=True, host_pages=2)
    cache.put("1 2")
    cache.put("3")
    cache.evict(2)
    assert cache.tree() == {"1": "f", "1 2": "f|", "3": "F|"}
    assert cache.evict_as((1, 0, 0), {"F": ["3"], "f": ["1", "1 2"]}, {"f": ["3"]}) == (
        (1, 0, 0),
        [],
    )
    assert cache.tree() == {"3": "f|"}
    assert cache.cache.match(Key((1, 2)))[1].end == 0


def test_room_on_the_host_that_nobody_needed(start: Start) -> None:
    cache = start(write_back=True)
    cache.demote("9")
    cache.put("1")
    gone, gained = {"F": ["1"], "f": ["9"]}, {"f": ["1"]}
    assert cache.evict_as((1, 0, 0), gone, gained)[1] == ["PROGRESS/host-room-unneeded"]
    assert cache.tree() == {"1": "f|"}


@pytest.mark.parametrize("dialect", [Dialect(), UNSETTLED], ids=["settled", "open"])
def test_room_is_made_for_any_of_the_victims(start: Start, dialect: Dialect) -> None:
    """The first needs it, and the last has a copy already."""
    cache = start(write_back=True, host_pages=2, dialect=dialect)
    cache.demote("9", "2")
    cache.put("1")
    cache.put("2")
    gone, gained = {"F": ["1", "2"], "f": ["9"]}, {"f": ["1"]}
    assert cache.evict_as((2, 0, 0), gone, gained)[1] == []
    assert cache.tree() == {"1": "f|", "2": "f|"}
