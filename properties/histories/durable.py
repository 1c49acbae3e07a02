"""Files that are there as a whole or not at all, and that stay once they are there.

What is written goes to a hidden folder beside its place, is flushed to the disk, and takes its
place in one step. A process that is killed meanwhile leaves its hidden folder behind; the next one
that writes there removes it. Whoever works in such a folder holds a lock on it, which ends with the
process at the latest.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

HIDDEN = ".radixproof-"
"""How the names of the hidden folders begin."""


def write_file(file: Path, text: str) -> None:
    """Write a file, or replace it. Its folder must exist.

    What is there and is no regular file, such as a pipe or a terminal, is written to as it is.
    Raises `OSError`, and then has changed nothing.
    """
    place = Path(os.path.realpath(file))
    if place.exists() and not place.is_file():
        place.write_bytes(encoded(text))
        return
    with _workplace(place.parent) as work:
        new = work / place.name
        _create(new, text)
        if place.exists():
            shutil.copymode(place, new)
        os.replace(new, place)
        _flush(place.parent)


def write_folder(folder: Path, files: Mapping[str, str | None]) -> None:
    """Make a folder with these files, by name; one without a text must not be there afterwards.

    A folder that exists is replaced as a whole; what else somebody has put into it stays. Raises
    `OSError`, and then has changed nothing but to make the folders above.
    """
    _make(folder.parent)
    with _workplace(folder.parent) as work:
        new = work / folder.name
        if folder.is_dir():
            ours = shutil.ignore_patterns(*files, "__pycache__", f"{HIDDEN}*")
            shutil.copytree(folder, new, symlinks=True, ignore=ours)
        else:
            new.mkdir()
        for name, text in files.items():
            if text is not None:
                _create(new / name, text)
        _flush(new)
        _put(new, folder, files)
        _flush(folder.parent)


def make_ready(folder: Path) -> None:
    """Make a folder that is to be written to, and remove what killed processes have left in it and
    in the folders that it has. Raises `OSError` if nothing can be written there.
    """
    _make(folder)
    for place in (entry for entry in folder.iterdir() if entry.is_dir()):
        _sweep(place)
    with _workplace(folder):
        pass


def _put(new: Path, folder: Path, files: Mapping[str, str | None]) -> None:
    """A folder takes its place, where there may be an older one."""
    try:
        os.rename(new, folder)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        if _traded(new, folder):
            return
        # Not in one step then, but still no file is ever missing or in part.
        for name, text in files.items():
            if text is None:
                (folder / name).unlink(missing_ok=True)
            else:
                os.replace(new / name, folder / name)


def _traded(one: Path, other: Path) -> bool:
    """Let two folders trade places in one step; False if that cannot be done here."""
    system, here = ctypes.CDLL(None), -100
    paths = os.fsencode(one.absolute()), os.fsencode(other.absolute())
    try:
        if sys.platform == "darwin":
            return int(system.renamex_np(*paths, 2)) == 0
        return int(system.renameat2(here, paths[0], here, paths[1], 2)) == 0
    except AttributeError:
        return False


# -- what is flushed to the disk -----------------------------------------------------------------


def encoded(text: str) -> bytes:
    """The text, with half characters (of somebody's error message) in a form that can be read."""
    return text.encode("utf-8", "backslashreplace")


def _create(file: Path, text: str) -> None:
    with file.open("xb") as stream:
        stream.write(encoded(text))
        stream.flush()
        os.fsync(stream.fileno())


def _flush(folder: Path) -> None:
    """Flush the names in a folder to the disk, as far as its file system can do that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


def _make(folder: Path) -> None:
    """Make a folder and those above it, where they are missing."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _flush(folder.parent)


# -- hidden folders ------------------------------------------------------------------------------


@contextmanager
def _workplace(beside: Path) -> Iterator[Path]:
    """A hidden folder that is gone after the block, or else swept away by the next process."""
    _sweep(beside)
    work, handle = _own_folder(beside)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _own_folder(beside: Path) -> tuple[Path, int | None]:
    """A hidden folder, and the handle that holds its lock."""
    while True:
        work = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=beside))
        try:
            handle = _lock(work)
        except (BlockingIOError, FileNotFoundError):
            continue  # somebody else has swept it away before it was locked
        except OSError:
            return work, None  # this file system has no locks, so that nobody sweeps there
        if work.is_dir():
            return work, handle
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove the hidden folders that nobody works in."""
    for left_over in folder.glob(f"{HIDDEN}*"):
        with suppress(OSError):
            handle = _lock(left_over)
            shutil.rmtree(left_over, ignore_errors=True)
            os.close(handle)


def _lock(folder: Path) -> int:
    """A handle that holds the lock of a folder until it is closed.

    Raises `BlockingIOError` if somebody else has the lock, and another `OSError` if there is none.
    """
    import fcntl  # POSIX only

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle
