"""What a search needs done where its system is: units run, and findings settled and put in words.

A process that does this for one system is a lane of its search; `side_by_side` hands out the jobs.
Only plain data is sent: the text and files of a finding are made here, so that the parent need not
import the system.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

from radixproof.impl.operations import History
from radixproof.impl.scope import Scope
from radixproof.impl.system import Target
from radixproof.properties.guarding.child import Tell, in_child
from radixproof.properties.guarding.rehearsing import rehearse
from radixproof.properties.guarding.starting import started
from radixproof.properties.histories import corpus
from radixproof.properties.known.files import BUILTIN, load_known
from radixproof.properties.reporting.finding_folder import FindingFolder, folder_of
from radixproof.properties.reporting.report import summary
from radixproof.properties.running import journal
from radixproof.properties.running.passed_over import PassedOver
from radixproof.properties.running.trace import Shown, trace
from radixproof.properties.search.course import Settled
from radixproof.properties.search.finding import Finding, settle
from radixproof.properties.search.search import calm_collector, time_is_up
from radixproof.properties.search.trial import try_out
from radixproof.properties.search.units import Broken, Ran, Unit, Units
from radixproof.properties.workers.alarm import do_within
from radixproof.properties.workers.shard import Shard

NEWS_EVERY = 0.1
"""Seconds between two reports of progress."""


@dataclass(frozen=True, slots=True)
class FindingReport:
    """A finding, ready to be written and shown."""

    signature: str
    summary: str
    folder: FindingFolder
    seconds: float
    """Since the search began."""
    at_step: int
    operations: int
    shrunk: bool = True
    """Whether the history is a shortest one; False if time was up before."""
    also: str | None = None
    """The signature under which the search met it, if it is another."""


@dataclass(frozen=True, slots=True)
class Job:
    """Part of the search that a shard is; in words, it is that search."""

    shard: Shard

    def __str__(self) -> str:
        return str(self.shard)


@dataclass(frozen=True, slots=True)
class Open(Job):
    """Import the system of a shard, and read what is to be replayed on it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What has to be known of a system to plan its search."""

    scope: Scope
    stored: int
    """Histories that will be replayed."""


@dataclass(frozen=True, slots=True)
class Trace(Job):
    """Run a history with every step looked at. The result is a `Shown` for each."""

    history: History


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is known of a system that ends processes."""

    fatal: frozenset[str]
    """Signatures of how it does."""
    patience: float
    """Seconds that a step may take."""
    most: int
    """Times that it may do so, until the search is given up."""


@dataclass(frozen=True, slots=True)
class Explore(Job):
    """Run units in order, up to the first that breaks. The result is a `Ran` for each."""

    units: tuple[Unit, ...]
    known: frozenset[str]
    seconds: float | None
    """After that the rest of them is left out."""
    rehearsal: Rehearsal | None = None
    """With what care the units are run, of a system that is known to end processes."""


@dataclass(frozen=True, slots=True)
class Examine(Job):
    """Settle a history that a unit ended with; its news are how far it is shrunk."""

    broken: Broken
    known: frozenset[str]
    driver: str
    at_step: int
    seconds: float | None
    """After that the history is left as short as it is."""
    finding: Finding | None = None
    """What it is, if that is known already: then it is only put in words."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a broken history is; without a report, it shows nothing new."""

    report: FindingReport | None
    settled: Settled


Shrinking: TypeAlias = tuple[str, int]
"""The signature that is being shrunk, and how many operations it has now."""


def work(
    job: Job, tell: Callable[[Shrinking], None]
) -> Opened | list[Ran] | list[Shown] | Examined:
    """What a process does in a search. All of its jobs must be about one shard."""
    units = _units(job.shard)
    match job:
        case Explore():
            return _explored(units, job)
        case Examine():
            return _examined(units.target, job, tell)
        case Trace():
            return list(trace(units.target, job.history))
        case _:
            _try_out(units.target, job.shard.step_seconds)
            return Opened(units.target.scope, len(units.stored))


@cache
def _units(shard: Shard) -> Units:
    target = started(shard.system)  # its imports are done before the clock of the search starts
    calm_collector()
    stored = [entry.history for entry in corpus.read(Path(shard.corpus))] if shard.corpus else []
    return Units(target, shard.seed, shard.budget, stored, shard.compared)


def _try_out(target: Target, step_seconds: float) -> None:
    """Try an adapter out, in a child: if the system ends that, a search will find it, too."""

    def work(_: Tell) -> None:
        journal.current().looking()
        try_out(target)

    if not target.vetted:
        in_child(work, step_seconds=step_seconds)


def _explored(units: Units, job: Explore) -> list[Ran]:
    explored: list[Ran] = []

    def explore() -> None:
        for unit in job.units:
            if job.rehearsal is not None:
                fatal, patience, most = astuple(job.rehearsal)
                run = partial(units.run, unit, job.known)
                rehearse(job.shard.system, run, fatal, patience, most)
            explored.append(units.run(unit, job.known))
            if explored[-1].broken is not None:
                break

    alone = do_within(job.seconds, explore)
    if not alone and explored and explored[-1].broken is not None:
        del explored[-1]  # the end of time may be what broke it
    return explored


def _examined(target: Target, job: Examine, tell: Callable[[Shrinking], None]) -> Examined:
    known, history, breach = PassedOver(job.known), job.broken.history, job.broken.breach
    told = 0.0

    def shrinking(signature: str, operations: int) -> None:
        nonlocal told
        if time.monotonic() - told > NEWS_EVERY:
            told = time.monotonic()
            tell((signature, operations))

    stop = time_is_up(job.seconds)
    found = job.finding or settle(target, history, breach, known, shrinking, stop)
    if found is None:
        return Examined(None, Settled(None, known.met))
    found = replace(found, seed=job.shard.seed, driver=job.driver, at_step=job.at_step)
    report = reported(target, found, job.shard, 0.0)
    if breach.signature != found.signature:
        report = replace(report, also=breach.signature)
    return Examined(report, Settled(found.signature, known.met))


def reported(target: Target, finding: Finding, shard: Shard, seconds: float) -> FindingReport:
    """A finding of the search that a shard is, so many seconds after it began."""
    upstream = load_known(BUILTIN).upstream(target.name, finding.signature)
    known = upstream if finding.against is None else ""
    return FindingReport(
        finding.signature,
        summary(finding),
        folder_of(target, finding, shard.folder, known=known, step_seconds=shard.step_seconds),
        seconds,
        finding.at_step,
        len(finding.history.operations),
        finding.shrunk,
    )
