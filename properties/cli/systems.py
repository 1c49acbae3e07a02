"""``radixproof systems``: list what can be checked here, and fetch, verify or remove releases."""

from __future__ import annotations

import argparse
from typing import Any

from radixproof.impl import registry
from radixproof.impl.system import Unavailable
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, UsageError
from radixproof.properties.cli.streams import complain

RELEASE = "sglang==VERSION"


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "systems",
        help="list what can be checked, or prepare more",
        description="List what can be checked here; or fetch, verify or remove releases of SGLang.",
    )
    parser.set_defaults(run=_list)
    kinds = parser.add_subparsers(metavar="[add | verify | remove]")
    adding = kinds.add_parser(
        "add", help="fetch a release, as in: radixproof systems add sglang==0.5.12.post1"
    )
    adding.add_argument("names", nargs="+", metavar=RELEASE)
    adding.add_argument(
        "--force", action="store_true", help="fetch it anew, even if it is there and not damaged"
    )
    adding.set_defaults(run=_add)
    verifying = kinds.add_parser("verify", help="compare fetched releases with what was released")
    verifying.add_argument("names", nargs="*", metavar=RELEASE, help="default: all of them")
    verifying.set_defaults(run=_verify)
    removing = kinds.add_parser("remove", help="remove releases that were fetched")
    removing.add_argument("names", nargs="+", metavar=RELEASE)
    removing.set_defaults(run=_remove)


def _list(options: argparse.Namespace) -> int:
    from radixproof.impl.sglang import store

    store.clean()
    rows = registry.locally()
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")
    if not registry.has_torch():
        print("Not here: radix and fault:NAME, until you pip install 'radixproof[radix]'")
    for version, wrong in store.damaged().items():
        print(f"Not here: sglang=={version}, which is damaged: {wrong}")
        print(f"  'radixproof systems add sglang=={version}' fetches it anew")
    print(f"\nMore: 'radixproof systems add {RELEASE}' fetches a release and prepares it;")
    print("MODULE:ATTRIBUTE is a radixproof.Target in a Python module of your own.")
    return CLEAN


def _add(options: argparse.Namespace) -> int:
    from radixproof.impl.sglang import store

    for version in _versions(options.names):
        registry.find(f"sglang=={version}")
        store.add(version, print, options.force)
    return CLEAN


def _verify(options: argparse.Namespace) -> int:
    from radixproof.impl.sglang import store

    store.clean()
    bad = 0
    for version in _versions(options.names) or [*store.prepared(), *store.damaged()]:
        try:
            store.verify(version)
        except Unavailable as error:
            complain(error)
            bad += 1
        else:
            print(f"sglang=={version}: every file is as it was released")
    return CANNOT_RUN if bad else CLEAN


def _remove(options: argparse.Namespace) -> int:
    from radixproof.impl.sglang import store

    for version in _versions(options.names):
        store.remove(version)
        print(f"sglang=={version}: removed")
    return CLEAN


def _versions(names: list[str]) -> list[str]:
    """The versions of releases by the names of their systems. Raises `UsageError` for
    another name.
    """
    from radixproof.impl.sglang import store

    for name in names:
        if not name.startswith("sglang==") or not store.is_version(name.removeprefix("sglang==")):
            raise UsageError(f"{name!r} is no release; write it as in sglang==0.5.12.post1")
    return [name.removeprefix("sglang==") for name in dict.fromkeys(names)]
