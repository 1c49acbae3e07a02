"""The choices of a system on the device: victims, and whether to load back; each is judged and
adopted (semantics 7, 9.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import POOLS, Component, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.following.breaches import out_of_order
from radixproof.model.key import Key

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""
UNBACKED_KEPT = "PROGRESS/unbacked-leaf-kept"
UNSETTLED = Dialect(host_values_in_order=False)
"""What goes on the host is open, and so is who met a refusal."""


# -- victims ---------------------------------------------------------------------------------------


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
    ("gone", "gained"),
    [({"F": ["1"]}, {}), ({"F": ["9"]}, {"f": ["9"]}), ({}, {})],
    ids=["it has a copy", "it is copied", "nobody"],
)
def test_a_leaf_that_met_a_refusal_must_go(
    start: Start, gone: dict[str, list[str]], gained: dict[str, list[str]]
) -> None:
    """Whoever is taken in its place has met none."""
    cache = start(write_back=True, eviction_policy=EvictionPolicy.FIFO, dialect=UNSETTLED)
    for text in ("7", "1", "9"):
        cache.put(text)
    cache.lock_page("r1", "7")
    cache.evict(1)
    cache.put("1")
    cache.unlock("r1")
    cache.cache.refuse(Pool.FULL_HOST)
    _, wrong = cache.evict_as((1, 0, 0), gone, gained, sure=False)
    assert wrong[0] == "PROGRESS/unbacked-leaf-kept"


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
    ("first", "wrong"),
    [(False, "PROGRESS/unbacked-leaf-kept"), (True, "RECENCY/filo")],
    ids=["in vain", "all or none"],
)
def test_a_copy_may_have_left_for_a_backup_that_was_not_made(
    start: Start, first: bool, wrong: str
) -> None:
    """Where room is made that may not be enough (semantics 8.3)."""
    dialect = Dialect(room_before_backup=first)
    cache = start(write_back=True, eviction_policy=EvictionPolicy.FILO, dialect=dialect)
    for text in ("7", "9"):
        cache.put(text)
    cache.cache.refuse(Pool.FULL_HOST)
    assert cache.evict_as((1, 0, 0), {"F": ["7"]}, sure=False)[1][0] == wrong


@pytest.mark.parametrize(
    ("asked", "taken", "freed", "wrong"),
    [
        (1, ["1"], 1, []),
        (2, ["1", "2"], 2, []),
        (1, ["2"], 1, ["RECENCY/access-time"]),
        (2, ["1", "3"], 2, ["RECENCY/access-time"]),
        (1, [], 0, ["PROGRESS/stopped-early"]),
        (3, ["1", "2"], 2, ["PROGRESS/stopped-early"]),
        (1, ["1", "2"], 2, ["PROGRESS/freed-too-much"]),
        (0, ["1"], 1, ["PROGRESS/freed-too-much"]),
    ],
)
def test_the_choice_of_victims_is_judged_and_adopted(
    start: Start, asked: int, taken: list[str], freed: int, wrong: list[str]
) -> None:
    cache = start()
    for text in ("1", "2", "3"):
        cache.put(text)
    cache.settle()
    assert cache.evict_as((asked, 0, 0), {"F": taken}) == ((freed, 0, 0), wrong)
    assert cache.tree() == {text: "f|" if text in taken else "Ff|" for text in ("1", "2", "3")}


@pytest.mark.parametrize(
    ("waited", "taken", "wrong"),
    [
        (["1"], ["2"], []),
        (["1"], ["1"], []),
        (["1", "2"], [], []),
        (["2"], [], ["PROGRESS/stopped-early"]),
        (["3"], ["2"], ["RECENCY/access-time"]),
    ],
)
def test_what_a_backup_locked_that_the_eviction_waited_for_is_passed_over_by_right(
    start: Start, waited: list[str], taken: list[str], wrong: list[str]
) -> None:
    """Or goes, if it waited before (semantics 7.8)."""
    cache = start()
    for text in ("1", "2", "3"):
        cache.put(text)
    cache.settle()
    if not taken:
        cache.lock("r1", "3")
    assert cache.evict_as((1, 0, 0), {"F": taken}, waited=waited)[1] == wrong


def test_one_victim_may_free_more_than_was_asked_for(start: Start) -> None:
    cache = start()
    cache.put("1 2 3")
    cache.settle()
    assert cache.evict_as((1, 0, 0), {"F": ["1", "1 2", "1 2 3"]}) == ((3, 0, 0), [])


def test_a_small_victim_before_a_large_one_was_taken_out_of_order(start: Start) -> None:
    """Both went where the older one alone would have been enough: that is the order's fault, and
    not that of the amount."""
    cache = start()
    cache.put("1 2")
    cache.put("3")
    cache.settle()
    assert cache.evict_as((2, 0, 0), {"F": ["1", "1 2", "3"]})[1] == ["RECENCY/access-time"]


@pytest.mark.parametrize("policy", [EvictionPolicy.LFU, EvictionPolicy.SLRU])
def test_an_order_that_takes_inserts_for_hits_is_told_apart(
    start: Start, policy: EvictionPolicy
) -> None:
    """One prompt was used by two requests, the other by one, which inserted it three times."""
    cache = start(eviction_policy=policy, threshold=NEVER)
    for prompt, inserted in (("1", 0), ("1", 0), ("2", 0), ("2", 1), ("2", 1)):
        cache.put(prompt, inserted=inserted)
    assert cache.evict_as((1, 0, 0), {"F": ["1"]})[1] == ["RECENCY/hits-by-insert"]


def test_so_it_is_where_one_comes_into_reach_only_by_a_leaf_that_the_order_puts_later(
    start: Start,
) -> None:
    """The lower half of "2 3" was inserted twice, as "1" was, and later; the upper half, less often
    than both, can go after it only."""
    lfu = EvictionPolicy.LFU
    dialect = Dialect(hits_on_split_leaf=False)
    cache = start(window=1, eviction_policy=lfu, threshold=NEVER, dialect=dialect)
    for prompt, inserted in (("1", 0), ("1", 0), ("2 3", 0), ("2 3", 2)):
        cache.put(prompt, inserted=inserted)
    assert [cache.page(text).inserts for text in ("1", "2", "2 3")] == [2, 1, 2]
    gone = ["1", "2 3"]
    breaches = cache.evict_as((2, 0, 0), {"F": gone, "S": gone})[1]
    assert breaches == ["RECENCY/hits-by-insert"]


@pytest.mark.parametrize(
    ("refused", "wrong"),
    [(False, "window-lost-with-state"), (True, "unbacked-leaf-kept")],
)
def test_a_window_that_goes_with_a_state_has_gone_before_it_if_a_leaf_met_a_refusal(
    start: Start, refused: bool, wrong: str
) -> None:
    """Whoever passes over the leaf that met it takes the window, and with it the state, for want of
    SWA; and then the leaf after all."""
    cache = start(window=1, mamba=True, write_back=True, dialect=UNSETTLED)
    cache.put("1 2", state=True)
    cache.put("5", state=True)
    cache.put("1 2 3", state=True)
    if refused:
        cache.cache.refuse(Pool.FULL_HOST)
    gone = {"F": ["5"], "S": ["5", "1 2"], "M": ["5", "1 2"]}
    breaches = cache.evict_as((1, 1, 2), gone, {"f": ["5"], "s": ["5"], "m": ["5"]})[1]
    assert breaches[0] == f"PROGRESS/{wrong}"


@pytest.mark.parametrize(
    ("refused", "wrong"), [(True, []), (False, ["PROGRESS/stopped-early", "RECENCY/swa-list"])]
)
def test_a_leaf_that_a_host_lock_keeps_after_a_refusal_may_go_in_a_later_drive(
    start: Start, refused: bool, wrong: list[str]
) -> None:
    """Then what is above it is a leaf only when the FULL drive is over."""
    cache = start(window=1, write_back=True)
    cache.demote("1")
    cache.put("1")
    cache.put("1 2")
    cache.lock_host("h", "1 2")
    assert cache.tree() == {"1": "FSfs|", "1 2": "FS|"}
    if refused:
        cache.cache.refuse(Pool.FULL_HOST)
    gone, gained = {"F": ["1 2"], "S": ["1", "1 2"]}, {"f": ["1 2"], "s": ["1 2"]}
    assert cache.evict_as((2, 2, 0), gone, gained, sure=not refused)[1] == wrong


@pytest.mark.parametrize(
    ("locks", "wrong"), [("lock_host", []), ("lock", ["PROGRESS/not-written-back"])]
)
def test_a_copy_may_have_gone_for_one_that_was_refused_to_a_leaf_which_a_host_lock_keeps(
    start: Start, locks: str, wrong: list[str]
) -> None:
    """The host had room for "5 6", and had to make it anew for "1 2", whose state it refused. A
    leaf that is locked on the device is not tried."""
    cache = start(mamba=True, write_back=True, host_pages=3)
    cache.put("5 6")
    cache.put("1 2", state=True)
    getattr(cache, locks)("r", "1 2")
    cache.cache.refuse(Pool.MAMBA_HOST)
    assert cache.evict_as((3, 0, 0), {"F": ["5", "5 6"]}, sure=False)[1] == wrong


@pytest.mark.parametrize(("refused", "wrong"), [(False, "RECENCY/filo"), (True, UNBACKED_KEPT)])
def test_a_refusal_explains_what_comes_into_reach_only_by_a_leaf_that_met_it(
    start: Start, refused: bool, wrong: str
) -> None:
    """The newest leaf was kept, and so was the node above it, which an older one had to go for."""
    filo = EvictionPolicy.FILO
    cache = start(window=1, write_back=True, eviction_policy=filo, dialect=UNSETTLED)
    cache.put("1")
    cache.demote("2")
    cache.put("1")
    cache.put("2")
    cache.put("2 3")
    assert cache.tree() == {"1": "FSfs|", "2": "FSfs|", "2 3": "FS|"}
    if refused:
        cache.cache.refuse(Pool.FULL_HOST)
    gone, gained = {"F": ["1", "2 3"], "S": ["1", "2 3"]}, {"f": ["2 3"], "s": ["2 3"]}
    assert cache.evict_as((2, 1, 0), gone, gained)[1] == [wrong]


def test_recency_explains_what_comes_into_reach_only_by_what_was_used_less_recently(
    start: Start,
) -> None:
    """The upper half of "1 2" has no hits, but can go after the lower one only, which has as many
    as "3", and is older."""
    dialect = Dialect(hits_on_split_leaf=False)
    cache = start(window=1, eviction_policy=EvictionPolicy.LFU, threshold=NEVER, dialect=dialect)
    cache.put("1 2")
    cache.put("3")
    gone = ["3", "1 2"]
    assert cache.evict_as((2, 0, 0), {"F": gone, "S": gone})[1] == ["RECENCY/access-time"]
    cache = start(window=1, eviction_policy=EvictionPolicy.LFU, threshold=NEVER, dialect=dialect)
    cache.put("3")
    cache.put("1 2")
    cache.put("3")
    assert cache.evict_as((2, 0, 0), {"F": gone, "S": gone})[1] == ["RECENCY/lfu"]


@pytest.mark.parametrize(
    ("asked", "gone", "wrong"),
    [
        ((0, 1, 0), {"S": ["1"], "M": ["1"]}, []),
        ((0, 1, 0), {"S": ["1 2"], "M": ["1 2"]}, ["RECENCY/swa-list"]),
        ((0, 1, 0), {}, ["PROGRESS/stopped-early"]),
        ((0, 1, 0), {"S": ["1", "1 2"], "M": ["1", "1 2"]}, ["PROGRESS/freed-too-much"]),
        ((0, 0, 1), {"M": ["1"]}, []),
        ((0, 0, 1), {"M": ["1 2"]}, ["RECENCY/mamba-list"]),
        ((0, 0, 1), {}, ["PROGRESS/stopped-early"]),
        ((0, 0, 1), {"M": ["1", "1 2"]}, ["PROGRESS/freed-too-much"]),
        ((0, 0, 1), {"F": ["1 2 3"], "S": ["1 2 3"], "M": ["1 2 3"]}, ["RECENCY/mamba-list"]),
    ],
)
def test_victims_of_swa_and_mamba_are_judged_by_orders_of_their_own(
    start: Start, asked: tuple[int, int, int], gone: dict[str, list[str]], wrong: list[str]
) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    for text in ("1", "1 2", "1 2 3"):
        cache.put(text, state=True)
    assert cache.evict_as(asked, gone)[1] == wrong
    left = {
        prefix: "".join(letter for letter in "FSM" if prefix not in gone.get(letter, ()))
        for prefix in ("1", "1 2", "1 2 3")
    }
    assert cache.tree() == {prefix: letters + "|" for prefix, letters in left.items() if letters}


def test_an_interior_node_that_could_have_waited_to_be_a_leaf_went_out_of_order(
    start: Start,
) -> None:
    """Its child went in the same eviction, but after it."""
    cache = start(window=2)
    cache.put("1")
    cache.put("2")
    cache.settle()
    freed, wrong = cache.evict_as((0, 1, 0), {"S": ["1"]})
    assert freed == (0, 1, 0)
    assert wrong == ["RECENCY/swa-list"]
    assert cache.tree() == {"1": "Ffs|", "2": "FSfs|"}


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


@pytest.mark.parametrize(
    ("order", "ties"),
    [
        (EvictionPolicy.LRU, "1 2 3 5"),
        (EvictionPolicy.MRU, "1 3 4 5"),
        (EvictionPolicy.LFU, "2"),
        (EvictionPolicy.FIFO, ""),
        (EvictionPolicy.FILO, ""),
        (EvictionPolicy.PRIORITY, "2 5"),
        (EvictionPolicy.SLRU, "2"),
    ],
)
def test_a_system_is_held_to_its_order(
    used_differently: Start, order: EvictionPolicy, ties: str
) -> None:
    """The breach is named after the order, or, where that leaves the first victim tied with these,
    after the access times."""
    for text in ("1", "2", "3", "4", "5"):
        strict = used_differently(order)
        strict.evict(1)
        cache = used_differently(order)
        freed, wrong = cache.evict_as((1, 0, 0), {"F": [text]})
        assert freed == (1, 0, 0)
        rule = "access-time" if text in ties.split() else order.value
        assert wrong == ([f"RECENCY/{rule}"] if text in strict.tree() else [])
        assert text not in cache.tree()


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (EvictionPolicy.LFU, "it has 1 hit, and the other has 3"),
        (EvictionPolicy.SLRU, "it has 1 hit, and the other has 3, and is protected from 2 on"),
        (EvictionPolicy.FIFO, "insert number 2 made it, and number 3 made the other"),
        (EvictionPolicy.PRIORITY, "its priority is 1, and that of the other is 3"),
    ],
)
def test_a_breach_of_an_order_says_what_both_are_ranked_by(
    used_differently: Start, order: EvictionPolicy, why: str
) -> None:
    cache = used_differently(order)
    before, taken = ("2", "1") if order in (EvictionPolicy.LFU, EvictionPolicy.SLRU) else ("2", "3")
    breach = out_of_order(cache.page(taken), cache.page(before), Component.FULL, order)
    assert breach.text.endswith(f"which should have gone first: {why}")


# -- load-backs ------------------------------------------------------------------------------------


def judged(
    cache: Any, text: str, loaded: bool, gone: dict[str, list[str]] | None = None, sure: bool = True
) -> list[str]:
    """A load-back of a system that loaded, or refused, and took this off the device: what is wrong
    with it."""
    loading = cache.cache.load_back(cache.page(text), None)
    assert not loading.refused
    return [
        breach.signature
        for breach in cache.follower.finish_load(loading, loaded, cache.choice(gone, sure=sure))
    ]


@pytest.mark.parametrize(
    ("loaded", "gone", "wrong"),
    [
        (True, ["7", "7 8"], []),
        (True, [], ["PROGRESS/stopped-early"]),
        (False, [], ["PROGRESS/load-refused"]),
        (False, ["7", "7 8"], ["PROGRESS/load-refused"]),
    ],
)
def test_a_load_back_that_has_room_is_not_refused(
    full_device: Start, loaded: bool, gone: list[str], wrong: list[str]
) -> None:
    cache = full_device(locked=False)
    assert judged(cache, "1 2", loaded, {"F": gone}) == wrong
    assert cache.tree()["1 2"] == ("Ff|" if loaded else "f|")
    assert bool(cache.flying()) is loaded


def test_a_load_back_without_room_is_rightly_refused(full_device: Start) -> None:
    assert judged(full_device(locked=True), "1 2", loaded=False) == []


def test_a_load_back_may_fail_with_an_allocation_that_was_told_to(full_device: Start) -> None:
    """Once, and when it has made its room (semantics 9.3, 17.4)."""
    cache = full_device(locked=False)
    cache.cache.refuse(Pool.FULL)
    assert judged(cache, "1 2", loaded=False, sure=False) == ["PROGRESS/load-refused"]
    assert judged(cache, "1 2", False, {"F": ["7", "7 8"]}, sure=False) == []
    assert not cache.cache.refusing, "it is over"
    assert judged(cache, "1 2", loaded=False) == ["PROGRESS/load-refused"]


@pytest.mark.parametrize("pool", [pool for pool in POOLS if pool is not Pool.FULL])
def test_a_refusal_of_what_a_load_back_does_not_take_is_no_excuse(
    full_device: Start, pool: Pool
) -> None:
    cache = full_device(locked=False)
    cache.cache.refuse(pool)
    gone = {"F": ["7", "7 8"]}
    assert judged(cache, "1 2", False, gone) == ["PROGRESS/load-refused"]


def test_room_that_a_host_lock_keeps_from_being_made_is_an_excuse(start: Start) -> None:
    """A leaf without a host copy would be deleted, and is locked on the host: it counts as
    evictable and cannot go."""
    cache = start(device_pages=3, threshold=2)
    cache.demote("1 2", "1 2")
    cache.put("7 8")
    cache.lock_host("r1", "7 8")
    assert judged(cache, "1 2", loaded=False) == []


def test_releases_that_make_room_for_full_alone_may_refuse(full_device: Start) -> None:
    cache = full_device(locked=False, dialect=Dialect(room_before_load=False))
    assert judged(cache, "1 2", loaded=False) == []


@pytest.mark.parametrize(
    ("loaded", "gone", "wrong"),
    [
        (True, {}, []),
        (False, {}, ["PROGRESS/load-refused"]),
        (True, {"F": ["7"]}, ["PROGRESS/load-freed-too-much"]),
    ],
)
def test_what_fits_is_loaded_and_nothing_goes_for_it(
    start: Start, loaded: bool, gone: dict[str, list[str]], wrong: list[str]
) -> None:
    """Whatever else a release evicts to make room: here there is room."""
    cache = start(device_pages=4, dialect=Dialect(room_before_load=False))
    cache.demote("1 2")
    cache.put("7")
    cache.settle()
    assert judged(cache, "1 2", loaded=loaded, gone=gone) == wrong


def test_a_release_may_refuse_what_another_load_back_is_about(start: Start) -> None:
    cache = start(device_pages=4, dialect=Dialect(room_before_load=False))
    cache.demote("1 2")
    cache.demote("7")
    assert judged(cache, "7", loaded=True) == []
    assert judged(cache, "1 2", loaded=False) == []


def one_short(start: Start, **shape: Any) -> Any:
    """A cache with a page of room, in which two are to be loaded back and two others could go."""
    cache = start(device_pages=3, **shape)
    cache.demote("1 2")
    cache.put("7")
    cache.put("8")
    cache.settle()
    return cache


def test_victims_of_a_load_back_go_in_order(start: Start) -> None:
    cache = one_short(start)
    cache.cache.match(Key((1, 2)))
    assert judged(cache, "1 2", loaded=True, gone={"F": ["8"]}) == ["RECENCY/access-time"]


def test_a_load_back_takes_no_more_than_it_needs(start: Start) -> None:
    cache = one_short(start)
    gone = {"F": ["7", "8"]}
    assert judged(cache, "1 2", loaded=True, gone=gone) == ["PROGRESS/load-freed-too-much"]


def test_a_load_back_that_went_ahead_has_evicted_what_it_lacked(start: Start) -> None:
    cache = one_short(start, dialect=Dialect(room_before_load=False))
    gone = {"F": ["7", "8"]}
    assert judged(cache, "1 2", loaded=True, gone=gone) == ["PROGRESS/load-freed-too-much"]


def test_a_window_that_went_along_for_a_load_back_was_more_than_it_lacked(start: Start) -> None:
    """The state beside it had to go, and goes alone (semantics 7.6, 9.3)."""
    cache = start(window=1, mamba=True, swa_pages=3, mamba_states=1)
    cache.demote("1 2")
    cache.put("7")
    cache.put("7 8", state=True)
    cache.put("7 8 9")
    cache.settle()
    gone = {"S": ["7", "7 8"], "M": ["7 8"]}
    assert judged(cache, "1 2", loaded=True, gone=gone) == ["PROGRESS/load-freed-too-much"]


def test_an_allocation_that_was_made_to_fail_hides_how_much_had_to_go(start: Start) -> None:
    cache = one_short(start, dialect=Dialect(room_before_load=False))
    assert judged(cache, "1 2", loaded=True, gone={"F": ["7", "8"]}, sure=False) == []
