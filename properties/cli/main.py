"""The command line: check, replay, shrink, systems; and, from `cli_power`, faults, corpus, power.

Exit codes: 0 clean, 1 something was found, 2 usage (also a file that cannot be read), 3 could not run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from radixproof import __version__
from radixproof.impl import registry
from radixproof.impl.operations import History
from radixproof.impl.system import Target, Unavailable
from radixproof.properties.cli import power
from radixproof.properties.cli.console import check
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE, UsageError, whole
from radixproof.properties.histories import corpus
from radixproof.properties.histories.history_json import HistoryError, from_json, to_json
from radixproof.properties.reporting.narrate import narrate
from radixproof.properties.reporting.report import render
from radixproof.properties.running.run import run_history
from radixproof.properties.search.minimise import minimise
from radixproof.properties.search.search import PROFILES, Budget


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
        return int(options.run(options))
    except (UsageError, HistoryError, registry.UnknownSystem) as error:
        print(f"radixproof: {error}", file=sys.stderr)
        return USAGE
    except Unavailable as error:
        print(f"radixproof: {error}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("radixproof: interrupted", file=sys.stderr)
        return CANNOT_RUN
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # The reader of our output (head, less) has gone; let the interpreter close stdout quietly.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        else:
            print(
                f"radixproof: {error.strerror or error}: {error.filename or 'the output'}",
                file=sys.stderr,
            )
        return CANNOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="radixproof",
        description="Check radix-tree KV caches against an executable model.",
        epilog="Exit codes: 0 clean, 1 something was found, 2 usage, 3 could not run.",
    )
    parser.add_argument("--version", action="version", version=f"radixproof {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_check(commands)
    _add_replay_and_shrink(commands)
    _add_systems(commands)
    power.add(commands)
    return parser


def _add_check(commands: Any) -> None:
    checking = commands.add_parser(
        "check",
        help="search systems for bugs",
        description="Search systems for bugs; findings are shrunk and written out.",
    )
    checking.add_argument(
        "systems",
        nargs="*",
        default=["radix"],
        metavar="SYSTEM",
        help="what to check (default: radix; see 'radixproof systems')",
    )
    checking.add_argument(
        "--profile",
        choices=PROFILES,
        default="dev",
        help="how long to search, in steps (default: dev)",
    )
    checking.add_argument(
        "--seed",
        type=whole,
        default=1,
        metavar="N",
        help="same seed, same histories, same verdicts (default: 1)",
    )
    checking.add_argument(
        "--seconds",
        type=_positive,
        metavar="N",
        help="stop each system after about N seconds, if the profile has not ended before",
    )
    checking.add_argument(
        "--out",
        type=Path,
        default=Path("findings"),
        metavar="FOLDER",
        help="where findings are written (default: findings)",
    )
    checking.add_argument(
        "--cold",
        action="store_true",
        help="do not replay the corpus first: search with nothing stored",
    )
    checking.set_defaults(run=_check)


def _add_replay_and_shrink(commands: Any) -> None:
    replaying = commands.add_parser(
        "replay",
        help="run a history file again",
        description="Run a history file and show what happens, step by step.",
    )
    replaying.add_argument("file", type=Path, metavar="FILE")
    replaying.add_argument(
        "--system",
        metavar="SYSTEM",
        help="what to run it on (default: the system it was found in, else radix)",
    )
    replaying.set_defaults(run=_replay)

    shrinking = commands.add_parser(
        "shrink",
        help="shorten a history file that fails",
        description="Find a shortest history that fails in the same way.",
    )
    shrinking.add_argument("file", type=Path, metavar="FILE")
    shrinking.add_argument(
        "--system",
        metavar="SYSTEM",
        help="what to run it on (default: the system it was found in, else radix)",
    )
    shrinking.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write the result (default: print it)"
    )
    shrinking.set_defaults(run=_shrink)


def _add_systems(commands: Any) -> None:
    systems = commands.add_parser(
        "systems",
        help="list what can be checked, or prepare more",
        description="List what can be checked here, or prepare a release.",
    )
    systems.set_defaults(run=_systems)
    kinds = systems.add_subparsers(metavar="[add sglang==VERSION ...]")
    adding = kinds.add_parser(
        "add", help="prepare a release, as in: radixproof systems add sglang==0.5.12.post1"
    )
    adding.add_argument("names", nargs="+", metavar="sglang==VERSION")
    adding.set_defaults(run=_add)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return value


def _check(options: argparse.Namespace) -> int:
    names = list(dict.fromkeys(options.systems))
    for name in names:
        registry.find(name)  # a wrong name ends it before anything is run
    budget: Budget = replace(PROFILES[options.profile], seconds=options.seconds)
    result = check(
        names, options.seed, budget, options.out, None if options.cold else corpus.FOLDER
    )
    return FOUND if result.found else CANNOT_RUN if result.incomplete else CLEAN


def _replay(options: argparse.Namespace) -> int:
    history = _read(options.file)
    target = _target(history, options.system)
    told = narrate(target, history, history.origin.get("signature"))
    if told.breach is None:
        told = narrate(target, history, None)
    print(render(target.name, history, told), end="")
    if told.breach is None:
        print(f"Clean: nothing is wrong with this history on {target.name}.")
        return CLEAN
    return FOUND


def _shrink(options: argparse.Namespace) -> int:
    history = _read(options.file)
    target = _target(history, options.system)
    named = history.origin.get("signature")
    verdict = run_history(target, history, lambda other: other != named) if named else None
    verdict = verdict or run_history(target, history)
    if verdict is None:
        print(
            f"Clean: nothing is wrong with this history on {target.name}, so there is nothing to shrink."
        )
        return CLEAN
    signature = verdict.breach.signature

    def fails(candidate: History) -> bool:
        return run_history(target, candidate, lambda other: other != signature) is not None

    def progress(left: int) -> None:
        print(f"shrinking {signature}: {left} operations", file=sys.stderr)

    origin = {**history.origin, "system": target.name, "signature": signature}
    smallest = replace(minimise(history, fails, progress), origin=origin)
    if options.out is None:
        print(to_json(smallest), end="")
    else:
        try:
            options.out.write_text(to_json(smallest))
        except OSError as error:
            raise Unavailable(f"cannot write {options.out}: {error.strerror}") from None
        print(
            f"{len(history.operations)} operations shrunk to {len(smallest.operations)}, written to {options.out}"
        )
    return FOUND


def _read(file: Path) -> History:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UsageError(f"cannot read {file}: {reason}") from None
    try:
        return from_json(text)
    except HistoryError as error:
        raise UsageError(f"{file}: {error}") from None


def _target(history: History, name: str | None) -> Target:
    return registry.find(name or history.origin.get("system", "radix"))


def _systems(options: argparse.Namespace) -> int:
    rows = registry.locally()
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")
    print("\nMore: 'radixproof systems add sglang==VERSION' fetches a release and prepares it.")
    return CLEAN


def _add(options: argparse.Namespace) -> int:
    from radixproof.impl.sglang import store

    for name in options.names:
        if not name.startswith("sglang=="):
            raise UsageError(f"{name!r} cannot be prepared; write it as in sglang==0.5.12.post1")
        registry.find(name)
        store.add(name.removeprefix("sglang=="), print)
    return CLEAN


if __name__ == "__main__":
    sys.exit(main())
