"""Searches in several processes: the findings of one, and an end when time is up."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.impl import registry
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search
from radixproof.properties.workers.lane import Done, Event, Failed, News
from radixproof.properties.workers.searching import FindingReport
from radixproof.properties.workers.shard import SEARCH, Shard
from radixproof.properties.workers.side_by_side import Searched, search_all

from .systems import HERE

ROOT = Path(__file__).resolve().parents[3]
BUDGET = Budget(steps=500, examples=60, example_steps=8)


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the systems of these tests are found by their names."""
    monkeypatch.chdir(ROOT)


def shard(name: str, seed: int = 1, budget: Budget = BUDGET, known: tuple[str, ...] = ()) -> Shard:
    return Shard(f"{HERE}:{name}", SEARCH, seed, budget, known=known)


def reports(events: list[Event], of: Shard) -> list[FindingReport]:
    """What was found in one shard, without the seconds it took."""
    found = [event.news for event in events if isinstance(event, News) and event.job == of]
    return [replace(one, seconds=0.0) for one in found if isinstance(one, FindingReport)]


def end(events: list[Event], of: Shard) -> Searched:
    (done,) = [event for event in events if not isinstance(event, News) and event.job == of]
    assert isinstance(done, Done)
    assert isinstance(done.result, Searched)
    return done.result


@pytest.mark.slow
def test_the_findings_are_the_same_however_many_processes_there_are() -> None:
    shards = [shard("broken"), shard("target")]
    alone, *others = [list(search_all(shards, jobs)) for jobs in (1, 3)]
    assert reports(alone, shards[0])
    assert reports(alone, shards[1]) == []
    for events in others:
        for one in shards:
            assert reports(events, one) == reports(alone, one)
            assert end(events, one).progress == end(alone, one).progress
    assert multiprocessing.active_children() == []


def test_the_findings_are_those_of_a_search_in_this_process() -> None:
    here: list[Finding] = []

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            here.append(news)

    one = shard("broken", 3)
    progress = search(registry.find(one.system), 3, BUDGET, tell)
    events = list(search_all([one], 2))
    found = reports(events, one)
    assert [(each.signature, each.at_step) for each in found] == [
        (each.signature, each.at_step) for each in here
    ]
    assert [each.operations for each in found] == [len(each.history.operations) for each in here]
    assert end(events, one).progress == progress
    assert progress.complete


def test_what_was_found_and_is_known_is_met_by_the_next_search_and_nothing_else_is_found() -> None:
    first = shard("broken")
    events = list(search_all([first], 1))
    found = reports(events, first)
    known = [*(one.signature for one in found), *(one.also for one in found if one.also)]
    again = shard("broken", known=tuple(known))
    after = list(search_all([again], 2))
    assert found
    assert reports(after, again) == []
    assert end(after, again).progress == end(events, first).progress
    progress = end(after, again).progress
    assert progress is not None
    assert all(progress.passed_over[one.also or one.signature] > 0 for one in found)


def test_a_system_that_cannot_be_run_does_not_stop_the_others() -> None:
    shards = [shard("deadly"), shard("nothing"), shard("target")]
    events = list(search_all(shards, 2))
    failed = {event.job: event.reason for event in events if isinstance(event, Failed)}
    assert failed.keys() == {shards[0], shards[1]}
    assert "it ended the process with exit code 7 in deadly.<locals>.build" in failed[shards[0]]
    assert "nothing" in failed[shards[1]]
    progress = end(events, shards[2]).progress
    assert progress is not None
    assert progress.complete


@pytest.mark.parametrize("jobs", [1, 2])
def test_time_that_is_up_before_anything_began(jobs: int) -> None:
    shards = [shard("target"), shard("broken")]
    assert list(search_all(shards, jobs, seconds=0.0)) == [
        Done(one, Searched(None, 0.0)) for one in shards
    ]
    assert multiprocessing.active_children() == []


def test_a_search_without_an_end_is_ended_in_time() -> None:
    one = shard("endless")
    started = time.monotonic()
    events = list(search_all([one], 2, seconds=2.0))
    assert time.monotonic() - started < 10.0, "two, one more, and the start of two processes"
    progress = end(events, one).progress
    assert progress is None or not progress.complete


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_found_when_time_is_up_is_reported_though_not_shrunk(jobs: int) -> None:
    one = shard("slow", budget=Budget(steps=100_000, examples=0))
    started = time.monotonic()
    events = list(search_all([one], jobs, seconds=4.0))
    assert time.monotonic() - started < 12.0, (
        "four, one more, steps of 0.15 s, and the start of two processes"
    )
    found = reports(events, one)
    assert found
    assert not found[0].shrunk
    assert not (end(events, one).progress or Progress(0, 0)).complete


def test_closing_it_ends_what_is_running() -> None:
    with closing(search_all([shard("target"), shard("broken")], 2)) as events:
        next(events)
        assert len(multiprocessing.active_children()) == 2
    assert multiprocessing.active_children() == []
