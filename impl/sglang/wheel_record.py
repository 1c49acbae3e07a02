"""A wheel's own list of its files, ``RECORD``: what an unpacked wheel must still be.

Sizes are looked at in a few milliseconds, whenever a release is used. Content is compared by the
hashes in the list: of a whole release when it is added or verified, and of the files that were
imported when it is run.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

RECORD = "*.dist-info/RECORD"


class Entry(NamedTuple):
    """What the wheel says of one of its files."""

    size: int
    algorithm: str
    digest: str
    """As in the list: base64, without padding."""


def damage(folder: Path, content: bool = False) -> str | None:
    """What is wrong with the first bad file of an unpacked wheel; None if it is as it was released.

    Without ``content`` only that every file is there, as long as it should be.
    """
    entries = read(folder)
    if isinstance(entries, str):
        return entries
    wrong = (_wrong(folder, name, entry, content) for name, entry in entries.items())
    return next(filter(None, wrong), None)


def damage_in(folder: Path, files: Iterable[Path]) -> str | None:
    """The same for some files, by content. One that is not in the wheel's list was never in it."""
    entries = read(folder)
    if isinstance(entries, str):
        return entries
    for file in files:
        name = file.relative_to(folder).as_posix()
        wrong = (
            _wrong(folder, name, entries[name], True)
            if name in entries
            else f"{name} is not of this release"
        )
        if wrong is not None:
            return wrong
    return None


def read(folder: Path) -> dict[str, Entry] | str:
    """The list, by the names of files; or why it cannot be read."""
    found = sorted(folder.glob(RECORD))
    if len(found) != 1:
        return "its list of files (RECORD) is missing or cannot be read"
    try:
        with found[0].open(newline="", encoding="utf-8") as lines:
            rows = [
                (name, *hashed.split("="), size)
                for name, hashed, size in csv.reader(lines)
                if hashed and size
            ]  # the list does not vouch for itself
        return {name: Entry(int(size), algorithm, digest) for name, algorithm, digest, size in rows}
    except (OSError, ValueError, csv.Error):
        return "its list of files (RECORD) is damaged"


def _wrong(folder: Path, name: str, entry: Entry, content: bool) -> str | None:
    file = f"{folder}/{name}"
    try:
        size = os.path.getsize(file)
        if size != entry.size:
            return f"{name} has {size:,} bytes, not {entry.size:,}"
        if content and _digest(file, entry.algorithm) != entry.digest:
            return f"the content of {name} is not what was released"
    except FileNotFoundError:
        return f"{name} is missing"
    except (OSError, ValueError) as error:
        return f"{name} cannot be read ({getattr(error, 'strerror', None) or error})"
    return None


def _digest(file: str, algorithm: str) -> str:
    with open(file, "rb") as stream:
        found = hashlib.file_digest(stream, algorithm).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()
