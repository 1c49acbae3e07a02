"""Files as they are read, histories above all. They come from strangers: a refusal says which one
it is, and what is wrong with it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from radixproof.impl.operations import History
from radixproof.properties.histories.history_json import HistoryError, from_json
from radixproof.properties.histories.limits import MOST_BYTES


class UnreadableFile(ValueError):
    """What a path leads to cannot be read. The message names it, and says why."""


def history_in(file: Path) -> History:
    """The history in a file. Raises `HistoryError` with the name of the file and what is wrong."""
    try:
        return from_json(text_of(file, MOST_BYTES))
    except UnreadableFile as error:
        raise HistoryError(str(error)) from None
    except HistoryError as error:
        raise HistoryError(f"{file}: {error}") from None


def text_of(file: Path, most: int) -> str:
    """The text of a regular file of at most so many bytes. Raises `UnreadableFile`."""
    try:
        # Some editors put a mark in front of it.
        return _content(file, most).decode("utf-8-sig")
    except OSError as error:
        why = error.strerror or str(error)
    except UnicodeDecodeError as error:
        why = f"not a text file (byte {error.start:,} is not UTF-8)"
    except ValueError as error:
        why = str(error)
    raise UnreadableFile(f"cannot read {file}: {why}")


def _content(file: Path, most: int) -> bytes:
    """The bytes of a file. Anything else could have no end, or keep a reader waiting: it is looked
    at before it is read, and opened so that nothing is waited for.
    """
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise ValueError(f"it is {_kind(about.st_mode)}, not a file")
        with open(handle, "rb", closefd=False) as stream:
            content = stream.read(most + 1)
    finally:
        os.close(handle)
    if len(content) > most:
        size = max(about.st_size, len(content))
        raise ValueError(f"it has {size:,} bytes, and {most:,} are the most that are read")
    return content


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"))
    return next((name for test, name in kinds if test(mode)), "something else")
