"""Shards of a campaign, and other jobs of one kind, run in a few processes at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from multiprocessing.connection import wait

from radixproof.properties.campaigns.lane import Event, Lane, News, Work


def run(shards: Iterable[object], work: Work, jobs: int) -> Generator[Event, None, None]:
    """Run shards, ``jobs`` at a time; yields events as they come, one end for each shard.

    Closing or interrupting the generator ends what is running.
    """
    todo, lanes = deque(shards), list[Lane]()
    try:
        while todo or lanes:
            while todo and len(lanes) < jobs:
                lane = Lane(work)
                lanes.append(lane)
                lane.give(todo.popleft())
            ready = wait([lane.pipe for lane in lanes])
            for lane in [lane for lane in lanes if lane.pipe in ready]:
                event = lane.event()
                if not isinstance(event, News):
                    if todo and lane.process.is_alive():
                        lane.give(todo.popleft())
                    else:
                        lane.end()
                        lanes.remove(lane)
                yield event
    finally:
        for lane in lanes:
            lane.end()
