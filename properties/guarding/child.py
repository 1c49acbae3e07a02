"""A child process that runs a system, and is watched: it may hang, or end at any moment.

It is a fork of this process, so that work and results need no names. What it does to systems it
writes into a `Journal` that both processes see; how long it stands still there is measured here.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeAlias, TypeVar

from radixproof.impl.operations import History
from radixproof.impl.registry import UnknownSystem
from radixproof.impl.system import Unavailable
from radixproof.properties.guarding.last_words import LastWords, leave
from radixproof.properties.guarding.lifeline import be_killed_with_parent
from radixproof.properties.histories.history_json import HistoryError
from radixproof.properties.running import journal
from radixproof.properties.running.journal import Death, Doing, Journal
from radixproof.properties.search.budget import STEP_SECONDS

T = TypeVar("T")
Tell: TypeAlias = Callable[[Any], None]

HANG, EXIT_CODE = "hang", "exit-code-"
STARTING = 30
"""How many times as long as a step it may take to import a system and build it first."""
TICK = 0.05
"""Seconds between two looks at a child."""
PARTING = 5.0
"""Seconds that a process may need to be gone after it has closed its files."""


class FailedItself(Exception):
    """The harness raised in a child; its traceback was printed there."""


EXPECTED = (Unavailable, UnknownSystem, HistoryError, FailedItself)
"""Errors whose message says all; they are raised again where the child is watched."""


@dataclass(frozen=True, slots=True)
class Returned(Generic[T]):
    """The child did its work."""

    value: T
    slowest: float
    """Seconds of the longest step."""


@dataclass(frozen=True, slots=True)
class Died:
    """The child hung, and was ended, or it ended itself."""

    error: str
    """``hang``, the name of a signal, or ``exit-code-N``."""
    how: str
    """The same in words that go on a sentence."""
    where: str
    """The function of the system in which that was, if it is known."""
    doing: Doing
    history: History | None
    """The history it was in, with the operation that did not come back."""
    slowest: float


Ending: TypeAlias = Returned[T] | Died


def in_child(
    work: Callable[[Tell], T],
    tell: Tell = lambda _: None,
    step_seconds: float = STEP_SECONDS,
    deaths: Iterable[Death] = (),
) -> Ending[T]:
    """Do ``work`` in a child of its own, as `Child.do` does."""
    child = Child(lambda _, tell: work(tell), deaths)
    try:
        return child.do(None, tell, step_seconds)
    finally:
        child.end()


class Child(Generic[T]):
    """A child that does one job after another: the side of the parent.

    Operations of which it is known that they are ``deaths`` are not performed in it.
    """

    def __init__(self, work: Callable[[Any, Tell], T], deaths: Iterable[Death] = ()) -> None:
        self._journal = Journal(deaths)
        self._words = LastWords()
        self._pipe, theirs = Pipe()
        self._status: int | None = None
        flush()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            self._pipe.close()
            _serve(work, theirs, self._journal, self._words, parent)
        theirs.close()

    def do(self, job: Any, tell: Tell, step_seconds: float) -> Ending[T]:
        """Have a job done, and ``tell`` its news here.

        The child is ended if the system does not come back within ``step_seconds``; then, and if it
        ended itself, it takes no other job.

        Raises what the work raised, if that is one of `EXPECTED`, and `FailedItself` for others.
        """
        before = _when_told_to_leave(self)
        try:
            with suppress(OSError):  # if it is dead, that shows below
                self._pipe.send(job)
            return self._followed(tell, step_seconds)
        except BaseException as error:
            if not isinstance(error, EXPECTED):
                self.end()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)

    def _followed(self, tell: Tell, step_seconds: float) -> Ending[T]:
        above = parent_process()
        watched: list[Any] = [self._pipe] if above is None else [self._pipe, above.sentinel]
        beats, still, looked = 0, 0.0, time.monotonic()
        while True:
            ready = wait(watched, timeout=TICK)
            if above is not None and above.sentinel in ready:
                raise BrokenPipeError  # nobody waits for the result
            gone = self._pipe not in ready and self._gone()
            if self._pipe in ready or (gone and self._pipe.poll()):
                received = self._receive()
                if isinstance(received, _News):
                    tell(received.news)
                    continue
                return self._ending(received)
            if gone:
                return self._ending(None)
            now = time.monotonic()
            moved = self._journal.beats != beats or self._journal.doing is Doing.NOTHING
            # A machine that slept, or stood still itself, must not make a hang of a step.
            still = 0.0 if moved else still + min(now - looked, 2 * TICK)
            beats, looked = self._journal.beats, now
            patience = step_seconds * (STARTING if self._journal.doing is Doing.STARTING else 1)
            if still > patience:
                return self._hangs(patience)

    def _receive(self) -> object:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return None

    def _ending(self, received: object) -> Ending[T]:
        if isinstance(received, _Result):
            return Returned(received.value, self._journal.slowest)
        if isinstance(received, _Raised):
            raise received.error
        status = self._parted()
        if status is None or self._journal.is_cut_off:
            return self._died("closed-files", "closed files that it had not opened", "")
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            return self._died(_signal(-code), "ended the process", self._words.innermost())
        how = f"ended the process with exit code {code}"
        return self._died(f"{EXIT_CODE}{code}", how, self._words.innermost())

    def _hangs(self, patience: float) -> Died:
        """End a child that hangs, after a last look at where it is."""
        with suppress(OSError):
            os.kill(self._pid, LastWords.SIGNAL)
            time.sleep(2 * TICK)
        if self._words.in_the_harness:
            self.end()
            raise FailedItself(f"no end within {patience:g} seconds")
        where = self._words.outermost()
        return self._died(HANG, f"did not come back within {patience:g} seconds", where)

    def _died(self, error: str, how: str, where: str) -> Died:
        record = self._journal
        died = Died(error, how, where, record.doing, record.history(), record.slowest)
        self.end()
        return died

    def _parted(self) -> int | None:
        """How the child ended; None if it has not, although it can tell nothing any more."""
        until = time.monotonic() + PARTING
        while not self._gone() and time.monotonic() < until:
            time.sleep(TICK / 10)
        return self._status

    def _gone(self, wait: bool = False) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self._pid, 0 if wait else os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def end(self) -> None:
        """End it, whatever it is doing."""
        if not self._gone():
            os.kill(self._pid, signal.SIGKILL)
            self._gone(wait=True)
        self._pipe.close()
        self._words.close()

    @property
    def alive(self) -> bool:
        return self._status is None


def _when_told_to_leave(child: Child[Any]) -> Any:
    """SIGTERM must not end this process at once: its child would go on."""

    def leave(*_: object) -> None:
        child.end()
        sys.exit(1)

    return signal.signal(signal.SIGTERM, leave)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"


# -- the side of the child -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _News:
    news: Any


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


def _serve(
    work: Callable[[Any, Tell], Any],
    pipe: Connection,
    record: Journal,
    words: LastWords,
    parent: int,
) -> None:
    """What the child does. It does not return: nothing of the parent's must run here, nor wait for
    threads that the system left.
    """
    send = partial(_send, pipe, record, os.getpid())
    try:
        _settle_in(parent)
        words.listen()
        journal.keep(record)
        while True:
            job = pipe.recv()
            send(_result(partial(work, job), lambda news: send(_News(news))))
            flush()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        leave(0)
    except BaseException:
        _print_error()
        leave(1)


def _send(pipe: Connection, record: Journal, pid: int, message: object) -> None:
    if os.getpid() != pid:  # the system has forked, and goes on in both processes
        leave(0)
    try:
        pipe.send(message)
    except OSError as error:
        if error.errno == errno.EBADF:
            record.cut_off()
            leave(1)
        raise


def _result(work: Callable[[Tell], Any], tell: Tell) -> _Result | _Raised:
    try:
        return _Result(work(tell))
    except EXPECTED as error:
        return _Raised(error)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        _print_error()
        return _Raised(FailedItself(type(error).__name__))


def _settle_in(parent: int) -> None:
    """Ctrl-C is for the parent to handle; what the system prints is not part of any result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError):
        os.dup2(2, 1)
    _end_with(parent)


def _end_with(parent: int) -> None:
    """A child that hangs would outlive a parent that was killed."""
    be_killed_with_parent()
    if os.getppid() != parent:  # it had ended before
        leave(1)


def _print_error() -> None:
    with suppress(BaseException):
        traceback.print_exc()
    flush()


def flush() -> None:
    """Write what was printed, as far as the system has left anything open to write to."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
