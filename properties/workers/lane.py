"""A lane: a process that does one job after another, and tells what it has to tell.

Why not `concurrent.futures`: a search sends news long before it has a result; two releases of
SGLang cannot share a process; and when a process dies, its job must be named while the others go
on, whereas there a dead process breaks the whole pool. So this is built on `multiprocessing`.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Any, TypeAlias

from radixproof.impl.registry import UnknownSystem
from radixproof.impl.system import Unavailable
from radixproof.properties.guarding.child import FailedItself
from radixproof.properties.guarding.lifeline import end_with_parent, start
from radixproof.properties.histories.history_json import HistoryError


@dataclass(frozen=True, slots=True)
class News:
    """Something that is told while a job is being done."""

    job: Any
    news: Any


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a job, and its result."""

    job: Any
    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The end of a job that could not be done, or whose process died: why, and what to do."""

    job: Any
    reason: str
    unknown: bool = False
    """Whether the system's name, or the code that it stands for, cannot be used at all."""


Event: TypeAlias = News | Done | Failed
Work: TypeAlias = Callable[[Any, Callable[[Any], None]], Any]
"""What a process does with a job: it is given a function that sends news, and returns a result.

It is a function of a module, so that another process can import it. All that passes through is
plain data; in words, a job says what it is about.
"""


CONTEXT: SpawnContext | ForkServerContext = multiprocessing.get_context("spawn")
"""How processes begin: anew, so that none has anything of the systems that another one runs.

Our own tests begin them as forks of a process that has imported torch, and no system.
"""


class Lane:
    """A process that does one job after another."""

    def __init__(self, work: Work) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_serve, args=(theirs, work), daemon=True)
        start(self.process)
        theirs.close()
        self.job: Any = None
        """What it is doing; None if it has nothing to do."""

    def give(self, job: Any) -> None:
        self.job = job
        with suppress(OSError):  # if it is dead, `event` will find that
            self.pipe.send(job)

    def event(self) -> Event:
        """What the process sends next; its death is an event, too."""
        job = self.job
        try:
            sent: Event = self.pipe.recv()
            event: Event = replace(sent, job=job)
        except (EOFError, OSError):
            self.process.join()
            how = _ending(self.process.exitcode or 0)
            event = Failed(job, f"the process that ran {job} ended without a result ({how})")
        if not isinstance(event, News):
            self.job = None
        return event

    def end(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


def _ending(code: int) -> str:
    """``exit code 3``, or the signal that killed a process."""
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"


def _serve(pipe: Connection, work: Work) -> None:
    """What a process does: one job after another until there are no more."""

    def send(event: Event) -> None:
        """Whoever gave the job knows it, and it may be a history of 100,000 operations."""
        pipe.send(replace(event, job=None))

    end_with_parent()
    try:
        while True:
            job = pipe.recv()
            send(done(job, work, send))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        sys.exit(1)


def done(job: Any, work: Work, send: Callable[[Event], None]) -> Done | Failed:
    """The end of a job that is done here and now; its news are sent."""

    def tell(news: Any) -> None:
        send(News(job, news))

    try:
        return Done(job, work(job, tell))
    except UnknownSystem as error:
        return Failed(job, str(error), unknown=True)
    except (Unavailable, HistoryError) as error:
        return Failed(job, str(error))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except FailedItself as error:  # its traceback was printed where it was raised
        return _itself(job, str(error))
    except Exception as error:
        traceback.print_exc()
        return _itself(job, type(error).__name__)


def _itself(job: Any, error: str) -> Failed:
    return Failed(job, f"radixproof itself failed ({error}) while it ran {job}; please report this")
