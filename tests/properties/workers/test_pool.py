"""The pool: every shard ends once, whatever becomes of its process, and nothing outlives it."""

from __future__ import annotations

import multiprocessing
from contextlib import closing

from radixproof.properties.workers.lane import Done, Event, Failed, News
from radixproof.properties.workers.pool import Pool, run

from .work import shard, work


def ends(events: list[Event]) -> dict[str, Done | Failed]:
    """How every shard ended, by its system."""
    return {event.job.system: event for event in events if not isinstance(event, News)}


def test_shards_share_a_process_in_order() -> None:
    events = list(run([shard("fine", seed) for seed in (1, 2, 3)], work, 1))
    done = [event for event in events if isinstance(event, Done)]
    assert [event.job.seed for event in done] == [1, 2, 3]
    assert len({event.result for event in done}) == 1


def test_what_goes_wrong_in_one_shard_is_told_with_it_and_the_others_go_on() -> None:
    names = ("exits", "fine", "killed", "unavailable", "raises", "also fine")
    told = ends(list(run(map(shard, names), work, jobs=2)))
    assert sorted(told) == sorted(names)
    done = {name for name, end in told.items() if isinstance(end, Done)}
    assert done == {"fine", "also fine"}


def test_processes_end_when_it_is_closed() -> None:
    with closing(run([shard("slow"), shard("slow", 2)], work, jobs=2)) as events:
        assert isinstance(next(events), News)
        assert len(multiprocessing.active_children()) == 2
    assert multiprocessing.active_children() == []


def test_nothing_to_do() -> None:
    assert list(run([], work, jobs=4)) == []


def test_processes_wait_for_more_to_do() -> None:
    with Pool(work, jobs=1) as pool:
        first, again = (list(pool.run([shard("fine", seed)])) for seed in (1, 2))
        assert ends(first)["fine"].result == ends(again)["fine"].result  # type: ignore[union-attr]
        assert len(multiprocessing.active_children()) == 1
    assert multiprocessing.active_children() == []


def test_what_is_being_done_can_be_forgotten() -> None:
    with Pool(work, jobs=2) as pool:
        with closing(pool.run([shard("slow"), shard("slow", 2)])) as events:
            next(events)
        assert multiprocessing.active_children() == []
        assert set(ends(list(pool.run([shard("fine")])))) == {"fine"}
