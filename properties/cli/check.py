"""``radixproof check``: search systems for bugs."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from radixproof.impl import registry
from radixproof.properties.cli import arguments
from radixproof.properties.cli.arguments import seconds, whole
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND
from radixproof.properties.search.budget import PROFILES, Budget


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "check",
        help="search systems for bugs",
        description="Search systems for bugs; findings are shrunk and written out.",
    )
    parser.add_argument(
        "systems",
        nargs="*",
        default=["radix"],
        metavar="SYSTEM",
        help="what to check (default: radix; see 'radixproof systems'), or MODULE:ATTRIBUTE",
    )
    parser.add_argument(
        "--profile",
        choices=PROFILES,
        default="dev",
        help="how long to search, in steps (default: dev)",
    )
    parser.add_argument(
        "--seed",
        type=whole,
        default=1,
        metavar="N",
        help="same seed, same histories, same verdicts (default: 1)",
    )
    parser.add_argument(
        "--seconds",
        type=seconds,
        metavar="N",
        help="stop each system after about N seconds, if the profile has not ended by then",
    )
    arguments.add_step_seconds(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("findings"),
        metavar="FOLDER",
        help="where findings are written (default: findings)",
    )
    parser.add_argument(
        "--cold",
        action="store_true",
        help="do not replay the corpus first: search with nothing stored",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.properties.campaigns.replaying import look_up
    from radixproof.properties.cli.console import check
    from radixproof.properties.histories import corpus

    names = list(dict.fromkeys(options.systems))
    for name in names:  # a wrong name must show before anything is run
        if registry.is_of_strangers(name):
            look_up(name, options.step_seconds)
        else:
            registry.find(name)
    budget: Budget = replace(PROFILES[options.profile], seconds=options.seconds)
    stored = None if options.cold else corpus.FOLDER
    result = check(names, options.seed, budget, options.out, stored, options.step_seconds)
    return FOUND if result.found else CANNOT_RUN if result.incomplete else CLEAN
