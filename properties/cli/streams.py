"""The standard streams of the command line: closed, full, without a reader, or of few characters.

What cannot be printed ends a command with a sentence; where not even that can be printed, the exit
code is left.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO


def prepare() -> bool:
    """Make the streams of this process usable, before anything is opened or printed.

    A stream that is closed would have its number taken by the next file that is opened, and what is
    printed would be written there. Returns whether there is anywhere to print to.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Names of files and texts of others may have what the terminal cannot show.
            stream.reconfigure(errors="backslashreplace")
    return sys.stdout is not None


def complain(text: object) -> None:
    """A line on stderr, which may be closed, or full."""
    try:
        print(f"radixproof: {text}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Nothing more can be printed there; let the interpreter close it quietly."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
