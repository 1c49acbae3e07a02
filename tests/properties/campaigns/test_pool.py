"""The pool: every shard ends once, whatever becomes of its process, and nothing outlives it."""

from __future__ import annotations

import multiprocessing
from contextlib import closing

import pytest

from radixproof.properties.campaigns.pool import Event, News, ShardDone, ShardFailed, run
from radixproof.properties.campaigns.shard import SEARCH, Shard
from radixproof.properties.search.budget import Budget

from .work import work


def shard(system: str, seed: int = 1) -> Shard:
    return Shard(system, SEARCH, seed, Budget(10, 0))


def ends(events: list[Event]) -> dict[str, ShardDone | ShardFailed]:
    """How every shard ended, by its system."""
    return {event.shard.system: event for event in events if not isinstance(event, News)}


def test_a_shard_tells_its_news_and_then_its_result() -> None:
    news, done = run([shard("fine")], work, jobs=1)
    assert news == News(shard("fine"), "fine begins")
    assert isinstance(done, ShardDone)
    assert done.shard == shard("fine")


@pytest.mark.parametrize(("reuse", "processes"), [(True, 1), (False, 3)])
def test_shards_share_a_process_only_if_they_may(reuse: bool, processes: int) -> None:
    events = list(run([shard("fine", seed) for seed in (1, 2, 3)], work, 1, reuse))
    done = [event for event in events if isinstance(event, ShardDone)]
    assert [event.shard.seed for event in done] == [1, 2, 3]
    assert len({event.result for event in done}) == processes


def test_what_goes_wrong_in_one_shard_is_told_with_it_and_the_others_go_on() -> None:
    names = ("exits", "fine", "killed", "unavailable", "raises", "also fine")
    told = ends(list(run(map(shard, names), work, jobs=2)))
    assert sorted(told) == sorted(names)
    assert {name for name, end in told.items() if isinstance(end, ShardDone)} == {
        "fine",
        "also fine",
    }
    for name, said in (
        (
            "exits",
            "the process that ran exits, search, seed 1 ended without a result (exit code 7)",
        ),
        ("killed", "ended without a result (SIGKILL)"),
        ("unavailable", "it is not here: fetch it"),
        ("raises", "radixproof itself failed (KeyError) while it ran raises, search, seed 1"),
    ):
        end = told[name]
        assert isinstance(end, ShardFailed)
        assert said in end.reason


def test_processes_end_when_it_is_closed() -> None:
    with closing(run([shard("slow"), shard("slow", 2)], work, jobs=2)) as events:
        assert isinstance(next(events), News)
        assert len(multiprocessing.active_children()) == 2
    assert multiprocessing.active_children() == []


def test_nothing_to_do() -> None:
    assert list(run([], work, jobs=4)) == []
