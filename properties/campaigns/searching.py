"""A whole search as the work of a process.

It sends plain data only: the text and files of a finding are made here, where the system is, so
that the parent need not import it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from radixproof.impl.system import Target
from radixproof.properties.campaigns.shard import Shard
from radixproof.properties.guarding.starting import started
from radixproof.properties.histories import corpus
from radixproof.properties.reporting.finding_folder import FindingFolder, folder_of
from radixproof.properties.reporting.report import summary
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import Ran, calm_collector, search

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


@dataclass(frozen=True, slots=True)
class Searched:
    """A finished search."""

    progress: Progress
    seconds: float
    cut_short: str = ""
    """Why it ended before its budget did, if it did: a sentence."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a search that was begun in a process that died."""

    progress: Progress | None = None
    """As it was last told: the search goes on from there."""
    settled: Mapping[str, Finding] = field(default_factory=dict)
    """Findings in the deaths of processes, by the signatures of the breaches that they are in."""
    seconds: float = 0.0
    """Since it began."""
    rehearse: Callable[[Iterator[Ran]], Iterator[Ran]] = iter
    """What is done with the histories before they are run."""


NOT_BEGUN = Begun()
SearchNews: TypeAlias = Progress | FindingReport


def search_shard(
    shard: Shard, tell: Callable[[SearchNews], None], begun: Begun = NOT_BEGUN
) -> Searched:
    """Search the system of a shard; report findings at once, and progress now and then."""
    target = started(shard.system)  # its imports are done before the clock of the search starts
    calm_collector()
    began, told = time.monotonic() - begun.seconds, 0.0

    def pass_on(news: Progress | Finding) -> None:
        nonlocal told
        now = time.monotonic()
        if isinstance(news, Finding):
            tell(_reported(target, news, shard, now - began))
            told = 0.0  # so that a search which goes on in another process does so behind this
        elif now - told > NEWS_EVERY:
            told = now
            tell(news)

    stored = [entry.history for entry in corpus.read(Path(shard.corpus))] if shard.corpus else []
    progress = search(
        target,
        shard.seed,
        shard.budget,
        pass_on,
        stored,
        begun=begun.progress,
        settled=begun.settled,
        rehearse=begun.rehearse,
    )
    return Searched(progress, time.monotonic() - began)


def _reported(target: Target, finding: Finding, shard: Shard, seconds: float) -> FindingReport:
    return FindingReport(
        finding.signature,
        summary(finding),
        folder_of(target, finding, shard.folder),
        seconds,
        finding.at_step,
        len(finding.history.operations),
    )
