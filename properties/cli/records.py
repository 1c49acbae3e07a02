"""Records on the command line: one that is there is gone on with only if asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from radixproof.properties.cli.exit_codes import UsageError

T = TypeVar("T")


def earlier(read: Callable[[Path], list[T]], file: Path, resume: bool) -> list[T]:
    """What is in the record of a campaign that is begun, or gone on with.

    Raises `UsageError` if it cannot be read, or is there although the campaign is a new one.
    """
    from radixproof.properties.workers.record import RecordError

    try:
        before = read(file)
    except RecordError as error:
        raise UsageError(str(error)) from None
    if before and not resume:
        raise UsageError(
            f"{file} is the record of an earlier campaign: go on with --resume, or choose another"
            " folder with --out"
        )
    return before
