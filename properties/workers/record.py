"""The record of a campaign: one line of JSON for each part, written as it finishes.

So that a campaign can be interrupted and resumed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from radixproof.properties.histories.durable import write_file
from radixproof.properties.histories.reading import UnreadableFile, text_of

MOST_BYTES = 2**30
T = TypeVar("T")


class RecordError(ValueError):
    """A record that cannot be read. The message names the line."""


def read(file: Path, decoded: Callable[[str], T], what: str) -> list[T]:
    """The parts in a record, each of which is ``what``; none if there is no such file.

    A last line that was cut short is dropped. Raises `RecordError`.
    """
    if not file.exists():
        return []
    try:
        lines = text_of(file, MOST_BYTES).splitlines(keepends=True)
    except UnreadableFile as error:
        raise RecordError(str(error)) from None
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
        write_file(file, "".join(lines))
    parts = []
    for number, line in enumerate(lines, 1):
        try:
            parts.append(decoded(line))
        except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
            raise RecordError(f"{file}:{number}: not {what} ({error})") from None
    return parts
