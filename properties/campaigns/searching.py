"""A whole search as the work of a process.

It sends plain data only: the text and files of a finding are made here, where the system is, so
that the parent need not import it.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from radixproof.impl import registry
from radixproof.impl.system import Target
from radixproof.properties.campaigns.shard import Shard
from radixproof.properties.guarding.starting import started
from radixproof.properties.histories import corpus
from radixproof.properties.histories.file_names import slug
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.reporting import regression_test
from radixproof.properties.reporting.report import report, summary
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import Ran, calm_collector, search

NEWS_EVERY = 0.1
"""Seconds between two reports of progress."""


@dataclass(frozen=True, slots=True)
class FindingReport:
    """A finding, ready to be shown and written: the files that it consists of, by name."""

    signature: str
    summary: str
    report: str
    files: dict[str, str]
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
    name, folder = slug(finding.signature), shard.folder
    origin = {
        "system": target.name,
        "seed": str(finding.seed),
        "driver": finding.driver,
        "signature": finding.signature,
    }
    history = replace(finding.history, origin=origin)
    test = f"test_{name.replace('-', '_')}.py"
    replay = ["radixproof", "replay", f"{folder}/{name}.json"]
    if registry.is_import(target.name):
        replay += ["--system", target.name]
    run_test = regression_test.command(target.name, f"{folder}/{test}")
    text = report(target, finding, shlex.join(replay), run_test)
    files = {
        f"{name}.json": to_json(history),
        f"{name}.txt": text,
        test: regression_test.test(target.name, history, finding.verdict.breach),
    }
    return FindingReport(
        finding.signature,
        summary(finding),
        text,
        files,
        seconds,
        finding.at_step,
        len(history.operations),
    )
