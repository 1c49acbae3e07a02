"""A whole search as the work of a process.

It sends plain data only: the text and files of a finding are made here, where the system is, so
that the parent need not import it.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from radixproof.impl import registry
from radixproof.impl.system import Target, close
from radixproof.properties.campaigns.shard import Shard
from radixproof.properties.generating.configs import plainest
from radixproof.properties.histories import corpus
from radixproof.properties.histories.file_names import slug
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.reporting import regression_test
from radixproof.properties.reporting.report import report, summary
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import calm_collector, search

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
    try:
        tests = {test: regression_test.test(target.name, history, finding.verdict.breach)}
        run_test = regression_test.command(target.name, f"{folder}/{test}")
    except regression_test.NoStandaloneTest as reason:
        tests, run_test = {}, f"none that stands alone: {reason}"
    text = report(target, finding, shlex.join(replay), run_test)
    files = {f"{name}.json": to_json(history), f"{name}.txt": text, **tests}
    return FindingReport(
        finding.signature,
        summary(finding),
        text,
        files,
        seconds,
        finding.at_step,
        len(history.operations),
    )
