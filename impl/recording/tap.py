"""The end of a recording that lies in the server's process: it takes notes, and hands them on.

Noting is putting a tuple into a queue. A thread empties it ten times a second into the pipe to the
scribe; the server never waits for it. Whatever goes wrong ends the recording, and nothing else.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import subprocess
import sys
import threading
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from radixproof.impl.recording.notes import FLUSH, FORGET, HEAD, Note

EVERY = 0.1
"""Seconds between two times that the queue is emptied."""
MOST_WAITING = 200_000
"""Notes that may wait for the scribe: beyond that the recording ends."""
MOST_REQUESTS = 4096
"""Requests whose tokens are taken to be known to the scribe."""


def recording_folder(folder: Path) -> Path:
    """A new folder in this one, for a recording of this process. Raises OSError."""
    for number in count(1):
        own = folder / f"{os.getpid()}-{number}"
        with contextlib.suppress(FileExistsError):
            own.mkdir(parents=True)
            return own
    raise AssertionError("numbers do not end")


def place_of(error: BaseException) -> str:
    """Where an error was raised: nothing of what it says, which may name tokens."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}"


def begin(
    folder: Path, system: str, config: dict[str, Any], free: Mapping[str, Callable[[], int]]
) -> Tap:
    """A recording of this process in a new folder in this one.

    ``system`` is its name, ``config`` by the names of a history's, ``free`` counts the free slots
    of each pool. Raises OSError.
    """
    head = {"radixproof": "trace", "version": 1, "system": system, "config": config}
    counts = tuple(free.values())
    own = recording_folder(folder)
    return Tap(own, {**head, "pools": [*free]}, lambda: tuple([int(count()) for count in counts]))


def _pass_over(note: Note) -> None:
    """Take a note when the recording has ended."""


def raised(error: BaseException) -> Note:
    """What is noted of an error: its type, and where it was raised."""
    return type(error).__name__, place_of(error)


class Tap:
    """One recording of one cache, in this process and none that is forked off it."""

    def __init__(
        self, folder: Path, head: dict[str, Any], free: Callable[[], tuple[int, ...]]
    ) -> None:
        """Start the scribe, which writes into an empty ``folder``, of each segment ``head`` first.

        ``free`` counts what is free in each pool. Raises OSError.
        """
        self.folder = folder
        self._count_free, self._to_count = free, True
        self._queue: deque[Note] = deque()
        self.note: Callable[[Note], None] = self._queue.append
        """Take a note: it is written within a second, if the recording goes on that long."""
        self._told: dict[str, tuple[int, int]] = {}
        """By request: how many of its tokens the scribe knows, and the last of these."""
        self.ended = ""
        """Why nothing is noted any more; empty while it is."""
        self.busy = False
        """A call that is noted is under way: what it calls itself is a part of it."""
        self.request: str | None = None
        """That for which calls are made now."""
        read, pipe = os.pipe()
        os.set_blocking(pipe, False)
        self._pipe: int | None = pipe
        with open(read, "rb") as notes:
            self._scribe = subprocess.Popen(
                [sys.executable, "-m", "radixproof.impl.recording.scribe", str(folder)],
                stdin=notes,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._empty, name="radixproof", daemon=True)
        os.register_at_fork(after_in_child=self._leave)
        self.note((HEAD, head))
        self._thread.start()

    def prompt(
        self, tokens: Sequence[int], length: int, namespace: str, request: str | None
    ) -> Note:
        """A key of so many tokens as a `Prompt`: of a request, only what has not been noted yet.

        Where it does not go on as the request did, its name has come again.
        """
        start = 0
        if request is not None:
            told, last = self._told.get(request, (0, 0))
            if 0 < told <= length and tokens[told - 1] != last:
                self.forget(request)
                told = 0
            if length > told:
                self._told[request] = length, tokens[length - 1]
                if len(self._told) > MOST_REQUESTS:
                    self.forget(next(iter(self._told)))
            start = min(told, length)
        new = tokens[start:length]
        if not isinstance(new, array) or new.typecode != "q":
            new = array("q", new)
        return namespace, request, start, new, length

    def free(self) -> tuple[int, ...] | None:
        """What is free in each pool; None if that has been counted since the queue was emptied."""
        if not self._to_count:
            return None
        self._to_count = False
        return self._count_free()

    def forget(self, request: str) -> None:
        """A request has ended, or there are too many: its name may come with other tokens."""
        if self._told.pop(request, None) is not None:
            self.note((FORGET, request))

    def end(self, why: str) -> None:
        """Note nothing more, and let the scribe finish what it has."""
        if not self.ended:
            self.ended, self.note = why, _pass_over
            self._woken.set()

    def fail(self, error: Exception) -> None:
        """A call could not be described. The server must not feel it; the recording ends."""
        self.end(f"{type(error).__name__}: {error} ({place_of(error)})")

    def close(self) -> None:
        """End the recording, and wait until all of it is written."""
        self.end("it was closed")
        self._thread.join()
        self._scribe.wait()

    def _leave(self) -> None:
        """In a process that was forked off: the recording is that of its parent alone."""
        self.ended = self.ended or "this process was forked off the one that is recorded"
        self.note = _pass_over
        self._hang_up()

    def _empty(self) -> None:
        """What the thread does."""
        last = False
        try:
            while not last:
                self._woken.wait(EVERY)
                self._to_count = True
                self._watch()
                last = bool(self.ended)
                notes = [self._queue.popleft() for _ in range(len(self._queue))]
                if notes:
                    last = not self._hand_on([*notes, (FLUSH,)]) or last
        except Exception as error:
            self.fail(error)
        finally:
            self._hang_up()

    def _watch(self) -> None:
        """What waits must not fill the memory of the server."""
        if len(self._queue) > MOST_WAITING:
            self.end("the notes come faster than they can be written")

    def _hang_up(self) -> None:
        """Close the pipe, once: its number may soon be that of another file."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)

    def _hand_on(self, notes: Sequence[Note]) -> bool:
        """Whether the scribe takes them. That may take time, which only this thread has to wait.

        Many are packed at once, which costs a fraction of packing each when it is noted.
        """
        assert self._pipe is not None
        writable = select.poll()
        writable.register(self._pipe, select.POLLOUT)
        try:
            left = memoryview(b"".join(map(marshal.dumps, notes)))
            while left:
                if writable.poll(EVERY * 1_000):
                    left = left[os.write(self._pipe, left) :]
                self._watch()
        except ValueError as error:  # of something that is not plain
            self.fail(error)
            return False
        except OSError:
            self.end("the scribe has ended")
            return False
        return True
