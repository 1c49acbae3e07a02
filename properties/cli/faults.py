"""``radixproof faults``: the bugs that can be planted in our own implementation."""

from __future__ import annotations

import argparse
from typing import Any

from radixproof.properties.cli.exit_codes import CLEAN


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "faults",
        help="list the planted bugs",
        description="List the planted bugs, a line or two each.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.impl import registry
    from radixproof.properties.reporting.wording import plural

    faults = registry.planted_faults()
    for _, fault in sorted(faults.items()):
        print(fault.name)
        print(f"    {fault.sentence}")
        print(f"    {fault.record}; expected: {fault.sees.label}")
    print(f"\n{plural(len(faults), 'planted fault')}. To check one: radixproof check fault:NAME")
    return CLEAN
