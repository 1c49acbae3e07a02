"""A function in a process of its own, which may hang or die without harm.

The process is a fork, which has the system under test imported already; where that cannot be, it
imports it anew.
"""

from __future__ import annotations

import multiprocessing
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

LIMIT = 60.0
"""Seconds that a function may take. Those that run here take hundredths of one."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Died:
    """There is no result: what happened to the process, as half a sentence."""

    how: str


def in_child(function: Callable[[], T]) -> T | Died:
    """The result of a function that is called in a process of its own."""
    context = multiprocessing.get_context("fork" if _can_fork() else "spawn")
    receiving, sending = context.Pipe(duplex=False)
    process: Any = context.Process(target=_serve, args=(function, sending))  # type: ignore[attr-defined]
    with warnings.catch_warnings():  # of threads, which a fork does not have: none is needed here
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    sending.close()
    try:
        if not receiving.poll(LIMIT):
            return Died(f"does not end within {LIMIT:.0f} seconds")
        result: T | Died = receiving.recv()
    except EOFError:
        process.join()
        return Died(f"its process ends with exit code {process.exitcode}")
    finally:
        process.kill()
        process.join()
        receiving.close()
    return result


def _can_fork() -> bool:
    """A process that has used a GPU cannot be forked."""
    torch: Any = sys.modules.get("torch")
    uses_gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return "fork" in multiprocessing.get_all_start_methods() and not uses_gpu


def _serve(function: Callable[[], T], sending: Connection) -> None:
    try:
        sending.send(function())
    except Exception as error:
        sending.send(Died(f"raises {type(error).__name__}: {error}"))
