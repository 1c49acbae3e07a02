"""The standard streams of the command line: closed, full, without a reader, or of few characters.

What cannot be printed ends a command with a sentence; where not even that can be printed, the exit
code is left.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper


def prepare() -> None:
    """Make the streams of this process usable, before anything is opened or printed.

    A stream that is closed would have its number taken by the next file that is opened, and what is
    printed would be written there.
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


def complain(text: object) -> None:
    """A line on stderr, which may be closed."""
    with suppress(OSError, ValueError):
        print(f"radixproof: {text}", file=sys.stderr, flush=True)


def flush() -> None:
    """Write out what was printed. Raises `OSError` if it could not be."""
    if sys.stdout is None:
        raise OSError(None, "nothing can be printed: the output is closed")
    sys.stdout.flush()


def give_up_output() -> None:
    """Nothing more can be printed; let the interpreter close stdout quietly."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
