"""A history from a file. Files come from strangers: a refusal says which one, and what is wrong."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from radixproof.impl.operations import History
from radixproof.properties.histories.history_json import HistoryError, from_json
from radixproof.properties.histories.limits import MOST_BYTES


def history_in(file: Path) -> History:
    """The history in a file. Raises `HistoryError` with the name of the file and what is wrong."""
    try:
        content = _content(file)
        text = content.decode("utf-8-sig")  # some editors put a mark in front of it
        return from_json(text)
    except OSError as error:
        raise HistoryError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise HistoryError(
            f"cannot read {file}: not a text file (byte {error.start:,} is not UTF-8)"
        ) from None
    except HistoryError as error:
        raise HistoryError(f"{file}: {error}") from None


def _content(file: Path) -> bytes:
    """The bytes of a regular file. Anything else could have no end, or keep a reader waiting: it is
    looked at before it is read, and opened so that nothing is waited for.
    """
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except ValueError:
        raise HistoryError("no file can have such a name") from None
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise HistoryError(f"it is {_kind(about.st_mode)}, not a file")
        with open(handle, "rb", closefd=False) as stream:
            content = stream.read(MOST_BYTES + 1)
    finally:
        os.close(handle)
    if len(content) > MOST_BYTES:
        raise HistoryError(
            f"it has {max(about.st_size, len(content)):,} bytes; a history has at most"
            f" {MOST_BYTES:,} ({MOST_BYTES >> 20} MiB)"
        )
    return content


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"))
    return next((name for test, name in kinds if test(mode)), "something else")
