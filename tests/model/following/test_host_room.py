"""Room on the host where the rules leave no choice: under write_back, one victim after the other
(semantics 7.9, 14.10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Component
from radixproof.model.dialect import Dialect

Start = Callable[..., Any]


def full_host(start: Start, **given: Any) -> Any:
    """Two prompts fill the host; a third is on the device only."""
    cache = start(write_back=True, host_pages=2, **given)
    for text in ("1", "2"):
        cache.put(text)
        cache.evict(full=1)
    cache.put("3")
    return cache


@pytest.mark.parametrize(
    ("lost", "wrong"),
    [
        (["1"], []),
        (["2"], ["RECENCY/access-time"]),
        (["1", "2"], ["PROGRESS/host-freed-too-much"]),
    ],
)
def test_what_makes_room_for_a_victim_goes_in_order(
    start: Start, lost: list[str], wrong: list[str]
) -> None:
    cache = full_host(start)
    gone = {"F": ["3"], "f": lost}
    assert cache.evict_as((1, 0, 0), gone, {"f": ["3"]})[1] == wrong
    assert set(cache.tree()) == {"1", "2", "3"} - set(lost)


def test_a_victim_that_could_have_had_room_is_written_back(start: Start) -> None:
    cache = full_host(start)
    assert cache.evict_as((1, 0, 0), {"F": ["3"]})[1] == ["PROGRESS/not-written-back"]
    assert cache.tree()["2"] == "f|"


@pytest.mark.parametrize("dialect", [Dialect(), Dialect(room_before_backup=False)])
def test_any_may_go_where_an_order_is_hidden(start: Start, dialect: Dialect) -> None:
    """By a refusal, or since room is made in vain."""
    cache = full_host(start, dialect=dialect)
    gone = {"F": ["3"], "f": ["2"]}
    sure = not dialect.room_before_backup
    assert cache.evict_as((1, 0, 0), gone, {"f": ["3"]}, sure)[1] == []


def test_a_copy_may_leave_the_host_and_be_made_again(start: Start) -> None:
    """The copy of 1 is a duplicate, and makes room for 1 2 below it; then 1 goes itself, and what
    makes room for it is 1 2 3, which was written back first."""
    cache = start(write_back=True, host_pages=2)
    cache.put("1")
    cache.evict(full=1)
    cache.put("1 2")
    cache.put("1 2 3")
    gone = {"F": ["1", "1 2", "1 2 3"]}
    assert cache.evict_as((3, 0, 0), gone, {"f": ["1 2"]})[1] == []
    assert cache.tree() == {"1": "f|", "1 2": "f|"}


def test_what_a_copy_in_flight_marks_stays_on_the_host(start: Start) -> None:
    """The window was fetched, and FULL of the same page is being backed up."""
    cache = start(window=1)
    cache.put("1", evicted=1)
    cache.fetch("1")
    assert cache.tree() == {"1": "Ffs|"}
    assert cache.flying() == ["1"]
    freed, wrong = cache.evict_host_as(1, {"s": ["1"]}, Component.SWA)
    assert (freed, wrong) == (1, ["PIN/swa_host-in-flight"])
    assert cache.tree() == {"1": "Ff|"}
