"""Traces on the command line: what one tells, and how it goes on a system."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from radixproof.impl.operations import History
from radixproof.impl.system import Unavailable
from radixproof.properties.cli import arguments, history_file, searches
from radixproof.properties.cli.exit_codes import CLEAN, FOUND, UsageError
from radixproof.properties.cli.streams import complain

if TYPE_CHECKING:
    from radixproof.properties.traces.following import Followed
    from radixproof.properties.traces.rebuilding import Rebuilt


def add_known(parser: argparse.ArgumentParser) -> None:
    arguments.add_known(parser, "of a trace: ")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of commands that reduce a trace."""
    add_known(parser)
    parser.add_argument(
        "--signature",
        metavar="SIGNATURE",
        help="of a trace: what it is to go wrong with (default: the first that is not known)",
    )


def rebuilt(path: Path) -> Rebuilt:
    """The history that a trace tells. Raises `UsageError`."""
    from radixproof.properties.traces.rebuilding import rebuild
    from radixproof.properties.traces.trace_file import TraceError, lines

    try:
        return rebuild(lines(path))
    except TraceError as error:
        raise UsageError(str(error)) from None


def replay(options: argparse.Namespace) -> int:
    """Follow a trace, and say how it went; returns the exit code."""
    told = rebuilt(options.file)
    system = history_file.system(told.history, options.system, options.path)
    _introduce(told, system, print)
    went = _followed(told, system, options)
    _conclude(went, len(told.history.operations))
    if went.found:
        print(f"The few operations that do it: radixproof shrink {options.file}")
        return FOUND
    _check_enough(went, system)
    print(f"Clean: nothing new is wrong with what this trace tells on {system}.")
    return CLEAN


def shrunk(options: argparse.Namespace) -> tuple[str, History, History | None]:
    """The system, the history of a trace, and a shortest one that goes wrong in the same way; None
    if nothing is wrong with it that is not known. Raises `UsageError` or `Unavailable`.
    """
    from radixproof.properties.workers.tracing import reduced

    told = rebuilt(options.file)
    system = history_file.system(told.history, options.system, options.path)
    _introduce(told, system, complain)
    went = _followed(told, system, options)
    if not went.found:
        _check_enough(went, system)
        return system, told.history, None
    signature = options.signature or next(iter(went.found))
    if signature not in went.found:
        raise UsageError(f"{signature} is not found in this trace; {', '.join(went.found)} is")
    _, number, since = went.found[signature]
    complain(f"{signature} at operation {number:,}")

    def progress(left: int) -> None:
        complain(f"shrinking {signature}: {left:,} operations")

    operations = told.history.operations[since:number]
    cut = History(told.history.config, operations, told.history.origin)
    return system, told.history, reduced(system, cut, signature, options.step_seconds, progress)


def _check_enough(went: Followed, system: str) -> None:
    """What was not put to a system must not be called clean. Raises `Unavailable`."""
    if went.declined:
        raise Unavailable(f"{system} cannot be put to all of this trace: {went.declined}")
    if not went.steps:
        raise Unavailable("the trace has no operation that could be rebuilt")


def _followed(told: Rebuilt, system: str, options: argparse.Namespace) -> Followed:
    from radixproof.properties.cli.progress import ReplayProgress
    from radixproof.properties.workers.tracing import followed

    known = frozenset(searches.known_in(options.known).for_system(system, date.today()))
    with ReplayProgress(len(told.history.operations)) as tell:
        return followed(system, told, known, options.step_seconds, tell)


def _introduce(told: Rebuilt, system: str, say: Callable[[str], None]) -> None:
    recorded = told.history.origin["system"]
    count = len(told.history.operations)
    say(f"A trace of {recorded}: {told.calls:,} calls, which make {count:,} operations.")
    _list("Not rebuilt", told.left_out, say)
    if told.raised:
        say(f"In the server, {told.raised}.")
    say(f"Replayed on {system} with {told.history.config}:")


def _conclude(went: Followed, operations: int) -> None:
    _list("Skipped", went.skipped, print)
    if went.compared:
        apart = went.first_apart
        how = f"from operation {apart:,} on not always" if apart else "all of them"
        print(
            f"Of {went.compared:,} outcomes that the trace tells, {went.as_told:,} came out so here"
            f" ({how})."
        )
    print(f"{went.steps:,} of {operations:,} operations judged.")
    for signature, count in went.begun_anew.items():
        times = f"Begun anew with an empty cache, {_times(count)}"
        print(f"{times}: after {signature} nothing is judged")
    for signature, known in went.known.items():
        print(f"known: {signature}, first at operation {known.number:,}")
    for signature, found in went.found.items():
        print(f"FOUND {signature}, first at operation {found.number:,}: {found.breach.text}")


def _list(what: str, reasons: Counter[str], say: Callable[[str], None]) -> None:
    for reason, count in sorted(reasons.items()):
        say(f"{what}, {_times(count)}: {reason}")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
