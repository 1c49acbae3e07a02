"""Shards of a campaign, and other jobs of one kind, run in a few processes at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing
from multiprocessing.connection import wait
from typing import Self

from radixproof.properties.workers.lane import Event, Lane, News, Work


class Pool:
    """A few processes that do jobs of one kind, as often as there are some; at most ``jobs`` at a
    time. A context: its end is theirs.
    """

    def __init__(self, work: Work, jobs: int) -> None:
        self.work, self.jobs = work, jobs
        self.lanes: list[Lane] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for lane in self.lanes:
            lane.end()

    def run(self, shards: Iterable[object]) -> Generator[Event, None, None]:
        """Run shards; yields events as they come, one end for each shard.

        Closing the generator ends the processes that are at work.
        """
        todo = deque(shards)
        try:
            while todo or self._busy():
                self._give(todo)
                busy = self._busy()
                ready = wait([lane.pipe for lane in busy])
                for lane in [lane for lane in busy if lane.pipe in ready]:
                    event = lane.event()
                    if not isinstance(event, News) and not lane.process.is_alive():
                        self._end([lane])
                    yield event
        finally:
            self._end(self._busy())

    def _busy(self) -> list[Lane]:
        return [lane for lane in self.lanes if lane.job is not None]

    def _end(self, lanes: Iterable[Lane]) -> None:
        for lane in lanes:
            lane.end()
            self.lanes.remove(lane)

    def _give(self, todo: deque[object]) -> None:
        """Give a job to every process that has none, and begin more of them while there may be."""
        for lane in self.lanes:
            if todo and lane.job is None:
                lane.give(todo.popleft())
        while todo and len(self.lanes) < self.jobs:
            lane = Lane(self.work)
            self.lanes.append(lane)
            lane.give(todo.popleft())


def run(shards: Iterable[object], work: Work, jobs: int) -> Generator[Event, None, None]:
    """Run shards, ``jobs`` at a time; yields events as they come, one end for each shard.

    Closing or interrupting the generator ends what is running.
    """
    with Pool(work, jobs) as pool, closing(pool.run(shards)) as events:
        yield from events
