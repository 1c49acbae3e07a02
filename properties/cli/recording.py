"""``radixproof recording``: let servers that know nothing of it be recorded."""

from __future__ import annotations

import argparse
from typing import Any

from radixproof.impl.recording.autoload import FOLDER, install, uninstall
from radixproof.properties.cli.exit_codes import CLEAN

DESCRIPTION = f"""\
Let Python look at its start whether it is to record: in this environment, every process with
{FOLDER}=FOLDER set then writes what it does with SGLang's cache into a folder there."""


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "recording",
        help="let unmodified servers be recorded",
        description=DESCRIPTION,
    )
    parser.add_argument(
        "action",
        choices=("install", "uninstall"),
        help="write the entry that Python loads at its start, or remove it",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.action == "uninstall":
        uninstall()
        print("Processes of this environment are not recorded any more.")
        return CLEAN
    entry = install()
    print(f"Written: {entry}")
    print("What records a server, here one of SGLang:")
    print(f"  {FOLDER}=FOLDER python -m sglang.launch_server ...")
    print("Its trace is what 'radixproof replay FOLDER' runs again.")
    return CLEAN
