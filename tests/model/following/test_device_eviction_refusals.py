"""Victims of an eviction whose write-backs may have met a refusal (semantics 7.4, 17.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import EvictionPolicy, Pool
from radixproof.model.dialect import Dialect

Start = Callable[..., Any]

UNBACKED_KEPT = "PROGRESS/unbacked-leaf-kept"
UNSETTLED = Dialect(host_values_in_order=False)
"""What goes on the host is open, and so is who met a refusal."""


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


def test_a_refusal_explains_one_copy_that_was_not_made(start: Start) -> None:
    """Where it is open who met it, whoever was certainly to be copied and was not has (17.4)."""
    cache = start(write_back=True, dialect=UNSETTLED)
    for text, wrong in (("1", []), ("2", ["PROGRESS/not-written-back"])):
        cache.put(text)
        if text == "1":
            cache.cache.refuse(Pool.FULL_HOST)
        assert cache.evict_as((1, 0, 0), {"F": [text]})[1] == wrong
        assert cache.cache.refusing == set()


def test_whoever_was_copied_in_part_has_met_no_refusal(start: Start) -> None:
    """A backup that is refused anything makes no copy at all (semantics 8.3)."""
    cache = start(window=1, write_back=True, dialect=UNSETTLED)
    cache.put("1")
    cache.cache.refuse(Pool.SWA_HOST)
    gone = {"F": ["1"], "S": ["1"]}
    late = ["PROGRESS/late-swa-not-written-back"]
    assert cache.evict_as((1, 0, 0), gone, {"f": ["1"]})[1] == late


@pytest.mark.parametrize("other", ["kept", "free", "none"])
def test_only_a_leaf_that_is_kept_may_have_met_a_refusal_and_stayed(
    start: Start, other: str
) -> None:
    """Then room may have been made for it, and what "5" would have needed was used up."""
    cache = start(mamba=True, write_back=True, dialect=UNSETTLED)
    cache.put("5")
    if other != "none":
        cache.put("1", state=True)
    if other == "kept":
        cache.lock_host("h", "1")
    cache.cache.refuse(Pool.MAMBA_HOST)
    breaches = cache.evict_as((1, 0, 0), {"F": ["5"]}, sure=False)[1]
    assert breaches == ([] if other == "kept" else ["PROGRESS/not-written-back"])
