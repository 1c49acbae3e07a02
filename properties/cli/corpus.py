"""``radixproof corpus update``: a shortest history for every bug that lacks one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from radixproof.impl import registry
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, UsageError
from radixproof.properties.histories import corpus
from radixproof.properties.histories.history_json import HistoryError


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser("corpus", help="add missing shortest histories of known bugs")
    kinds = parser.add_subparsers(required=True, metavar="update")
    updating = kinds.add_parser(
        "update", description="Find a shortest history of every bug that has none in the corpus."
    )
    updating.add_argument(
        "systems",
        nargs="*",
        metavar="SYSTEM",
        help="of these systems only (default: all planted bugs)",
    )
    updating.add_argument("--all", action="store_true", help="replace existing histories as well")
    updating.add_argument(
        "--folder",
        type=Path,
        default=corpus.FOLDER,
        metavar="FOLDER",
        help="where the corpus is kept",
    )
    updating.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.properties.power.corpus_update import prune, update

    planted = (registry.named_after(name) for name in sorted(registry.planted_faults()))
    names = list(dict.fromkeys(options.systems or planted))
    for name in names:
        registry.find(name)  # a wrong name must show before anything is run
    missed = []
    try:
        if not options.systems:
            for entry in prune(options.folder):
                print(f"{entry}: removed, there is no such fault any more")
        for name in names:
            done = update(name, options.folder, options.all)
            print(f"{name}: {done.text}", flush=True)
            if done.missed:
                missed.append(name)
    except HistoryError as error:
        raise UsageError(str(error)) from None
    if missed:
        print(f"radixproof: no history was found for: {', '.join(missed)}", file=sys.stderr)
    return CANNOT_RUN if missed else CLEAN
