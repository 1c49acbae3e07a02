"""Searches of source trees, whose known findings are then compared with the release they are of.

Two versions of SGLang cannot share a process: each has a lane, which runs a history, and sends what
each step showed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from typing import Any

from radixproof.impl.operations import History
from radixproof.impl.scope import Scope
from radixproof.impl.system import Unavailable
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.trace import Shown
from radixproof.properties.search.comparing import OnlyHere, only_here
from radixproof.properties.search.course import Met
from radixproof.properties.search.finding import Against, Finding
from radixproof.properties.search.minimise import minimise
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import time_is_up
from radixproof.properties.search.units import Broken
from radixproof.properties.workers.guarded import guarded
from radixproof.properties.workers.lane import Done, Event, Failed, Lane, News
from radixproof.properties.workers.searching import (
    Examine,
    Examined,
    FindingReport,
    Job,
    Open,
    Opened,
    Trace,
)
from radixproof.properties.workers.shard import Shard
from radixproof.properties.workers.side_by_side import Searched, search_all


@dataclass(frozen=True, slots=True)
class Compared:
    """How far the comparison of a source tree with its release has come."""

    histories: int
    of: int
    why_not: str = ""
    """Why it went no further, if it could not."""

    @property
    def all(self) -> bool:
        return self.histories == self.of


def search_and_compare(
    shards: Sequence[Shard], jobs: int, seconds: float | None = None
) -> Generator[Event, None, None]:
    """Search the systems of all shards, as `search_all` does, and compare those that have a
    reference: `Compared` and a `FindingReport` of each known signature that only the system itself
    comes to are news before the end of its shard.
    """
    began = time.monotonic()
    ends = None if seconds is None else began + seconds
    with closing(search_all(shards, jobs, seconds)) as events:
        for event in events:
            match event:
                case Done(Shard() as shard, Searched(Progress() as progress, _, met)):
                    if shard.reference:
                        yield from _compared(shard, progress, met, began, ends)
            yield event


def _compared(
    shard: Shard, progress: Progress, met: Sequence[Met], began: float, ends: float | None
) -> Iterator[News]:
    """The comparison of the histories in which something known was met."""
    yield News(shard, Compared(0, len(met)))
    if not met:
        return
    left = None if ends is None else ends - time.monotonic()
    stop = time_is_up(left)
    number, known = 0, set(shard.compared)
    with closing(_Pair(shard)) as pair:
        try:
            if not pair.opened(left):
                return
            for number, one in enumerate(met):
                yield News(shard, Compared(number, len(met)))
                if stop():
                    return
                here, there = pair.shown(one.history)
                while (seen := only_here(here, there, known)) is not None:
                    known.remove(seen.signature)
                    shrinking = (seen.signature, len(one.history.operations))
                    yield News(shard, replace(progress, shrinking=shrinking))
                    report = pair.reported(pair.shortest(one, seen, stop))
                    yield News(shard, replace(report, seconds=time.monotonic() - began))
        except Unavailable as error:
            yield News(shard, Compared(number, len(met), str(error)))
        else:
            yield News(shard, Compared(len(met), len(met)))


class _Pair:
    """The system of a shard and its reference, each in a process of its own."""

    def __init__(self, shard: Shard) -> None:
        self.shards = (shard, replace(shard, system=shard.reference, corpus=""))
        self.lanes = (Lane(guarded), Lane(guarded))
        self._scope = Scope()

    def close(self) -> None:
        for lane in self.lanes:
            lane.end()

    def opened(self, seconds: float | None) -> bool:
        """Import both, which takes a while: whether that was done in time. Raises `Unavailable`."""
        ends = None if seconds is None else time.monotonic() + seconds
        for lane, shard in zip(self.lanes, self.shards, strict=True):
            lane.give(Open(shard))
        for lane in self.lanes:
            left = None if ends is None else max(0.0, ends - time.monotonic())
            if not wait([lane.pipe], left):
                return False
        opened, _ = map(_result, self.lanes)
        assert isinstance(opened, Opened)
        self._scope = opened.scope
        return True

    def shown(self, history: History) -> tuple[list[Shown], list[Shown]]:
        """What each step of a history shows in the system, and in its reference.

        Raises `Unavailable`.
        """
        for lane, shard in zip(self.lanes, self.shards, strict=True):
            lane.give(Trace(shard, history))
        here, there = map(_result, self.lanes)
        return here, there

    def shortest(self, met: Met, seen: OnlyHere, stop: Callable[[], bool]) -> Finding:
        """The finding in a history: a shortest one in which it is so. Raises `Unavailable`."""
        best = seen

        def fails(candidate: History) -> bool:
            nonlocal best
            if not fits(candidate, self._scope):
                return False
            found = only_here(*self.shown(candidate), [seen.signature])
            best = found or best
            return found is not None

        smallest = minimise(met.history, fails, stop=stop)
        shard, reference = self.shards
        found = Finding(smallest, best.verdict, shard.seed, met.driver, met.at_step, met.history)
        return replace(found, shrunk=not stop(), against=Against(reference.system, best.parting))

    def reported(self, found: Finding) -> FindingReport:
        """A finding in words, which are made where the system is. Raises `Unavailable`."""
        (shard, _), (lane, _) = self.shards, self.lanes
        broken, known = Broken(found.history, found.verdict.breach), frozenset(shard.known)
        job: Job = Examine(shard, broken, known, found.driver, found.at_step, None, found)
        lane.give(job)
        examined = _result(lane)
        assert isinstance(examined, Examined)
        assert examined.report is not None
        return examined.report


def _result(lane: Lane) -> Any:
    """What comes of the job of a lane. Raises `Unavailable`."""
    while isinstance(event := lane.event(), News):
        pass
    if isinstance(event, Failed):
        raise Unavailable(event.reason)
    return event.result
