"""``radixproof shrink``: find a shortest history that fails in the same way."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from radixproof.impl.operations import History
from radixproof.properties.cli import history_file, output_file, traces
from radixproof.properties.cli.exit_codes import CLEAN, FOUND
from radixproof.properties.histories.history_json import to_json


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "shrink",
        help="shorten a history file, or a trace, that fails",
        description="Find a shortest history that fails in the same way; of a trace, like the first"
        " that is wrong with it.",
    )
    history_file.add_arguments(parser)
    traces.add_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write the result (default: print it)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if history_file.is_trace(options.file):
        what = "new is wrong with what this trace tells"
        system, history, smallest = traces.shrunk(options)
    else:
        what = "is wrong with this history"
        system, history, smallest = _shrunk(options)
    if smallest is None:
        print(f"Clean: nothing {what} on {system}; there is nothing to shrink.")
        return CLEAN
    if options.out is None:
        print(to_json(smallest), end="")
        return FOUND
    output_file.write(options.out, to_json(smallest))
    before, after = len(history.operations), len(smallest.operations)
    print(f"{before} operations shrunk to {after}, written to {options.out}")
    return FOUND


def _shrunk(options: argparse.Namespace) -> tuple[str, History, History | None]:
    from radixproof.properties.workers.replaying import shrunk

    history = history_file.read(options.file)
    system = history_file.system(history, options.system, options.path)
    return system, history, shrunk(system, history, options.step_seconds, _progress)


def _progress(signature: str, left: int) -> None:
    print(f"shrinking {signature}: {left} operations", file=sys.stderr)
