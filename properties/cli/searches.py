"""What commands that search have in common: names, known findings, results to be filled in."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from radixproof.impl import registry
from radixproof.properties.cli.exit_codes import UsageError
from radixproof.properties.search.budget import PROFILES

if TYPE_CHECKING:
    from radixproof.properties.known.files import Known
    from radixproof.properties.results.result import SystemResult


def look_up_all(names: Iterable[str], step_seconds: float) -> None:
    """Look systems up, so that a wrong name shows before anything is run.

    Raises `UnknownSystem` or `Unavailable`.
    """
    from radixproof.properties.workers.replaying import look_up

    for name in names:
        if registry.is_of_strangers(name):
            look_up(name, step_seconds)
        else:
            registry.find(name)


def known_in(sources: Iterable[str]) -> Known:
    """The known findings in files, or ``builtin``. Raises `UsageError`."""
    from radixproof.properties.known.entry import KnownError
    from radixproof.properties.known.files import load_all

    try:
        return load_all(dict.fromkeys(sources))
    except KnownError as error:
        raise UsageError(str(error)) from None


def outstanding_all(
    names: Iterable[str],
    options: argparse.Namespace,
    known: Known,
    today: date,
    folder: Path,
    stored: Path | None = None,
) -> list[SystemResult]:
    """A result for each system, yet to be filled in: its findings will lie below ``folder``, and
    the histories that are ``stored`` are replayed first.
    """
    from radixproof.properties.results.result import outstanding
    from radixproof.properties.workers.shard import SEARCH, Shard

    shards = [
        Shard(
            name,
            SEARCH,
            options.seed,
            PROFILES[options.profile],
            "" if stored is None else str(stored),
            str(folder),
            step_seconds=options.step_seconds,
        )
        for name in names
    ]
    return [outstanding(shard, options.profile, known, today) for shard in shards]


def seconds_left(options: argparse.Namespace, started: float) -> float | None:
    """What is left of the time that a command may take; None if that is not limited."""
    if options.seconds is None:
        return None
    return max(0.0, started + float(options.seconds) - time.monotonic())
