"""The record of a campaign of sabotage: one line of JSON for each, written as it is done.

So that a campaign can be interrupted and resumed.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from radixproof.properties.histories.durable import write_file
from radixproof.properties.histories.reading import UnreadableFile, text_of
from radixproof.properties.sensitivity.cells import Result

MOST_BYTES = 2**30


class RecordError(ValueError):
    """A record that cannot be read. The message names the line."""


def line(done: Result) -> str:
    """A result as a line of the record."""
    return msgspec.json.encode(done).decode() + "\n"


def read(file: Path) -> list[Result]:
    """The results in a record; none if there is no such file.

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
    return [_read(text, f"{file}:{number}") for number, text in enumerate(lines, 1)]


def _read(text: str, where: str) -> Result:
    try:
        return msgspec.json.decode(text, type=Result)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
        raise RecordError(f"{where}: not a sabotage of a campaign ({error})") from None
