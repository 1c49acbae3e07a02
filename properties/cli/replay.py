"""``radixproof replay``: run a history again, step by step."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.properties.cli import history_file
from radixproof.properties.cli.exit_codes import CLEAN, FOUND

if TYPE_CHECKING:
    from radixproof.properties.reporting.narrate import Narrative


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "replay",
        help="run a history file again",
        description="Run a history file and show what happens, step by step.",
    )
    history_file.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.properties.reporting.report import render

    history = history_file.read(options.file)
    target = history_file.target(history, options.system)
    told = _narrated(target, history, history.origin.get("signature"))
    if told.breach is None and "signature" in history.origin:
        told = _narrated(target, history, None)
    print(render(target.name, history, told), end="")
    if told.breach is None:
        print(f"Clean: nothing is wrong with this history on {target.name}.")
        return CLEAN
    return FOUND


def _narrated(target: Target, history: History, signature: str | None) -> Narrative:
    from radixproof.properties.cli.progress import ReplayProgress
    from radixproof.properties.reporting.narrate import narrate

    with ReplayProgress(len(history.operations)) as show:
        return narrate(target, history, signature, show, trees_kept=2)
