"""What is known of a reference is passed over in a system only where the reference has it, too."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace

import pytest

from radixproof.properties.search.budget import Budget
from radixproof.properties.workers.comparing import Compared, search_and_compare
from radixproof.properties.workers.lane import Done, Event, News
from radixproof.properties.workers.searching import FindingReport
from radixproof.properties.workers.shard import SEARCH, Shard
from radixproof.properties.workers.side_by_side import Searched

from .systems import HERE
from .test_side_by_side import ROOT

BUDGET = Budget(steps=1_500, examples=20, example_steps=8)
BROKEN, SOUND = f"{HERE}:broken", f"{HERE}:target"


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the systems of these tests are found by their names."""
    monkeypatch.chdir(ROOT)


def signatures(events: list[Event]) -> list[str]:
    return [one.signature for one in reports(events)]


def reports(events: list[Event]) -> list[FindingReport]:
    found = [event.news for event in events if isinstance(event, News)]
    return [one for one in found if isinstance(one, FindingReport)]


@pytest.fixture(scope="module")
def known() -> tuple[str, ...]:
    """What a search of the broken one finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return tuple(signatures(list(search_and_compare([Shard(BROKEN, SEARCH, 1, BUDGET)], 2))))


def compared(reference: str, known: tuple[str, ...], seconds: float | None = None) -> list[Event]:
    shard = Shard(BROKEN, SEARCH, 1, BUDGET, known=known, reference=reference, compared=known)
    return list(search_and_compare([shard], 2, seconds))


def last(events: list[Event]) -> Compared:
    """How far the comparison came, which is told before the end."""
    *_, news, done = events
    assert isinstance(done, Done)
    assert isinstance(done.result, Searched)
    assert isinstance(news, News)
    assert isinstance(news.news, Compared)
    assert news.news.of == len(done.result.met)
    return news.news


def test_what_the_reference_does_not_do_is_found_and_shrunk(known: tuple[str, ...]) -> None:
    events = compared(SOUND, known)
    found = reports(events)
    assert found
    assert {one.signature for one in found} <= set(known)
    assert last(events).all
    for one in found:
        assert one.shrunk
        assert f"is known of {SOUND}, which in this history has nothing of the kind" in " ".join(
            one.folder.report.split()
        )
    assert multiprocessing.active_children() == []


def test_what_the_reference_does_as_well_is_passed_over(known: tuple[str, ...]) -> None:
    events = compared(BROKEN, known)
    assert signatures(events) == []
    assert last(events).all
    assert last(events).of > 0


def test_what_only_another_state_brings_about_is_known() -> None:
    """The source tree evicts more, which is new; so it comes to other states, in which it does what
    the reference would do there as well.
    """
    known = ("LOCK/full-too-few", "PROGRESS/freed-too-much", "RECENCY/access-time")
    shard = Shard(f"{HERE}:newer", SEARCH, 1, BUDGET, known=known)
    shard = replace(shard, reference=f"{HERE}:older", compared=known)
    events = list(search_and_compare([shard], 2))
    assert last(events).all
    assert last(events).likewise == ("LOCK/full-too-few",)
    assert {"PROGRESS/freed-too-much", "RECENCY/access-time"} <= set(signatures(events))


def test_what_nothing_is_compared_with_is_passed_over(known: tuple[str, ...]) -> None:
    events = list(search_and_compare([Shard(BROKEN, SEARCH, 1, BUDGET, known=known)], 1))
    assert signatures(events) == []
    assert not any(isinstance(one, News) and isinstance(one.news, Compared) for one in events)


def test_a_reference_that_cannot_be_run_is_told(known: tuple[str, ...]) -> None:
    events = compared("sglang==0.0.1", known)
    assert not last(events).all
    assert "0.0.1" in last(events).why_not


def test_a_reference_that_ends_its_processes_is_told(known: tuple[str, ...]) -> None:
    events = compared(f"{HERE}:deadly", known)
    assert not last(events).all
    assert f"{HERE}:deadly" in last(events).why_not


def test_no_time_is_left_to_compare(known: tuple[str, ...]) -> None:
    short = replace(BUDGET, steps=10**9)
    shard = Shard(BROKEN, SEARCH, 1, short, known=known, reference=SOUND, compared=known)
    events = list(search_and_compare([shard], 1, 4.0))
    assert last(events).histories == 0
    assert not last(events).all
