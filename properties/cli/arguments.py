"""Options that several commands have, and numbers, for argparse: each refusal is a sentence."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from radixproof.impl.sglang.names import core_in, is_installed, named_tree
from radixproof.properties.cli.exit_codes import UsageError
from radixproof.properties.search.budget import PROFILES, STEP_SECONDS

LONGEST = 18
"""Digits of a number."""
MOST_SEEDS = 10_000
MOST_JOBS = 256
MOST_HISTORIES = 100_000


def whole(text: str) -> int:
    """A number of 0 or more."""
    if not _decimal(text):
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, got {text!r}")
    return int(text)


def at_least_one(text: str) -> int:
    """A number of 1 or more."""
    if not _decimal(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, got {text!r}")
    return int(text)


def jobs(text: str) -> int:
    """A number of processes, each of which may import torch."""
    return _at_most(MOST_JOBS, at_least_one(text))


def seeds(text: str) -> int:
    """A number of seeds, each of which costs time and memory."""
    return _at_most(MOST_SEEDS, at_least_one(text))


def histories(text: str) -> int:
    """A number of histories, all of which are looked through first."""
    return _at_most(MOST_HISTORIES, at_least_one(text))


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return value


def named(given: Sequence[str] | None, known: Iterable[str], kind: str) -> list[str]:
    """What was given of what is known, each once; all of it if nothing was. Raises `UsageError`."""
    names = list(known)
    chosen = list(dict.fromkeys(given or names))
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise UsageError(f"no {kind} is called {unknown[0]!r} (known: {', '.join(sorted(names))})")
    return chosen


def add_campaign(
    parser: argparse.ArgumentParser, folder: str, at_a_time: str, resumed: str
) -> None:
    """Where a campaign writes, with how many processes, and that it goes on with an earlier one."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(folder),
        metavar="FOLDER",
        help=f"default: {folder}",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=jobs,
        default=min(os.cpu_count() or 1, MOST_JOBS),
        metavar="N",
        help=at_a_time,
    )
    parser.add_argument("--resume", action="store_true", help=resumed)


def add_budget(parser: argparse.ArgumentParser) -> None:
    """How much is searched, and with how many processes."""
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
        help="end after N seconds in all, start-up and shrinking included",
    )
    add_step_seconds(parser)
    add_jobs(parser, "processes at a time; the findings are the same (default: 1)")


def add_jobs(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "-j",
        "--jobs",
        type=jobs,
        default=1,
        metavar="N",
        help=text,
    )


def add_path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--path",
        type=Path,
        metavar="FOLDER",
        help="a source tree of SGLang, such as CHECKOUT/python: what 'sglang' stands for",
    )


def in_tree(system: str, path: Path | None) -> str:
    """The system that a name stands for where ``--path`` was given, or was not.

    Raises `UsageError` if it is not SGLang.
    """
    if path is None:
        return system
    if not is_installed(system):
        raise UsageError(f"--path is a source tree of SGLang: {system} is none, write sglang")
    return named_tree(path.resolve(), core_in(system))


def add_known(group: argparse._ActionsContainer, of: str = "") -> None:
    """``--known``, as often as there are files; ``of`` says what for, where that is not all."""
    group.add_argument(
        "--known",
        action="append",
        default=[],
        metavar="FILE",
        help=f"{of}pass over the findings in this file; 'builtin' for our own list of those of"
        " SGLang",
    )


def add_step_seconds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--step-seconds",
        type=seconds,
        default=STEP_SECONDS,
        metavar="N",
        help="a system that does not come back from a step within N seconds hangs"
        f" (default: {STEP_SECONDS:g})",
    )


def _at_most(most: int, count: int) -> int:
    if count > most:
        raise argparse.ArgumentTypeError(f"must be at most {most:,}, got {count:,}")
    return count


def _decimal(text: str) -> bool:
    return text.isdecimal() and len(text) <= LONGEST
