"""An end to work that knows nothing of time: an exception in the middle of it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress

AGAIN = 0.1
"""Seconds until the next exception, if somebody else's code caught the last one."""


class TimeIsUp(BaseException):
    """Not an error, so that nothing takes it for one of a system under test."""


def do_within(seconds: float | None, do: Callable[[], None]) -> bool:
    """Do something, and leave it after so many seconds wherever it is. For main threads only.

    Returns whether it was left alone: if not, it may have come to an end all the same, but somebody
    else's code may have taken the exception for an error of its own.
    """
    if seconds is None:
        do()
        return True
    armed, alone = True, True

    def ring(*_: object) -> None:
        nonlocal alone
        if armed:
            alone = False
            raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with suppress(TimeIsUp):
            try:
                signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6), AGAIN)
                do()
            finally:
                armed = False
    finally:
        armed = False  # again: it may have rung just before the first time
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return alone
