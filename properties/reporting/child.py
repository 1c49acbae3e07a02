"""A function in a process of its own, which may hang or die without harm.

The process is a fork, which has the system under test imported already; where that cannot be, it
imports it anew. `multiprocessing` has no part in it: its workers may start no processes.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

LIMIT = 60
"""Seconds that a function may take. Those that run here take hundredths of one."""
_SERVE = "from radixproof.properties.reporting.child import serve; serve()"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Died:
    """There is no result: what happened to the process, as half a sentence."""

    how: str


def in_child(function: Callable[[], T]) -> T | Died:
    """The result of a function that is called in a process of its own."""
    sent, code = _forked(function) if _can_fork() else _begun(function)
    if sent:
        result: T | Died = pickle.loads(sent)
        return result
    if code == -signal.SIGALRM:
        return Died(f"does not end within {LIMIT} seconds")
    return Died(f"ends its process with exit code {code}")


def serve() -> None:
    """What a process does that was begun for a function: it reads that, and writes the result."""
    with open(os.dup(1), "wb") as pipe:
        os.dup2(2, 1)  # what the system prints is not part of the result
        pipe.write(_result(pickle.load(sys.stdin.buffer)))


def _can_fork() -> bool:
    """A process that has used a GPU cannot be forked."""
    torch: Any = sys.modules.get("torch")
    uses_gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return hasattr(os, "fork") and not uses_gpu


def _forked(function: Callable[[], object]) -> tuple[bytes, int]:
    """What a fork sends, and how it ends."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _answer(function, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:
        sent = pipe.read()
    return sent, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _answer(function: Callable[[], object], writing: int) -> NoReturn:
    """All that the fork does. Nothing of this process may run in it afterwards."""
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LIMIT)  # even if the process that waits for it is no more
        os.dup2(2, 1)
        sent = _result(function)
        with open(writing, "wb") as pipe:
            pipe.write(sent)
        code = 0
    finally:
        os._exit(code)


def _begun(function: Callable[[], object]) -> tuple[bytes, int]:
    """The same of a process that is begun anew."""
    path = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    try:
        sent, _ = process.communicate(pickle.dumps(function), timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return b"", -signal.SIGALRM
    return sent, process.returncode


def _result(function: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps(function())
    except Exception as error:
        return pickle.dumps(Died(f"raises {type(error).__name__}: {error}"))
