"""A function in a process of its own, which may hang or die without harm.

The process is a fork, which has the system under test imported already; where that cannot be, it
imports it anew. `multiprocessing` has no part in it: its workers may start no processes.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import pickle
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from radixproof.properties.guarding.child import flush
from radixproof.properties.performing.crash import first_line
from radixproof.properties.running import journal

LIMIT = 60
"""Seconds that a function may take. Those that run here take hundredths of one."""
TICK = 0.05
"""Seconds between two looks at a process that holds its pipe open."""
AT_ONCE = 1 << 20
"""Bytes that are read at a time: more than a pipe holds."""
_SERVE = "from radixproof.properties.reporting.child import serve; serve()"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Died:
    """There is no result: what happened to the process, as half a sentence."""

    how: str


def in_child(function: Callable[[], T]) -> T | Died:
    """The result of a function that is called in a process of its own."""
    sent, code = _forked(function, LIMIT) if can_fork() else _begun(function)
    result: T | Died = _came(sent, code, LIMIT)
    return result


def in_fork(function: Callable[[], T], seconds: int) -> T | Died:
    """The same of one that is about what only a fork of this process has, which `can_fork`."""
    result: T | Died = _came(*_forked(function, seconds), seconds)
    return result


def serve() -> None:
    """What a process does that was begun for a function: it reads that, and writes the result."""
    with open(os.dup(1), "wb") as pipe:
        os.dup2(2, 1)  # what the system prints is not part of the result
        pid = os.getpid()
        sent = _result(pickle.load(sys.stdin.buffer))
        if os.getpid() == pid:  # and is not a fork of that which the system has made
            pipe.write(sent)


def can_fork() -> bool:
    """Whether this process can. A process that has used a GPU cannot be forked."""
    torch: Any = sys.modules.get("torch")
    uses_gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return hasattr(os, "fork") and not uses_gpu


def _came(sent: bytes, code: int, seconds: int) -> Any:
    """What came of a process: its result, or why there is none."""
    if sent:
        return pickle.loads(sent)
    if code == -signal.SIGALRM:
        return Died(f"does not end within {seconds} seconds")
    return Died(f"ends its process with exit code {code}")


def _forked(function: Callable[[], object], seconds: int) -> tuple[bytes, int]:
    """What a fork sends, and how it ends."""
    reading, writing = _pipe()
    flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _answer(function, writing, seconds)
    os.close(writing)
    try:
        return _received(pid, reading, seconds)
    finally:
        os.close(reading)


def _pipe() -> tuple[int, int]:
    """A pipe that is none of the three standard files, which the system may have closed."""
    ends = os.pipe()
    reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends)
    for end in ends:
        os.close(end)
    return reading, writing


def _answer(function: Callable[[], object], writing: int, seconds: int) -> NoReturn:
    """All that the fork does. Nothing of this process may run in it afterwards."""
    code, pid = 1, os.getpid()
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)  # even if the process that waits for it is no more
        journal.current().own()
        faulthandler.disable()  # its last words would be taken for those of this process
        with suppress(OSError):
            os.dup2(2, 1)
        sent = _result(function)
        if os.getpid() == pid:
            with open(writing, "wb") as pipe:
                pipe.write(sent)
        code = 0
    finally:
        os._exit(code)


def _begun(function: Callable[[], object]) -> tuple[bytes, int]:
    """The same of a process that is begun anew."""
    path = os.pathsep.join(filter(None, sys.path))
    with tempfile.TemporaryFile() as file:
        file.write(pickle.dumps(function))
        file.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=file,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
        )
    assert process.stdout is not None
    with process.stdout as pipe:
        sent, process.returncode = _received(process.pid, pipe.fileno(), LIMIT)
    return sent, process.returncode


def _received(pid: int, reading: int, seconds: int) -> tuple[bytes, int]:
    """What a process sends until it ends, and how it ends; after so many seconds, it is ended.

    Its own children, which go on for as long as they like, may hold the pipe open.
    """
    os.set_blocking(reading, False)
    pipe = select.poll()
    pipe.register(reading, select.POLLIN)
    until = time.monotonic() + seconds + 2 * TICK  # its own alarm comes first
    sent = b""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        pipe.poll(0 if ended else 1000 * TICK)
        new = _there(reading)
        sent += new or b""
        if ended:
            return sent, os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return b"", -signal.SIGALRM
        if new == b"":  # closed, and so will it be
            time.sleep(TICK / 50)


def _there(reading: int) -> bytes | None:
    """What there is to be read, if anything; empty if nobody can write any more."""
    try:
        return os.read(reading, AT_ONCE)
    except BlockingIOError:
        return None


def _result(function: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps(function())
    except Exception as error:
        return pickle.dumps(Died(f"raises {type(error).__name__}: {first_line(error)}"))
