"""A whole search as the work of a process.

It sends plain data only: the text and files of a finding are made here, where the system is, so
that the parent need not import it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from radixproof.impl import registry
from radixproof.impl.system import Target, close
from radixproof.properties.campaigns.shard import Shard
from radixproof.properties.generating.configs import plainest
from radixproof.properties.histories import corpus
from radixproof.properties.reporting.finding_folder import FindingFolder, folder_of
from radixproof.properties.reporting.report import summary
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import calm_collector, search

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


SearchNews: TypeAlias = Progress | FindingReport


def search_shard(shard: Shard, tell: Callable[[SearchNews], None]) -> Searched:
    """Search the system of a shard; report findings at once, and progress now and then."""
    target = registry.find(shard.system)
    _warm(target)
    started, told = time.monotonic(), 0.0

    def pass_on(news: Progress | Finding) -> None:
        nonlocal told
        now = time.monotonic()
        if isinstance(news, Finding):
            tell(_reported(target, news, shard, now - started))
        elif now - told > NEWS_EVERY:
            told = now
            tell(news)

    stored = [entry.history for entry in corpus.read(Path(shard.corpus))] if shard.corpus else []
    progress = search(target, shard.seed, shard.budget, pass_on, stored)
    return Searched(progress, time.monotonic() - started)


def _warm(target: Target) -> None:
    """Import what the system needs, before the clock of the search starts."""
    close(target.build(plainest(target.scope)))
    calm_collector()


def _reported(target: Target, finding: Finding, shard: Shard, seconds: float) -> FindingReport:
    return FindingReport(
        finding.signature,
        summary(finding),
        folder_of(target, finding, shard.folder),
        seconds,
        finding.at_step,
        len(finding.history.operations),
    )
