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
from radixproof.impl.system import Unavailable
from radixproof.properties.cli import arguments, output_file, searches
from radixproof.properties.cli.exit_codes import IN_WORDS, UsageError, of_check
from radixproof.properties.cli.streams import complain

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
    arguments.add_budget(parser)
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
    parser.add_argument(
        "--html",
        action="store_true",
        help="open the page of what is found in a browser; of several findings, a list of them",
    )
    _add_known(parser.add_argument_group("known findings"))
    _add_files(parser.add_argument_group("for other programs"))
    parser.set_defaults(run=run)


def _add_known(group: Any) -> None:
    arguments.add_known(group)
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


def _show(results: Sequence[SystemResult], out: Path) -> None:
    """Open the page of the finding in a browser; of several, a list of them."""
    from radixproof.properties.cli.list_of_findings import write

    page = write(results, out)
    if page is None:
        print("There is no page to open: nothing was found.")
    else:
        print(f"Opening {page}")
        output_file.show(page)


def run(options: argparse.Namespace) -> int:
    started, today = time.monotonic(), date.today()
    from radixproof.properties.cli.ci_files import SUMMARY, CiFiles
    from radixproof.properties.cli.console import check
    from radixproof.properties.histories import corpus
    from radixproof.properties.results.result import enough, found

    asked = options.systems or ["radix" if options.path is None else "sglang"]
    names = list(dict.fromkeys(arguments.in_tree(name, options.path) for name in asked))
    for file in filter(None, (options.accept, options.junit, options.json)):
        if not file.parent.is_dir():
            raise Unavailable(f"cannot write {file}: there is no folder {file.parent}")
    searches.look_up_all(names, options.step_seconds)
    stored = None if options.cold else corpus.FOLDER
    known = _known(options)
    _tell_how_known(known, names)
    results = searches.outstanding_all(names, options, known, today, options.out, stored)
    summary = os.environ.get(SUMMARY)
    files = CiFiles(options.junit, options.json, Path(summary) if summary else None)
    check(results, options.out, options.jobs, searches.seconds_left(options, started), files)
    accepted = options.accept is not None and _accepted(options.accept, results, today)
    if options.html:
        try:
            _show(results, options.out)
        except Unavailable as error:
            complain(error)
    return of_check(not accepted and found(results), enough(results) and not files.unwritten)


def _tell_how_known(known: Known, names: Sequence[str]) -> None:
    """What is known of some releases does not count where it is not known which one this is, and
    is not compared with the release where that is not here.
    """
    for name in names:
        reference = registry.reference_of(name)
        if reference is not None and known.entries and not registry.is_prepared(reference):
            release = reference.partition("+")[0]
            complain(
                f"nothing that is known is compared with {reference}, which is not prepared here:"
                f" 'radixproof systems add {release}' fetches it"
            )
        if undecided := known.undecided(name):
            complain(
                f"{name} does not say which release it is (a checkout of SGLang says so in"
                f" sglang/_version.py): {undecided:,} known findings of some releases do not count"
            )


def _known(options: argparse.Namespace) -> Known:
    from radixproof.properties.known.entry import KnownError
    from radixproof.properties.known.files import BUILTIN, look_whether_it_accepts

    sources = [*options.known]
    if options.accept is not None:
        if str(options.accept) == BUILTIN:
            raise UsageError(f"--accept writes a file of your own, and {BUILTIN!r} is ours")
        sources += [str(options.accept)] if options.accept.exists() else []
    known = searches.known_in(sources)
    if options.accept is not None:
        try:
            look_whether_it_accepts(options.accept)
        except KnownError as error:
            raise UsageError(str(error)) from None
    return known


def _accepted(file: Path, results: Sequence[SystemResult], today: date) -> bool:
    """Whether what was found has been added to the file."""
    from radixproof.properties.known.entry import KnownError
    from radixproof.properties.known.files import Accepted, accept

    found = [
        Accepted(one.system, finding.signature, finding.also)
        for one in results
        for finding in one.findings
    ]
    try:
        added = accept(file, found, today)
    except (KnownError, OSError) as error:
        why = f"{error.strerror}: {file}" if isinstance(error, OSError) else error
        complain(f"what was found is not accepted: {why}")
        return False
    print(f"Accepted: {added} new in {file}")
    return True
