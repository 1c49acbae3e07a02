"""A whole check as a test sees it: run, and put in words."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from datetime import date

from radixproof.impl import registry
from radixproof.impl.system import Target, Unavailable
from radixproof.properties.histories import corpus
from radixproof.properties.known.entry import KnownError
from radixproof.properties.known.files import load_all
from radixproof.properties.reporting.finding_folder import keep
from radixproof.properties.results.conclusion import conclusion
from radixproof.properties.results.result import Ending, SystemResult, outstanding
from radixproof.properties.search.budget import PROFILES
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search
from radixproof.properties.testing.asked import Asked
from radixproof.properties.workers.comparing import search_and_compare
from radixproof.properties.workers.searching import reported
from radixproof.properties.workers.shard import SEARCH, Shard


class CannotCheck(Exception):
    """A check could not be run: what was wrong, and what to do."""


def result_of(system: Target | str, asked: Asked) -> SystemResult:
    """Check a system. One with a name has a process of its own, as on the command line; a target
    made by the test is searched in this one.

    Raises `CannotCheck`.
    """
    name = system if isinstance(system, str) else system.name
    try:
        registry.find(name) if isinstance(system, str) else None
        known = load_all(dict.fromkeys(asked.known))
        budget = PROFILES[asked.profile]
    except KeyError:
        raise CannotCheck(
            f"no profile is called {asked.profile!r} (there are: {', '.join(PROFILES)})"
        ) from None
    except (KnownError, registry.UnknownSystem, Unavailable) as error:
        raise CannotCheck(str(error)) from None
    shard = Shard(name, SEARCH, asked.seed, budget, str(corpus.FOLDER), str(asked.out))
    result = outstanding(shard, asked.profile, known, date.today())
    if isinstance(system, str):
        with closing(search_and_compare([result.shard], 1, asked.seconds)) as events:
            for event in events:
                result.take(event)
    else:
        _search(system, result, asked.seconds)
    if result.ending is Ending.FAILED:
        raise CannotCheck(result.reason)
    return result


def _search(target: Target, result: SystemResult, seconds: float | None) -> None:
    """Search a target in this process."""
    shard, started = result.shard, time.monotonic()

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            result.findings.append(reported(target, news, shard, time.monotonic() - started))

    stored = [entry.history for entry in corpus.read(corpus.FOLDER)]
    budget = replace(shard.budget, seconds=seconds)
    try:
        progress = search(target, shard.seed, budget, tell, stored, frozenset(shard.known))
    except Unavailable as error:
        raise CannotCheck(str(error)) from None
    result.end(progress, time.monotonic() - started)


def explained(result: SystemResult) -> str:
    """Why a check fails: the report of each finding, each written by then, and what was lacking;
    nothing if it does not.
    """
    if not result.findings and result.enough:
        return ""
    reports = [f"{one.folder.report}{keep(one.folder)}" for one in result.findings]
    return "\n".join([*reports, *conclusion(result)])


def properties_of(result: SystemResult) -> list[tuple[str, object]]:
    """Facts for other programs, as properties of a test."""
    facts: list[tuple[str, object]] = [
        ("radixproof.system", result.system),
        ("radixproof.profile", result.profile),
        ("radixproof.seed", result.shard.seed),
    ]
    for one in result.findings:
        facts += [
            ("radixproof.signature", one.signature),
            ("radixproof.replay", one.folder.replay),
        ]
    return facts
