"""Streams and events in place of an accelerator's: work waits until it is told to run, and what
orders it is written down.

They have the methods of those of ``torch.cuda``. Work that is submitted to a stream waits there
until somebody waits for it, or until the harness lets it run; an event is reached with the work
before it, and not earlier. Everything that is queued belongs to a stream, and every cache has its
own streams, so that nothing leaks from one cache into the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from radixproof.model.config import Pool

HOST = "host"
"""The thread that submits: what it does by itself is in the order in which it does it."""
COMPUTE = "compute"
"""The stream of forward passes."""
BACKUP, LOAD = "backup", "load-back"
"""The streams of copies, and who makes them."""
FORWARD, STATE_COPY, FETCH = "forward", "state-copy", "fetch"
"""Who else reads and writes."""


class Access(NamedTuple):
    """Work in a stream, or of the host itself, reads or writes these slots."""

    stream: str
    pool: Pool
    slots: Sequence[int]
    writes: bool
    by: str
    """Who: a backup, a load-back, a forward pass."""


class Recorded(NamedTuple):
    """An event is recorded in a stream: it is reached with all work before it."""

    stream: str
    event: int


class Awaited(NamedTuple):
    """What comes next in a stream comes after the event; of the `HOST`: it knows that the event is
    reached.
    """

    stream: str
    event: int


Entry: TypeAlias = Access | Recorded | Awaited


class Timeline:
    """What one cache has submitted, and waited for, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._events = 0

    def note(self, entry: Entry) -> None:
        self._entries.append(entry)

    def new_event(self) -> int:
        """The number of an event that is about to be recorded: no other has it."""
        self._events += 1
        return self._events

    def drain(self) -> list[Entry]:
        """What has been noted since the last call."""
        entries, self._entries = self._entries, []
        return entries


class Stream:
    """Work in the order in which it was submitted, performed when somebody asks for it.

    One that is ``immediate`` performs it at once. Without a ``timeline`` nothing is written down.
    """

    __slots__ = ("_immediate", "_queue", "name", "timeline")

    def __init__(
        self, name: str = "", timeline: Timeline | None = None, immediate: bool = False
    ) -> None:
        self.name = name
        self.timeline = timeline
        self._immediate = immediate
        self._queue: deque[Callable[[], object]] = deque()

    def submit(self, work: Callable[[], object]) -> None:
        if self._immediate:
            work()
        else:
            self._queue.append(work)

    def advance(self) -> bool:
        """Perform the oldest piece of work; returns whether there was one."""
        if not self._queue:
            return False
        self._queue.popleft()()
        return True

    def run(self) -> None:
        """Perform everything, of which the host learns nothing."""
        while self.advance():
            pass

    def synchronize(self) -> None:
        """The host waits until everything is performed."""
        self.run()
        if self.timeline is not None:
            number = self.timeline.new_event()
            self.timeline.note(Recorded(self.name, number))
            self.timeline.note(Awaited(HOST, number))

    def wait_event(self, event: Event) -> None:
        self.submit(event.reach)
        if self.timeline is not None:
            self.timeline.note(Awaited(self.name, event.number))

    def wait_stream(self, stream: Stream) -> None:
        event = Event()
        event.record(stream)
        self.wait_event(event)

    def expect(self, stream: Stream) -> None:
        """Write down that what comes next comes after another stream, and do not wait for that."""
        if self.timeline is not None:
            number = self.timeline.new_event()
            self.timeline.note(Recorded(stream.name, number))
            self.timeline.note(Awaited(self.name, number))

    def access(self, pool: Pool, slots: Sequence[int], writes: bool, by: str) -> None:
        """Say what the work that is submitted next does to the slots of a pool."""
        if self.timeline is not None and len(slots):
            self.timeline.note(Access(self.name, pool, slots, writes, by))


class Event:
    """Reached when its stream has come to all records of it; without any it is, as in CUDA."""

    __slots__ = ("_outstanding", "_stream", "number")

    def __init__(self) -> None:
        self._outstanding = 0
        self._stream: Stream | None = None
        self.number = 0

    def record(self, stream: Stream) -> None:
        self._stream = stream
        self._outstanding += 1
        stream.submit(self._reached)
        if stream.timeline is not None:
            self.number = stream.timeline.new_event()
            stream.timeline.note(Recorded(stream.name, self.number))

    @property
    def reached(self) -> bool:
        """Whether it is, for the harness: the host does not ask."""
        return self._outstanding == 0

    def reach(self) -> None:
        """Perform what is before it, of which the host learns nothing."""
        while self._outstanding and self._stream is not None and self._stream.advance():
            pass

    def query(self) -> bool:
        """Whether it is reached; if so, the host knows it."""
        if self.reached:
            self._known()
        return self.reached

    def synchronize(self) -> None:
        """The host waits for it."""
        self.reach()
        self._known()

    def wait(self, stream: Stream) -> None:
        stream.wait_event(self)

    def _known(self) -> None:
        if self._stream is not None and self._stream.timeline is not None:
            self._stream.timeline.note(Awaited(HOST, self.number))

    def _reached(self) -> None:
        self._outstanding -= 1
