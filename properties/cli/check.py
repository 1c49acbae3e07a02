"""``radixproof check``: search systems for bugs."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radixproof.impl import registry
from radixproof.properties.cli import arguments
from radixproof.properties.cli.arguments import jobs, seconds, whole
from radixproof.properties.cli.exit_codes import IN_WORDS, UsageError, of_check
from radixproof.properties.search.budget import PROFILES

if TYPE_CHECKING:
    from radixproof.properties.known.files import Known
    from radixproof.properties.results.result import SystemResult


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "check",
        help="search systems for bugs",
        description="Search systems for bugs; findings are shrunk and written out.",
        epilog=IN_WORDS,
    )
    parser.add_argument(
        "systems",
        nargs="*",
        metavar="SYSTEM",
        help="what to check (default: radix; see 'radixproof systems'), or MODULE:ATTRIBUTE",
    )
    arguments.add_path(parser)
    parser.add_argument(
        "--profile",
        choices=PROFILES,
        default="dev",
        help="how long to search, in steps (default: dev)",
    )
    parser.add_argument(
        "--seed",
        type=whole,
        default=1,
        metavar="N",
        help="same seed, same histories, same verdicts (default: 1)",
    )
    parser.add_argument(
        "--seconds",
        type=seconds,
        metavar="N",
        help="end after N seconds in all, start-up and shrinking included",
    )
    arguments.add_step_seconds(parser)
    parser.add_argument(
        "-j",
        "--jobs",
        type=jobs,
        default=1,
        metavar="N",
        help="processes at a time; the findings are the same (default: 1)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("findings"),
        metavar="FOLDER",
        help="where findings are written (default: findings)",
    )
    parser.add_argument(
        "--cold",
        action="store_true",
        help="do not replay the corpus first: search with nothing stored",
    )
    _add_known(parser.add_argument_group("known findings"))
    _add_files(parser.add_argument_group("for other programs"))
    parser.set_defaults(run=run)


def _add_known(group: Any) -> None:
    group.add_argument(
        "--known",
        action="append",
        default=[],
        metavar="FILE",
        help="pass over the findings in this file; 'builtin' for our own list of those of SGLang",
    )
    group.add_argument(
        "--accept",
        type=Path,
        metavar="FILE",
        help="pass over the findings in this file, if it is there, and add to it what is found",
    )


def _add_files(group: Any) -> None:
    group.add_argument("--junit", type=Path, metavar="FILE", help="write the result as JUnit XML")
    group.add_argument(
        "--json", type=Path, metavar="FILE", help="write the findings, a line of JSON for each"
    )


def run(options: argparse.Namespace) -> int:
    started, today = time.monotonic(), date.today()
    from radixproof.properties.campaigns.replaying import look_up
    from radixproof.properties.cli.ci_files import SUMMARY, CiFiles
    from radixproof.properties.cli.console import check
    from radixproof.properties.results.result import enough, found

    asked = options.systems or ["radix" if options.path is None else "sglang"]
    names = list(dict.fromkeys(arguments.in_tree(name, options.path) for name in asked))
    for name in names:  # a wrong name must show before anything is run
        if registry.is_of_strangers(name):
            look_up(name, options.step_seconds)
        else:
            registry.find(name)
    results = _asked(options, names, _known(options), today)
    summary = os.environ.get(SUMMARY)
    files = CiFiles(options.junit, options.json, Path(summary) if summary else None)
    left = None
    if options.seconds is not None:
        left = max(0.0, started + options.seconds - time.monotonic())
    check(results, options.out, options.jobs, left, files)
    if options.accept is not None:
        _accept(options.accept, results, today)
    return of_check(options.accept is None and found(results), enough(results))


def _asked(
    options: argparse.Namespace, names: Sequence[str], known: Known, today: date
) -> list[SystemResult]:
    """A result for each system, yet to be filled in."""
    from radixproof.properties.campaigns.shard import SEARCH, Shard
    from radixproof.properties.histories import corpus
    from radixproof.properties.results.result import outstanding

    results = []
    for name in names:
        stored = "" if options.cold else str(corpus.FOLDER)
        budget = PROFILES[options.profile]
        shard = Shard(
            name,
            SEARCH,
            options.seed,
            budget,
            stored,
            str(options.out),
            step_seconds=options.step_seconds,
        )
        results.append(outstanding(shard, options.profile, known, today))
    return results


def _known(options: argparse.Namespace) -> Known:
    from radixproof.properties.known.entry import KnownError
    from radixproof.properties.known.files import BUILTIN, load_all

    sources = [*options.known]
    if options.accept is not None:
        if str(options.accept) == BUILTIN:
            raise UsageError(f"--accept writes a file of your own, and {BUILTIN!r} is ours")
        sources += [str(options.accept)] if options.accept.exists() else []
    try:
        return load_all(dict.fromkeys(sources))
    except KnownError as error:
        raise UsageError(str(error)) from None


def _accept(file: Path, results: Sequence[SystemResult], today: date) -> None:
    from radixproof.properties.known.entry import KnownError
    from radixproof.properties.known.files import Accepted, accept

    found = [
        Accepted(one.system, finding.signature, finding.also)
        for one in results
        for finding in one.findings
    ]
    try:
        added = accept(file, found, today)
    except KnownError as error:
        raise UsageError(str(error)) from None
    print(f"Accepted: {added} new in {file}")
