"""A plugin of pytest: a test that takes ten times as long as the longest does is taken to hang, and
fails.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from types import FrameType

import pytest

HANGS = 60.0
"""Seconds of processor time."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    signal.signal(signal.SIGVTALRM, _hang)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS)
    try:
        return (yield)
    finally:  # mutmut runs its tests in its own process too, which goes on
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _hang(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError("no end in sight")
