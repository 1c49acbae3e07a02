"""The program ``radixproof``: the command line as a process, from its first moment to its last.

It may be interrupted at any time, also while it is being imported, by Ctrl-C or by SIGTERM; that is
one line and exit code 3, since it could not run to its end. (130 is what a shell makes of a process
that Ctrl-C has killed; this one ends in order, with one of the codes that it promises.) What takes
long to import is imported after that is arranged.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # that of `typing` would have to be imported
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_IMPORTING = "<frozen importlib"
"""How the name of the file begins in which Python's own importing is written."""
TEXT = "radixproof: interrupted\n"
CODE = 3


def main() -> int:
    """Run the command line of this process; returns its exit code."""
    _on_signals(_interrupted)
    sys.unraisablehook = _unraisable
    from radixproof.properties.cli import streams
    from radixproof.properties.cli.main import main

    try:
        try:
            if streams.prepare():
                return main()
            streams.complain("nothing can be printed: the output is closed")
            return CODE
        finally:
            # All has been said, and the exit code is decided: Python only tidies up.
            _on_signals(signal.SIG_IGN)
    except KeyboardInterrupt:  # in the last moment of all
        _leave()


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """What is ignored from the start, as in a job in the background of a shell, stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _interrupted(number: int, frame: FrameType | None) -> None:
    """An interruption is an exception, which commands catch to say what is kept.

    Not while something is imported, though: whatever is imported may catch it, or make another
    error of it, and nothing has been done yet that would need tidying up.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            _leave()
        frame = frame.f_back
    raise KeyboardInterrupt


def _unraisable(error: sys.UnraisableHookArgs) -> None:
    """An interruption that came where Python lets no exception through, as in ``__del__``."""
    if issubclass(error.exc_type, KeyboardInterrupt):
        _leave()
    sys.__unraisablehook__(error)


def _leave() -> NoReturn:
    """End here and now."""
    try:
        os.write(2, TEXT.encode())
        sys.stdout.flush()  # fails where nobody reads, or in the middle of printing
    finally:
        os._exit(CODE)
