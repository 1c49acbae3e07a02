"""``radixproof replay``: run a history again, step by step."""

from __future__ import annotations

import argparse
from typing import Any

from radixproof.properties.cli import history_file
from radixproof.properties.cli.exit_codes import CLEAN, FOUND


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
    from radixproof.properties.campaigns.replaying import replay
    from radixproof.properties.cli.progress import ReplayProgress

    history = history_file.read(options.file)
    system = history_file.system(history, options.system, options.path)
    with ReplayProgress(len(history.operations)) as show:
        replayed = replay(system, history, options.step_seconds, show)
    print(replayed.text, end="")
    if replayed.breach is None:
        print(f"Clean: nothing is wrong with this history on {system}.")
        return CLEAN
    return FOUND
