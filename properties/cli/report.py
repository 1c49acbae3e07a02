"""``radixproof report``: a history as a page, with the tree after every step."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from radixproof.impl.system import Unavailable
from radixproof.properties.cli import history_file, output_file, traces
from radixproof.properties.cli.exit_codes import CLEAN, FOUND


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "report",
        help="write a history file, or a trace, as a page of HTML",
        description="Run a history file and write a page of HTML that shows what happens: every"
        " step, the tree after it, and what the rules wanted instead. Of a trace, that is the"
        " shortest history that goes wrong in the same way. The page needs no network.",
    )
    history_file.add_arguments(parser)
    traces.add_arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PAGE",
        help="where to write it (default: beside FILE, with the ending .html)",
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.properties.cli.progress import ReplayProgress
    from radixproof.properties.workers.replaying import drawn

    if history_file.is_trace(options.file):
        system, _, history = traces.shrunk(options)
    else:
        history = history_file.read(options.file)
        system = history_file.system(history, options.system, options.path)
    if history is None:
        print(f"Clean: nothing new is wrong with what this trace tells on {system}; no page.")
        return CLEAN
    out = options.out or options.file.with_suffix(".html")
    with ReplayProgress(len(history.operations)) as show:
        made = drawn(system, history, options.step_seconds, _again(options), show)
    if made.breach is None and made.left_out:
        raise Unavailable(f"{system} cannot be put to all of this history: {made.left_out}")
    output_file.write(out, made.page)
    wrong = "nothing is wrong" if made.breach is None else made.breach.signature
    print(f"{system}: {wrong}. Written to {out}")
    if options.open:
        output_file.show(out)
    return CLEAN if made.breach is None else FOUND


def _again(options: argparse.Namespace) -> str:
    """The command that runs the same in a terminal."""
    words = ["radixproof", "replay", options.file.name]
    words += ["--system", options.system] if options.system is not None else []
    words += ["--path", str(options.path)] if options.path is not None else []
    return shlex.join(words)
