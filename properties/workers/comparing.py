"""Searches of source trees, whose known findings are then compared with the release they are of.

Two versions of SGLang cannot share a process: each has a lane, which runs what it is given in a
child, and sends what each step showed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache

from radixproof.impl import registry
from radixproof.impl.operations import History
from radixproof.impl.system import Unavailable
from radixproof.properties.guarding.child import Child, Died, Tell
from radixproof.properties.guarding.deaths import death
from radixproof.properties.guarding.starting import started
from radixproof.properties.running.journal import Death
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.run import Verdict
from radixproof.properties.running.trace import Shown, trace
from radixproof.properties.search.comparing import only_here, parting
from radixproof.properties.search.course import Met
from radixproof.properties.search.finding import Against, Finding
from radixproof.properties.search.minimise import minimise
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import time_is_up
from radixproof.properties.search.units import Broken
from radixproof.properties.workers.guarded import guarded
from radixproof.properties.workers.lane import Done, Event, Failed, Lane, News
from radixproof.properties.workers.replaying import apart
from radixproof.properties.workers.searching import Examine, Examined, FindingReport
from radixproof.properties.workers.shard import Shard
from radixproof.properties.workers.side_by_side import Searched, search_all

MOST_DEATHS = 200
"""Processes of one lane that may die, before the comparison is given up."""


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


@dataclass(frozen=True, slots=True)
class Tracing:
    """A history to be run on a system. The result is a `Shown` for each step."""

    system: str
    history: History
    step_seconds: float

    def __str__(self) -> str:
        return self.system


def search_and_compare(
    shards: Sequence[Shard], jobs: int, seconds: float | None = None
) -> Generator[Event, None, None]:
    """Search the systems of all shards, as `search_all` does, and compare those that have a
    reference: `Compared` and a `FindingReport` of each known signature that only the system itself
    comes to are news before the end of its shard.
    """
    stop = time_is_up(seconds)
    began = time.monotonic()
    with closing(search_all(shards, jobs, seconds)) as events:
        for event in events:
            match event:
                case Done(Shard() as shard, Searched(Progress() as progress, _, met)):
                    if shard.reference:
                        for news in _compared(shard, progress, met, stop):
                            yield _timed(news, time.monotonic() - began)
            yield event


def _timed(event: News, seconds: float) -> News:
    """A finding with the seconds since the searches began."""
    if isinstance(event.news, FindingReport):
        return replace(event, news=replace(event.news, seconds=seconds))
    return event


def _compared(
    shard: Shard, progress: Progress, met: Sequence[Met], stop: Callable[[], bool]
) -> Iterator[News]:
    """The comparison of the histories in which something known was met."""
    number, known = 0, set(shard.compared)
    with closing(_Pair(shard)) as pair:
        try:
            for number, one in enumerate(met):
                yield News(shard, Compared(number, len(met)))
                if stop():
                    return
                here, there = pair.shown(one.history)
                while (seen := only_here(here, there, known)) is not None:
                    known.remove(seen.breach.signature)
                    shrinking = (seen.breach.signature, len(one.history.operations))
                    yield News(shard, replace(progress, shrinking=shrinking))
                    yield News(shard, _report(shard, pair.shortest(one, seen, stop)))
        except Unavailable as error:
            yield News(shard, Compared(number, len(met), str(error)))
        else:
            yield News(shard, Compared(len(met), len(met)))


def _report(shard: Shard, finding: Finding) -> FindingReport:
    """A finding in words, which are made where the system is."""
    broken = Broken(finding.history, finding.verdict.breach)
    known, at_step = frozenset(shard.known), finding.at_step
    job = Examine(shard, broken, known, finding.driver, at_step, None, finding)
    examined = apart(job, guarded)
    assert isinstance(examined, Examined)
    assert examined.report is not None
    return examined.report


class _Pair:
    """The system of a shard and its reference, each in a process of its own."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self._scope = registry.find(shard.system).scope
        self._lanes = [(name, Lane(traced)) for name in (shard.system, shard.reference)]

    def close(self) -> None:
        for _, lane in self._lanes:
            lane.end()

    def shown(self, history: History) -> tuple[list[Shown], list[Shown]]:
        """What each step of a history shows in the system, and in its reference.

        Raises `Unavailable`.
        """
        for name, lane in self._lanes:
            lane.give(Tracing(name, history, self.shard.step_seconds))
        here, there = (_steps(lane) for _, lane in self._lanes)
        return here, there

    def shortest(self, met: Met, seen: Verdict, stop: Callable[[], bool]) -> Finding:
        """The finding in a history: a shortest one in which it is so. Raises `Unavailable`."""
        signature = seen.breach.signature

        def fails(candidate: History) -> bool:
            if not fits(candidate, self._scope):
                return False
            return only_here(*self.shown(candidate), [signature]) is not None

        smallest = minimise(met.history, fails, stop=stop)
        here, there = self.shown(smallest)
        verdict = only_here(here, there, [signature]) or seen
        against = Against(self.shard.reference, parting(here, there))
        found = Finding(smallest, verdict, self.shard.seed, met.driver, met.at_step, met.history)
        return replace(found, shrunk=not stop(), against=against)


def _steps(lane: Lane) -> list[Shown]:
    event = lane.event()
    if isinstance(event, Failed):
        raise Unavailable(event.reason)
    assert isinstance(event, Done)
    shown: list[Shown] = event.result
    return shown


# -- the work of a lane, and of its children -------------------------------------------------------


def traced(job: Tracing, _: Tell) -> list[Shown]:
    """What each step of a history shows. All jobs of a process must be about one system."""
    return _tracer(job.system).do(job)


@cache
def _tracer(system: str) -> _Tracer:
    return _Tracer(system)


class _Tracer:
    """What is known of a system, which outlives the processes that run it."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.deaths: list[Death] = []
        self._child: Child[list[Shown]] | None = None

    def do(self, job: Tracing) -> list[Shown]:
        """Do a job, in as many children as that takes. Raises `Unavailable`."""
        while len(self.deaths) < MOST_DEATHS:
            if self._child is None or not self._child.alive:
                self._child = Child(_traced, self.deaths)
            ending = self._child.do(job, lambda _: None, job.step_seconds)
            if not isinstance(ending, Died):
                return ending.value
            self.deaths.append(death(self.system, ending))
        raise Unavailable(f"{self.system} has ended {MOST_DEATHS} processes that compared it")


def _traced(job: Tracing, _: Tell) -> list[Shown]:
    return list(trace(_started(job.system), job.history))


_started = cache(started)
