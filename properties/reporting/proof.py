"""Whether a pasted test fails as it should: it is run, in a process of its own.

The process is a fork, which has the system under test imported already; where that cannot be, it
imports it anew.
"""

from __future__ import annotations

import multiprocessing
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FunctionType
from typing import Any

LIMIT = 60.0
"""Seconds that a test may take. Most take a hundredth of one."""
_FILE = "<pasted test>"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a test failed with."""

    error: str
    message: str
    asserted: bool
    """By an assertion of its own, or by the system's check of itself, which it asked for."""
    where: str
    """The innermost function."""


def failure(source: str, prepare: Callable[[], None]) -> Failure | str:
    """What the only test in ``source`` fails with; as text, why that is not known.

    ``prepare`` is called before, in the same process.
    """
    context = multiprocessing.get_context("fork" if _can_fork() else "spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(source, prepare, sending), daemon=True)
    with warnings.catch_warnings():  # that this process has threads, which is no harm here
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    sending.close()
    try:
        if not receiving.poll(LIMIT):
            return f"the test does not end within {LIMIT:.0f} seconds"
        found: Failure | str = receiving.recv()
    except EOFError:
        process.join()
        return f"the process of the test ended with exit code {process.exitcode}"
    finally:
        process.kill()
        process.join()
    return found


def _can_fork() -> bool:
    """A process that has used a GPU cannot be forked."""
    torch: Any = sys.modules.get("torch")
    used = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return "fork" in multiprocessing.get_all_start_methods() and not used


def _report(source: str, prepare: Callable[[], None], sending: Connection) -> None:
    try:
        prepare()
        names: dict[str, Any] = {"__name__": "pasted"}
        exec(compile(source, _FILE, "exec"), names)
        (test,) = (value for name, value in names.items() if name.startswith("test_"))
    except Exception as error:
        sending.send(f"the test cannot be set up: {type(error).__name__}: {error}")
        return
    sending.send(_run(test) or "the test passes")


def _run(test: FunctionType) -> Failure | None:
    try:
        test()
    except Exception as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        own = frames[-1].f_code.co_filename == _FILE
        sane = any(frame.f_code.co_name == "sanity_check" for frame in frames)
        asserted = isinstance(error, AssertionError) and (own or sane)
        where = frames[-1].f_code.co_qualname
        return Failure(type(error).__name__, str(error), asserted, where)
    return None
