"""``radixproof systems``: list what can be checked here, and prepare releases."""

from __future__ import annotations

import argparse
from typing import Any

from radixproof.impl import registry
from radixproof.properties.cli.exit_codes import CLEAN, UsageError


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "systems",
        help="list what can be checked, or prepare more",
        description="List what can be checked here, or prepare a release.",
    )
    parser.set_defaults(run=_list)
    kinds = parser.add_subparsers(metavar="[add sglang==VERSION ...]")
    adding = kinds.add_parser(
        "add", help="prepare a release, as in: radixproof systems add sglang==0.5.12.post1"
    )
    adding.add_argument("names", nargs="+", metavar="sglang==VERSION")
    adding.set_defaults(run=_add)


def _list(options: argparse.Namespace) -> int:
    rows = registry.locally()
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")
    if not registry.has_torch():
        print("Not here: radix and fault:NAME, until you pip install 'radixproof[radix]'")
    print("\nMore: 'radixproof systems add sglang==VERSION' fetches a release and prepares it;")
    print("MODULE:ATTRIBUTE is a radixproof.Target in a Python module of your own.")
    return CLEAN


def _add(options: argparse.Namespace) -> int:
    from radixproof.impl.sglang import store

    for name in options.names:
        if not name.startswith("sglang=="):
            raise UsageError(f"{name!r} cannot be prepared; write it as in sglang==0.5.12.post1")
        registry.find(name)
        store.add(name.removeprefix("sglang=="), print)
    return CLEAN
