"""A history file on the command line, and the system that it is run on."""

from __future__ import annotations

import argparse
from pathlib import Path

from radixproof.impl import registry
from radixproof.impl.operations import History
from radixproof.properties.cli import arguments
from radixproof.properties.cli.exit_codes import UsageError
from radixproof.properties.histories.history_json import HistoryError
from radixproof.properties.histories.reading import history_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the .json of a finding, or a trace: a .jsonl, or a folder of them",
    )
    parser.add_argument(
        "--system",
        metavar="SYSTEM",
        help="what to run it on (default: the system it was found in, else radix)",
    )
    arguments.add_path(parser)
    arguments.add_step_seconds(parser)


def is_trace(file: Path) -> bool:
    """Whether it is not a history, but a trace."""
    return file.is_dir() or file.suffix == ".jsonl"


def read(file: Path) -> History:
    """The history in a file. Raises `UsageError` with the file's name and what is wrong."""
    try:
        return history_in(file)
    except HistoryError as error:
        raise UsageError(str(error)) from None


def system(history: History, name: str | None, path: Path | None = None) -> str:
    """The system called ``name``, or else the one the history was found in.

    With ``path`` it is the source tree there. A file must not decide what code is imported: a
    system in somebody's module, or folder, has to be named.
    """
    if path is not None:
        return arguments.in_tree(name or "sglang", path)
    found_in = history.origin.get("system", "radix")
    if name is None and registry.must_be_named(found_in):
        raise UsageError(
            f"this history was found in {found_in}, which is imported only if you name it:"
            f" --system {found_in}"
        )
    return name or found_in
