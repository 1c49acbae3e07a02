"""``radixproof matrix``: search many systems, and write one table of all."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radixproof.impl.system import Unavailable
from radixproof.properties.cli import arguments, searches
from radixproof.properties.cli.exit_codes import IN_WORDS, UsageError, of_check
from radixproof.properties.search.budget import PROFILES

if TYPE_CHECKING:
    from radixproof.properties.cli.progress import Output, SearchProgress
    from radixproof.properties.known.files import Known
    from radixproof.properties.matrix.folder import Folder
    from radixproof.properties.matrix.table import Row
    from radixproof.properties.results.result import SystemResult
    from radixproof.properties.workers.lane import Event

ABOUT = """\
Search all releases of SGLang that are driven, with every core, or the systems that are named; write
a table of systems by properties into a folder, as Markdown, JSON and a page of HTML, with a folder
for each finding. Nothing stored is replayed: what the table has, the search has found by itself."""


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "matrix",
        help="search all releases of SGLang; write a table",
        description=ABOUT,
        epilog=IN_WORDS,
    )
    parser.add_argument(
        "systems",
        nargs="*",
        metavar="SYSTEM",
        help="these instead (see 'radixproof systems'), or MODULE:ATTRIBUTE",
    )
    arguments.add_budget(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("matrix"),
        metavar="FOLDER",
        help="where everything is written (default: matrix)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the table in FOLDER, made with the same code: what is finished stays",
    )
    parser.add_argument(
        "--known",
        action="append",
        default=[],
        metavar="FILE",
        help="findings in this file do not count for the exit code; 'builtin' for our own list of"
        " those of SGLang, by which the table says what is known in any case",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    started, today = time.monotonic(), date.today()
    from radixproof.impl.sglang.releases import all_names
    from radixproof.properties.known.files import BUILTIN, Known
    from radixproof.properties.matrix.table import marked

    names = list(dict.fromkeys(options.systems or all_names()))
    for name in names:
        with suppress(Unavailable):  # its row will say it
            searches.look_up_all([name], options.step_seconds)
    passed_over = searches.known_in(options.known)
    folder = _folder(options, searches.known_in([BUILTIN, *options.known]), today)
    wanted = [name for name in names if name not in folder.finished]
    results = searches.outstanding_all(wanted, options, Known(), today, folder.findings)
    _fill(folder, names, results, options.jobs, searches.seconds_left(options, started))
    rows = folder.rows(names, results)
    _print_end(folder, rows)
    counting = marked(rows, passed_over, today)
    return of_check(any(row.new for row in counting), all(row.enough for row in rows))


def _folder(options: argparse.Namespace, known: Known, today: date) -> Folder:
    from radixproof import __version__
    from radixproof.properties.matrix.folder import TABLE, opened, table_in
    from radixproof.properties.matrix.table import Asked, TableError

    out, steps = options.out, PROFILES[options.profile].steps
    asked = Asked(__version__, options.profile, steps, options.seed, options.step_seconds)
    other = "choose another folder with --out"
    try:
        before = table_in(out)
        if before is not None and not options.resume:
            raise UsageError(f"{out / TABLE} is an earlier table: go on with --resume, or {other}")
        if before is not None and before.asked != asked:
            raise UsageError(
                f"{out / TABLE} was made with {before.asked}, not with {asked}: go on with the"
                f" same, or {other}"
            )
        return opened(out, asked, before, known, today)
    except TableError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise Unavailable(f"cannot write to {out} ({error.strerror}): {other}") from None


def _fill(
    folder: Folder,
    names: Sequence[str],
    results: Sequence[SystemResult],
    jobs: int,
    seconds: float | None,
) -> None:
    """Search what is not finished, and write the table whenever there is something new in it."""
    from radixproof.properties.cli.progress import Output, SearchProgress
    from radixproof.properties.reporting.wording import plural
    from radixproof.properties.results.result import Ending
    from radixproof.properties.workers.side_by_side import search_all

    console, by_shard = (
        Output(highlight=False, soft_wrap=True, emoji=False),
        {result.shard: result for result in results},
    )
    total, finished = len(names), len(names) - len(results)
    if finished:
        print(f"{finished} of {plural(total, 'system')} finished before, in {folder.path}")
    folder.write(folder.rows(names, results))
    try:
        with (
            SearchProgress(console, total, finished) as progress,
            closing(search_all(by_shard, jobs, seconds)) as events,
        ):
            for event in events:
                result = by_shard[event.job]
                result.take(event)
                if _show(event, result, folder, progress, console):
                    folder.write(folder.rows(names, results))
    except KeyboardInterrupt:
        running = [result for result in results if result.ending is Ending.RUNNING]
        for result in running:
            result.ending = Ending.INTERRUPTED
        folder.write(folder.rows(names, results))
        over = f"{total - len(running)} of {plural(total, 'system')}"
        print(f"interrupted: {over} finished, and kept in {folder.path}; go on with --resume")


def _show(
    event: Event, result: SystemResult, folder: Folder, progress: SearchProgress, console: Output
) -> bool:
    """What a person wants to know of an event; returns whether it changes the table.

    A finding is on the disk before it is printed.
    """
    from radixproof.properties.matrix.wording import in_a_line, verdict
    from radixproof.properties.reporting.finding_folder import UNWRITTEN, keep
    from radixproof.properties.search.progress import Progress
    from radixproof.properties.workers.lane import News
    from radixproof.properties.workers.searching import FindingReport

    match event:
        case News(_, Progress() as now):
            progress.show(result.system, result.shard.budget.steps, now)
            return False
        case News(_, FindingReport() as finding):
            row, written = folder.row(result), keep(finding.folder)
            console.print(in_a_line(row, row.findings[-1]), markup=False)
            if written.startswith(UNWRITTEN):
                console.print(written, markup=False)
        case _:
            progress.over(result.system)
            console.print(f"{result.system}: {verdict(folder.row(result))}", markup=False)
    return True


def _print_end(folder: Folder, rows: Sequence[Row]) -> None:
    """The last lines: every system in one, and where the table is."""
    from radixproof.properties.matrix.folder import PAGE, TABLE, TEXT
    from radixproof.properties.matrix.wording import verdict

    width = max(len(row.system) for row in rows)
    print()
    for row in rows:
        print(f"{row.system:<{width}}  {verdict(row)}")
    print(f"\nWritten to {folder.path}: {TEXT}, {TABLE}, {PAGE}")
