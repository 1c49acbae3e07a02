"""Searches in several processes at a time: of several systems, and of one system by several lanes.

The findings are those of one process. Each search follows its `Course`, which takes units in order
and does not depend on who ran them, or when. Lanes run the next units, and units ahead of their
turn; what came of a unit ahead of its turn is used if it would come of it now, and is otherwise
run again. While a finding is shrunk by one lane, which decides what the units after it may pass
over, the others go on as if it were confirmed.

When time is up, what runs ahead is stopped at once. What is broken by then is settled, as far as
it can be without shrinking, and reported.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import wait

from radixproof.properties.search.course import Ahead, Course, Met
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.units import CORPUS, MACHINE, SOAK, Broken, Unit
from radixproof.properties.workers.guarded import guarded
from radixproof.properties.workers.lane import Done, Event, Failed, Lane, News
from radixproof.properties.workers.searching import (
    Examine,
    Examined,
    Explore,
    Job,
    Open,
    Opened,
)
from radixproof.properties.workers.shard import Shard

AT_A_STRETCH = {CORPUS: 16, MACHINE: 1, SOAK: 8}
"""Units in one job, by driver: a moment's work each."""
FARTHEST = 1_000
"""Units to look ahead for work."""
PATIENCE = 0.5
"""Seconds, after time is up, for lanes to hand in what they have run."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A search that is over, whatever ended it. Without progress it has not begun."""

    progress: Progress | None
    seconds: float
    met: tuple[Met, ...] = ()
    """What is to be compared with another system."""


def search_all(
    shards: Iterable[Shard], jobs: int, seconds: float | None = None
) -> Generator[Event, None, None]:
    """Search the systems of all shards, with ``jobs`` processes at a time.

    Yields, as they come, `Progress` and `FindingReport` as news of a shard, and one end for each.
    After so many ``seconds`` the rest is given up. Closing or interrupting the generator ends what
    is running.
    """
    searches = [_Search(shard) for shard in shards]
    ends = None if seconds is None else time.monotonic() + seconds
    try:
        while any(not search.over for search in searches):
            left = None if ends is None else ends - time.monotonic()
            if left is not None and left <= 0:
                yield from _given_up(searches)
                return
            _staff(searches, jobs)
            for search in searches:
                search.hand_out(left)
            for search, lane in _answering(searches, left):
                yield from search.take(lane, lane.event())
    finally:
        for search in searches:
            search.end_lanes()


def _staff(searches: Sequence[_Search], jobs: int) -> None:
    """Start lanes: one for each system, in order; if there are more, more for each."""
    free = jobs - sum(len(search.lanes) for search in searches)
    for _ in range(free):
        fewest = min(
            (search for search in searches if not search.over), key=lambda one: len(one.lanes)
        )
        fewest.open_lane()


def _answering(
    searches: Sequence[_Search], seconds: float | None
) -> Iterator[tuple[_Search, Lane]]:
    """The lanes that have something to tell, once there are any."""
    lanes = [(search, lane) for search in searches for lane in search.lanes if lane.job is not None]
    ready = wait([lane.pipe for _, lane in lanes], seconds)
    for search, lane in lanes:
        if lane.pipe in ready and lane in search.lanes:
            yield search, lane


def _given_up(searches: Sequence[_Search]) -> Iterator[Event]:
    """Time is up: take what is done by now, and report what is broken by now."""
    running = [search for search in searches if not search.over]
    patience = time.monotonic() + PATIENCE
    for search in running:
        search.give_up()
    while True:
        for search in running:
            search.hand_out(0.0)
        left = patience - time.monotonic()
        if left < 0:
            for search in running:
                search.end_lanes(Explore)
        if all(lane.job is None for search in running for lane in search.lanes):
            break
        for search, lane in _answering(running, max(left, 0.0) or None):
            yield from search.take(lane, lane.event())
    for search in running:
        if not search.over:
            yield search.end()


class _Search:
    """The search of one system: its course, its lanes, and what they have run ahead."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.lanes: list[Lane] = []
        self.course: Course | None = None
        self.over = False
        self.given_up = False
        self._ahead: dict[Unit, Ahead] = {}
        self._settling: Broken | None = None
        self._driver = ""
        """Of the unit that ended with what is being settled."""
        self._in_turn = True
        """Whether it was that unit's turn."""
        self._handed_out = False
        """Whether a lane is at work on that."""
        self._opened = 0.0

    # -- lanes -------------------------------------------------------------------------------------

    def open_lane(self) -> None:
        lane = Lane(guarded)
        lane.give(Open(self.shard))
        self.lanes.append(lane)

    def end_lanes(self, kind: type[Job] | None = None) -> None:
        """End all lanes, or those whose job is of one kind."""
        for lane in [lane for lane in self.lanes if kind is None or isinstance(lane.job, kind)]:
            lane.end()
            self.lanes.remove(lane)

    def hand_out(self, seconds: float | None) -> None:
        """Give every lane that has nothing to do something, with so many seconds left."""
        for lane in self.lanes:
            job = self._next_job(seconds) if lane.job is None else None
            if job is not None:
                lane.give(job)

    def _next_job(self, seconds: float | None) -> Job | None:
        if self.course is None:
            return None
        if self._settling is None and self.given_up:
            self._settling = self._salvaged(self.course)
        if self._settling is not None and not self._handed_out:
            self._handed_out = True
            known, at_step = self.course.known, self.course.at_step
            return Examine(self.shard, self._settling, known, self._driver, at_step, seconds)
        return None if self.given_up else self._exploration(self.course, seconds)

    def _exploration(self, course: Course, seconds: float | None) -> Explore | None:
        """The first units to come that nobody has run, or runs."""
        jobs = [lane.job for lane in self.lanes if isinstance(lane.job, Explore)]
        taken = {*self._ahead, *(unit for job in jobs for unit in job.units)}
        units: list[Unit] = []
        for unit in islice(course.ahead(), FARTHEST):
            full = units and len(units) == AT_A_STRETCH[unit.driver]
            if units and (full or unit in taken or unit.driver != units[0].driver):
                break
            if unit not in taken:
                units.append(unit)
        known = course.known
        if self._settling is not None:
            known |= {self._settling.breach.signature}
        return Explore(self.shard, tuple(units), known, seconds) if units else None

    def _salvaged(self, course: Course) -> Broken | None:
        """The first of the units run ahead that is broken, now that no others will follow."""
        for unit in islice(course.ahead(), FARTHEST):
            ahead = self._ahead.pop(unit, None)
            if ahead is not None and ahead.ran.broken and course.takes(ahead):
                self._driver, self._in_turn = unit.driver, False
                return ahead.ran.broken
        return None

    # -- what they tell ----------------------------------------------------------------------------

    def take(self, lane: Lane, event: Event) -> Iterator[Event]:
        """What an event of a lane comes to."""
        match event:
            case Failed(_, reason):
                self._close()
                yield Failed(self.shard, reason)
            case News(_, shrinking):
                assert self.course is not None
                yield News(self.shard, replace(self.course.progress, shrinking=shrinking))
            case Done(_, Opened(scope, stored)) if self.course is None:
                self._opened = time.monotonic()
                shard = self.shard
                self.course = Course(scope, shard.budget, stored, shard.known)
            case Done(Explore(units=units, known=known), ran):
                self._ahead |= {
                    unit: Ahead(one, known) for unit, one in zip(units, ran, strict=False)
                }
                yield from self._advance()
            case Done(_, Examined() as examined):
                yield from self._settled(examined)
                yield from self._advance()

    def _settled(self, examined: Examined) -> Iterator[Event]:
        assert self.course is not None
        assert self._settling is not None
        if self._in_turn:
            self.course.settled(examined.settled)
        elif examined.settled.signature is not None:
            self.course.learn(examined.settled.signature, self._settling)
        self._settling, self._handed_out = None, False
        if examined.report is not None:
            yield News(self.shard, replace(examined.report, seconds=self._seconds))

    def _advance(self) -> Iterator[Event]:
        """Follow the course as far as units have been run, or until something must be settled."""
        course = self.course
        assert course is not None
        while course.unit is not None and self._settling is None:
            unit, ahead = course.unit, self._ahead.pop(course.unit, None)
            if ahead is None or not course.takes(ahead):
                break
            self._driver = unit.driver
            self._settling = course.add(ahead.ran)
        yield News(self.shard, course.progress)
        if course.unit is None and self._settling is None:
            yield self.end()

    # -- the end -----------------------------------------------------------------------------------

    def end(self) -> Event:
        self._close()
        if self.course is None:
            return Done(self.shard, Searched(None, self._seconds))
        searched = Searched(self.course.progress, self._seconds, tuple(self.course.met))
        return Done(self.shard, searched)

    def give_up(self) -> None:
        """From now on, only settle what is broken."""
        self.given_up = True
        self.end_lanes(Open)

    def _close(self) -> None:
        self.over = True
        self.end_lanes()

    @property
    def _seconds(self) -> float:
        """Since the search began."""
        return time.monotonic() - self._opened if self._opened else 0.0
