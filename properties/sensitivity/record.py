"""The record of a campaign of sabotage: a line for each."""

from __future__ import annotations

from pathlib import Path

import msgspec

from radixproof.properties.sensitivity.cells import Result
from radixproof.properties.workers import record


def line(done: Result) -> str:
    """A result as a line of the record."""
    return msgspec.json.encode(done).decode() + "\n"


def read(file: Path) -> list[Result]:
    """The results in a record. Raises `RecordError`."""
    return record.read(file, _decoded, "a sabotage of a campaign")


def _decoded(text: str) -> Result:
    return msgspec.json.decode(text, type=Result)
