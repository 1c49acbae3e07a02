"""``radixproof explore``: judge every history of a small scope."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radixproof.impl.system import Unavailable
from radixproof.properties.cli import arguments, searches
from radixproof.properties.cli.exit_codes import (
    CANNOT_RUN,
    CLEAN,
    FOUND,
    IN_WORDS,
    UsageError,
    of_check,
)
from radixproof.properties.cli.records import earlier
from radixproof.properties.cli.streams import complain
from radixproof.properties.reporting.wording import plural
from radixproof.properties.search.budget import STEP_SECONDS

if TYPE_CHECKING:
    from radixproof.properties.exploring.explorer import Explored
    from radixproof.properties.exploring.small_scope import SmallScope
    from radixproof.properties.workers.pool import Pool

FINDINGS = "findings"
ALL = "all"


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "explore",
        help="judge every history of a small scope",
        description="Judge every history of up to N operations of a small scope, up to states that"
        " are alike. What is wrong is shown by a shortest history.",
        epilog=IN_WORDS,
    )
    parser.add_argument("system", nargs="?", metavar="SYSTEM", help="as with 'radixproof check'")
    parser.add_argument(
        "--scope",
        default="",
        metavar="NAME|FILE",
        help="one of --scopes, 'all' of them, those that are 'quick', or a history file: its"
        " operations are those that all histories are made of (default: swa)",
    )
    parser.add_argument("--scopes", action="store_true", help="list the scopes that are here")
    parser.add_argument(
        "--depth",
        type=arguments.at_least_one,
        metavar="N",
        help="operations of the longest histories (default: that of the scope)",
    )
    parser.add_argument(
        "--seconds", type=arguments.seconds, metavar="N", help="end after N seconds"
    )
    arguments.add_path(parser)
    arguments.add_known(parser)
    arguments.add_campaign(
        parser,
        "exploration",
        "processes at a time; what is found is the same",
        "go on with the exploration in FOLDER, of the same system with the same code",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.properties.exploring.scopes import DEFAULT, QUICK, SCOPES, SLOW
    from radixproof.properties.exploring.working import work
    from radixproof.properties.reporting.report import describe
    from radixproof.properties.workers.pool import Pool

    if options.scopes:
        for one in SCOPES.values():
            print(f"{one.name}: depth {one.depth}, {len(one.operations)} operations")
            print(f"  {describe(one.config)}")
        return CLEAN
    if options.system is None:
        raise UsageError("explore needs a SYSTEM, such as radix, or --scopes")
    started = time.monotonic()
    system = arguments.in_tree(options.system, options.path)
    searches.look_up_all([system], STEP_SECONDS)
    named = options.scope or DEFAULT
    scopes = [_scope(named)] if named not in (ALL, QUICK) else list(SCOPES.values())
    if named == QUICK:
        scopes = [scope for scope in scopes if scope.name not in SLOW]
    codes = []
    with Pool(work, options.jobs) as pool:
        for scope in scopes:
            try:
                codes.append(_told(system, _followed(system, scope, options, pool, started)))
            except Unavailable as error:
                complain(f"{system}, scope {scope}: {error}")
                codes.append(CANNOT_RUN)
                if isinstance(error, _Interrupted):
                    break
    return of_check(FOUND in codes, CANNOT_RUN not in codes)


def _scope(named: str) -> SmallScope:
    """The scope of this name, or in this file. Raises `UsageError`."""
    from radixproof.properties.exploring.scopes import SCOPES
    from radixproof.properties.exploring.small_scope import from_file
    from radixproof.properties.histories.history_json import HistoryError
    from radixproof.properties.histories.reading import UnreadableFile

    if named in SCOPES:
        return SCOPES[named]
    if not Path(named).exists():
        raise UsageError(
            f"there is no scope {named!r}, and no such file (scopes: {', '.join(SCOPES)})"
        )
    try:
        return from_file(Path(named))
    except (HistoryError, UnreadableFile) as error:
        raise UsageError(f"{named}: {error}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _followed(
    system: str, scope: SmallScope, options: argparse.Namespace, pool: Pool, started: float
) -> Explored:
    """Explore, keep the record, and show how far it is. Raises `Unavailable` if it ends early."""
    from radixproof.properties.cli.progress import ExplorationProgress
    from radixproof.properties.exploring import record
    from radixproof.properties.exploring.explorer import Explored, TooManyStates, explore

    depth, folder = options.depth or scope.depth, str(options.out / FINDINGS)
    known = frozenset(searches.known_in(options.known).for_system(system, date.today()))
    file = record.file_of(options.out, system, scope, known)
    before = earlier(record.read, file, options.resume)
    options.out.mkdir(parents=True, exist_ok=True)
    explored = Explored(scope, 0)
    with (
        file.open("a") as stream,
        closing(explore(system, scope, depth, pool, known, before, folder)) as steps,
        ExplorationProgress(f"{system}, scope {scope}") as show,
    ):
        try:
            for one in steps:
                if isinstance(one, Explored):
                    explored = one
                    continue
                stream.write(record.line(one))
                stream.flush()
                show.expanded(len(one.path) + 1, len(one.moves))
                if searches.seconds_left(options, started) == 0:
                    raise _TimeIsUp("time is up")
        except (TooManyStates, _TimeIsUp, KeyboardInterrupt) as error:
            hint = "" if isinstance(error, TooManyStates) else "; go on with --resume"
            ended = _Interrupted if isinstance(error, KeyboardInterrupt) else Unavailable
            raise ended(
                f"{str(error) or 'interrupted'}: all histories of up to"
                f" {plural(explored.depth, 'operation')} are judged, and nothing is wrong"
                f" ({_count(explored)} so far){hint}"
            ) from None
    return explored


class _Interrupted(Unavailable):
    """Somebody wants an exploration to end, and those that would come after it."""


class _TimeIsUp(Exception):
    """An exploration has taken as long as it may."""


def _count(explored: Explored) -> str:
    return f"{plural(explored.states, 'state')}, {plural(explored.transitions, 'transition')}"


def _told(system: str, explored: Explored) -> int:
    """Say what an exploration has come to; returns the exit code."""
    from radixproof.properties.reporting.finding_folder import keep

    what = f"{system}, scope {explored.scope}"
    up_to = f"of up to {plural(explored.depth, 'operation')}"
    if explored.found is not None:
        print(explored.found.folder.report)
        print(keep(explored.found.folder))
        print(f"{what}: {explored.found.summary}")
        print(f"  found after {_count(explored)}; no history {up_to} is wrong")
        return FOUND
    length = "" if explored.exhausted else f" {up_to}"
    every = f"all histories{length} out of {len(explored.scope.operations)} are judged"
    print(f"{what}: {every} ({_count(explored)}): nothing is wrong")
    for text in _details(explored):
        print(f"  {text}")
    return CLEAN


def _details(explored: Explored) -> Iterator[str]:
    """What was met, and what was not."""
    yield f"{plural(len(explored.milestones), 'milestone')} reached"
    for signature, count in sorted(explored.cut_off.items()):
        yield f"{signature} is known, and nothing is judged behind it: {count:,} histories"
    if explored.otherwise:
        yield f"the model by itself would make {explored.otherwise:,} transitions otherwise"
    if explored.never:
        yield f"never possible: {', '.join(explored.never)}"
