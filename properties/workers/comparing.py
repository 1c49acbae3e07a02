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
from typing import Any, TypeAlias

from radixproof.impl.operations import History
from radixproof.impl.scope import Scope
from radixproof.impl.system import Unavailable
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.trace import Shown
from radixproof.properties.search.comparing import OnlyHere, likewise, only_here
from radixproof.properties.search.course import Met
from radixproof.properties.search.finding import Against, Finding
from radixproof.properties.search.minimise import minimise
from radixproof.properties.search.neighbours import neighbours
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

FEW = 3
"""How many histories are shrunk in which a known finding came after the two had parted."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How far the comparison of a source tree with its release has come."""

    histories: int
    of: int
    why_not: str = ""
    """Why it went no further, if it could not."""
    likewise: tuple[str, ...] = ()
    """Known findings that only the source tree came to, after it had differed from the release,
    which does the same where it is brought to the same state.
    """

    @property
    def all(self) -> bool:
        return self.histories == self.of


Told: TypeAlias = Progress | Compared | FindingReport


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
    comparison = _Comparison(shard, progress, met)
    yield News(shard, comparison.come_so_far)
    if not met:
        return
    left = None if ends is None else ends - time.monotonic()
    with closing(_Pair(shard)) as pair:
        try:
            if not pair.opened(left):
                return
            for news in comparison.run(pair, time_is_up(left)):
                if isinstance(news, FindingReport):
                    news = replace(news, seconds=time.monotonic() - began)
                yield News(shard, news)
        except Unavailable as error:
            yield News(shard, replace(comparison.come_so_far, why_not=str(error)))


class _Comparison:
    """What becomes of the histories of a search in which something known was met."""

    def __init__(self, shard: Shard, progress: Progress, met: Sequence[Met]) -> None:
        self._progress, self._met = progress, met
        self._known = set(shard.compared)
        """Of which nothing has been told yet."""
        self._done = 0
        self._unclear: dict[str, list[tuple[int, OnlyHere]]] = {}
        """By signature: what came after the two had parted, and in which of the histories."""
        self._likewise: list[str] = []

    @property
    def come_so_far(self) -> Compared:
        unclear = {number for ones in self._unclear.values() for number, _ in ones}
        return Compared(self._done - len(unclear), len(self._met), likewise=tuple(self._likewise))

    def run(self, pair: _Pair, stop: Callable[[], bool]) -> Iterator[Told]:
        """Compare all of them, and tell of each known signature that is new. Raises
        `Unavailable`.
        """
        for number, one in enumerate(self._met):
            if stop():
                return
            for seen in only_here(*pair.shown(one.history), self._known):
                if seen.at_once:
                    yield from self._told(pair, one, seen, stop)
                else:
                    self._unclear.setdefault(seen.signature, []).append((number, seen))
            self._done += 1
            yield self.come_so_far
        for signature in sorted(self._unclear):
            if stop():
                return
            if signature in self._known:
                yield from self._settled(pair, signature, stop)
            del self._unclear[signature]
            yield self.come_so_far

    def _settled(self, pair: _Pair, signature: str, stop: Callable[[], bool]) -> Iterator[Told]:
        """What came after the two had parted is new unless, where it comes soonest after that, the
        other does the same from the same state.
        """

        def soonest(unclear: tuple[int, OnlyHere]) -> int:
            return unclear[1].verdict.step - unclear[1].parting

        for number, seen in sorted(self._unclear[signature], key=soonest)[:FEW]:
            yield from self._told(pair, self._met[number], seen, stop)
            if signature not in self._known:
                return
        self._likewise.append(signature)

    def _told(
        self, pair: _Pair, one: Met, seen: OnlyHere, stop: Callable[[], bool]
    ) -> Iterator[Told]:
        """The report of a finding, shrunk, if it is one."""
        shrinking = (seen.signature, len(one.history.operations))
        yield replace(self._progress, shrinking=shrinking)
        smallest, seen = pair.shortest(one.history, seen, stop)
        shrunk = not stop()
        if seen.at_once or not shrunk or not pair.does_likewise(smallest, seen):
            self._known.remove(seen.signature)
            yield pair.reported(one, smallest, seen, shrunk)


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

    def shortest(
        self, history: History, seen: OnlyHere, stop: Callable[[], bool]
    ) -> tuple[History, OnlyHere]:
        """A shortest history in which it is so, and what is seen in that. Raises `Unavailable`."""
        best = seen

        def fails(candidate: History) -> bool:
            nonlocal best
            if not fits(candidate, self._scope):
                return False
            found = next(only_here(*self.shown(candidate), [seen.signature]), None)
            if found is None or (seen.at_once and not found.at_once):
                return False
            best = found
            return True

        return minimise(history, fails, stop=stop), best

    def does_likewise(self, history: History, seen: OnlyHere) -> bool:
        """Whether the reference comes to the state before the breach another way, and does the
        same from there. Raises `Unavailable`.
        """
        history = replace(history, operations=history.operations[: seen.verdict.step + 1])
        here, _ = self.shown(history)
        (_, reference), (_, lane) = self.shards, self.lanes
        for neighbour in neighbours(history, seen.parting):
            if fits(neighbour, self._scope):
                lane.give(Trace(reference, neighbour))
                there = _result(lane)
                if len(there) == len(neighbour.operations) and likewise(here, there):
                    return True
        return False

    def reported(self, met: Met, history: History, seen: OnlyHere, shrunk: bool) -> FindingReport:
        """The finding in words, which are made where the system is. Raises `Unavailable`."""
        (shard, reference), (lane, _) = self.shards, self.lanes
        against = Against(reference.system, seen.parting, seen.there)
        driver, at_step = met.driver, met.at_step
        found = Finding(
            history, seen.verdict, shard.seed, driver, at_step, met.history, shrunk, against
        )
        broken, known = Broken(history, seen.verdict.breach), frozenset(shard.known)
        job: Job = Examine(shard, broken, known, driver, at_step, None, found)
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
