"""What an exploration does in other processes: states are expanded, and what is wrong is put in
words. So that the process that explores need not import the system.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from radixproof.impl.system import Target
from radixproof.properties.exploring.expanding import (
    Broken,
    Expanded,
    Path,
    expand,
    history_of,
)
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.guarding.starting import started
from radixproof.properties.known.files import BUILTIN, load_known
from radixproof.properties.reporting.finding_folder import FindingFolder, folder_of
from radixproof.properties.reporting.report import summary
from radixproof.properties.running.run import Verdict
from radixproof.properties.search.finding import Finding, settle
from radixproof.properties.search.search import calm_collector
from radixproof.properties.search.trial import try_out


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do for an exploration; in words, it is that exploration."""

    system: str
    scope: SmallScope
    known: frozenset[str]

    def __str__(self) -> str:
        return f"{self.system}, scope {self.scope}"


@dataclass(frozen=True, slots=True)
class Chunk(Job):
    """Some states to expand."""

    paths: tuple[Path, ...]

    def __str__(self) -> str:
        first = "; ".join(map(str, history_of(self.scope, self.paths[0]).operations))
        states = f"{len(self.paths)} states from that on" if len(self.paths) > 1 else "the state"
        return f"{self.system}, scope {self.scope}, {states} behind: {first or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Wrong(Job):
    """A history that is wrong, to be put in words; ``at_step`` transitions were judged before."""

    broken: Broken
    at_step: int
    folder: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong, ready to be written and shown."""

    signature: str
    summary: str
    folder: FindingFolder


def work(job: Chunk | Wrong, _: object) -> list[Expanded] | Found:
    """What a process does."""
    target = _target(job.system)
    if isinstance(job, Wrong):
        return _found(target, job)
    return [expand(target, job.scope, path, job.known.__contains__) for path in job.paths]


@cache
def _target(system: str) -> Target:
    target = started(system)
    try_out(target)
    calm_collector()
    return target


def _found(target: Target, job: Wrong) -> Found:
    """Its history is a shortest one of its scope; one of more operations in fewer words may be
    plainer, and a configuration may be.
    """
    history, breach = job.broken
    found = settle(target, history, breach, job.known, lambda *_: None)
    if found is None:  # it follows from something known, and is as it was seen
        verdict = Verdict(breach, len(history.operations) - 1)
        found = Finding(history, verdict, None, "explorer", job.at_step, history)
    found = replace(found, seed=None, driver="explorer", at_step=job.at_step)
    known = load_known(BUILTIN).upstream(target.name, found.signature)
    folder = folder_of(target, found, job.folder, mark=job.scope.name, known=known)
    return Found(found.signature, summary(found), folder)
