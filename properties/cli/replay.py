"""``radixproof replay``: run a history again, step by step, here or on all releases."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from radixproof.impl.operations import History
from radixproof.impl.system import Unavailable
from radixproof.properties.cli import arguments, history_file, traces
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, UsageError
from radixproof.properties.cli.streams import complain

if TYPE_CHECKING:
    from radixproof.properties.workers.lane import Failed
    from radixproof.properties.workers.replaying import Replayed

SKIP = 125
"""What `git bisect run` takes for: this commit cannot be tested."""
ENDINGS = f"""\
Exit codes: 0 nothing is wrong, 1 something is (with --all: on one of them), 2 usage (also a file
that cannot be read), 3 it could not be run, or not all of it. With --path the last is {SKIP}, as
'git bisect run' wants it for a commit that cannot be tested: the tree cannot be imported or lacks
something that is needed. Elsewhere it stays 3, for 'git bisect' is about source trees alone."""


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "replay",
        help="run a history file, or a trace, again",
        description="Run a history file and show what happens, step by step; or what a trace of a"
        " live cache tells, and show what is wrong.",
        epilog=ENDINGS,
    )
    history_file.add_arguments(parser)
    traces.add_known(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="run it on every prepared release and core of SGLang, and say where it fails",
    )
    arguments.add_jobs(parser, "with --all: releases at a time (default: 1)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    is_trace = history_file.is_trace(options.file)
    if options.all:
        if is_trace:
            raise UsageError("--all is for history files: shrink the trace first")
        return _on_all(options, history_file.read(options.file))
    try:
        if is_trace:
            return traces.replay(options)
        return _on_one(options, history_file.read(options.file))
    except Unavailable as error:
        if options.path is None:
            raise
        complain(error)
        return SKIP


def _on_one(options: argparse.Namespace, history: History) -> int:
    from radixproof.properties.cli.colours import show
    from radixproof.properties.cli.progress import ReplayProgress
    from radixproof.properties.workers.replaying import replay

    system = history_file.system(history, options.system, options.path)
    with ReplayProgress(len(history.operations)) as tell:
        replayed = replay(system, history, options.step_seconds, tell)
    show(replayed.text)
    if replayed.breach is not None:
        return FOUND
    if replayed.left_out:
        raise Unavailable(f"{system} cannot be put to all of this history: {replayed.left_out}")
    print(f"Clean: nothing is wrong with this history on {system}.")
    return CLEAN


def _on_all(options: argparse.Namespace, history: History) -> int:
    from radixproof.impl.sglang.releases import prepared_names
    from radixproof.properties.workers.replaying import replay_all

    if options.system is not None or options.path is not None:
        raise UsageError("--all is every prepared release of SGLang: leave out --system and --path")
    systems = prepared_names()
    if not systems:
        raise Unavailable(
            "no release of SGLang is prepared on this machine: 'radixproof systems add"
            " sglang==VERSION' prepares one"
        )
    width = max(map(len, systems))
    codes = []
    found = replay_all(systems, history, options.step_seconds, options.jobs)
    for system, went in _in_order(systems, found):
        code, text = _in_words(went)
        codes.append(code)
        print(f"{system:<{width}}  {text}", flush=True)
    fails, unknown = codes.count(FOUND), codes.count(CANNOT_RUN)
    could_not = f"; on {unknown} it could not be run" if unknown else ""
    print(f"\nIt fails on {fails} of {len(codes)} releases and cores{could_not}.")
    return FOUND if fails else CANNOT_RUN if unknown else CLEAN


def _in_order(
    systems: list[str], found: Iterator[tuple[str, Replayed | Failed]]
) -> Iterator[tuple[str, Replayed | Failed]]:
    """What comes in any order, in that of the systems."""
    came: dict[str, Replayed | Failed] = {}
    for system in systems:
        while system not in came:
            came.update([next(found)])
        yield system, came[system]


def _in_words(went: Replayed | Failed) -> tuple[int, str]:
    """How it went on a system: as an exit code, and in a line."""
    from radixproof.properties.workers.lane import Failed

    if isinstance(went, Failed):
        return CANNOT_RUN, f"could not be run: {went.reason}"
    if went.breach is not None:
        return FOUND, f"{went.breach.signature} at step {went.steps}"
    if went.left_out:
        return CANNOT_RUN, f"could not be run as a whole: {went.left_out}"
    return CLEAN, "clean"
