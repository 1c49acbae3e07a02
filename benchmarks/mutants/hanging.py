"""A plugin of pytest: what takes a hundred times what it should is taken to hang, and fails."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from types import FrameType

import pytest

HANGS = 2.0
"""Seconds of processor time that a test may take, or a part of one."""


@pytest.fixture
def part_done() -> Callable[[], None]:
    """For a test of many parts, as histories are: to be called after each, for the next to have as
    long.
    """
    return _begin


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    signal.signal(signal.SIGVTALRM, _hang)
    _begin()
    try:
        return (yield)
    finally:  # mutmut runs its tests in its own process too, which goes on
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _begin() -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS)


def _hang(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError("no end in sight")
