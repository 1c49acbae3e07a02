"""A lane: every job ends once, whatever becomes of its process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import pytest

from radixproof.properties.workers import lane as lanes
from radixproof.properties.workers.lane import Done, Event, Failed, Lane, News

from .work import shard, work


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lane]:
    """One that begins as those of users do."""
    monkeypatch.setattr(lanes, "CONTEXT", multiprocessing.get_context("spawn"))
    lane = Lane(work)
    yield lane
    lane.end()


def told(lane: Lane, system: str) -> list[Event]:
    """What a lane tells of one job, up to its end."""
    job = shard(system)
    lane.give(job)
    events = [lane.event()]
    while isinstance(events[-1], News):
        events.append(lane.event())
    assert all(event.job is job for event in events)  # which is not sent back
    return events


def test_a_job_tells_its_news_and_then_its_result_and_the_next_one_follows(lane: Lane) -> None:
    for system in ("fine", "also fine"):
        news, done = told(lane, system)
        assert isinstance(news, News)
        assert news.news == f"{system} begins"
        assert isinstance(done, Done)
        assert done.result == lane.process.pid
        assert lane.job is None


@pytest.mark.parametrize(
    ("system", "said"),
    [
        (
            "exits",
            "the process that ran exits, search, seed 1 ended without a result (exit code 7)",
        ),
        ("killed", "ended without a result (SIGKILL)"),
        ("unavailable", "it is not here: fetch it"),
        ("raises", "radixproof itself failed (KeyError) while it ran raises, search, seed 1"),
    ],
)
def test_a_job_that_goes_wrong_says_how(system: str, said: str, lane: Lane) -> None:
    failed = told(lane, system)[-1]
    assert isinstance(failed, Failed)
    assert said in failed.reason
