"""Copy engines: what moves KV between pools, and who says when.

A cache is given its engines from outside, one for backups and one for load-backs. Each performs its
copies in the order in which they were submitted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from radixproof.impl.radix.pools import KVPool, Slots


class Transfer(NamedTuple):
    """The part of a copy that concerns one pair of pools, slot by slot."""

    source: KVPool
    source_slots: Slots
    target: KVPool
    target_slots: Slots


@dataclass(slots=True, eq=False)
class Copy:
    """What `CopyEngine.submit` returns: one copy, and how it went.

    At most one of ``done`` and ``failed`` ever becomes true.
    """

    transfers: tuple[Transfer, ...]
    done: bool = False
    """The KV is in the target slots."""
    failed: bool = False
    """The target slots may hold anything, and the engine has forgotten the copy.

    Whoever wants it submits its transfers again.
    """


class CopyEngine(Protocol):
    """Performs copies asynchronously.

    Until a copy is known to be done its slots must be neither reused nor rewritten.
    """

    def submit(self, transfers: Sequence[Transfer]) -> Copy:
        """Queue one copy. It reads what the work submitted to the device so far has written."""

    def poll(self) -> None:
        """Find out, without waiting, which copies have ended."""

    def wait(self) -> None:
        """Return when every copy has ended."""

    def clear(self) -> None:
        """Forget all copies; their slots may be reused on return."""

    def join(self) -> None:
        """Let work that is submitted to the device from now on wait for all copies so far.

        The caller itself does not wait.
        """


class ImmediateEngine:
    """Copies at once, within `submit`. For caches whose device is the CPU."""

    def submit(self, transfers: Sequence[Transfer]) -> Copy:
        for transfer in transfers:
            transfer.target.scatter(
                transfer.target_slots, transfer.source.gather(transfer.source_slots)
            )
        return Copy(tuple(transfers), done=True)

    def poll(self) -> None:
        pass

    def wait(self) -> None:
        pass

    def clear(self) -> None:
        pass

    def join(self) -> None:
        pass


# -- copies in a stream of their own ---------------------------------------------------------------

StreamT = TypeVar("StreamT", bound="AnyStream")


class AnyStream(Protocol):
    """What an engine asks of a stream: one of ``torch.cuda``, or one that runs when it is told."""

    def wait_stream(self, stream: Any, /) -> None: ...

    def synchronize(self) -> None: ...


class AnyEvent(Protocol):
    """What an engine asks of an event, likewise."""

    def record(self, stream: Any, /) -> None: ...

    def query(self) -> bool: ...

    def synchronize(self) -> None: ...


class Streams(Protocol[StreamT]):
    """The streams and events of one device."""

    def new_stream(self) -> StreamT: ...

    def new_event(self) -> AnyEvent: ...

    def compute(self) -> StreamT:
        """The stream that the caller computes in."""

    def submit(self, stream: StreamT, work: Callable[[], None]) -> None:
        """Do some work in a stream."""


Landing: TypeAlias = Callable[[], None]
"""What the host has to do for a transfer once it has arrived. It keeps alive what the stream uses.
"""


@dataclass(slots=True, eq=False)
class Flight:
    """A copy on its way."""

    copy: Copy
    ended: AnyEvent
    fails: bool = False
    landings: list[Landing] = field(default_factory=list)


class StreamEngine(Generic[StreamT]):
    """Copies between a device and its host in a stream of their own, without stopping either.

    Device work is ordered after everything that the stream of the caller had been given at
    `submit`: that may still write what is copied, or use what was in the target slots. Of what the
    caller does afterwards nothing is ordered after a copy, unless it waits until the copy is done
    or calls `join`. Use one engine for each direction, or copies wait for each other.
    """

    def __init__(
        self, streams: Streams[StreamT], move: Callable[[Sequence[Transfer]], Iterable[Landing]]
    ) -> None:
        """``move`` submits the transfers of a copy to the current stream."""
        self._streams = streams
        self._stream = streams.new_stream()
        self._move = move
        self._flying: deque[Flight] = deque()

    def submit(self, transfers: Sequence[Transfer]) -> Copy:
        flight = Flight(Copy(tuple(transfers)), self._streams.new_event())
        self._stream.wait_stream(self._streams.compute())
        self._enqueue(flight)
        flight.ended.record(self._stream)
        self._flying.append(flight)
        return flight.copy

    def poll(self) -> None:
        while self._flying and self._flying[0].ended.query():
            _land(self._flying.popleft())

    def wait(self) -> None:
        while self._flying:
            self._flying[0].ended.synchronize()
            _land(self._flying.popleft())

    def clear(self) -> None:
        self._stream.synchronize()
        self._flying.clear()

    def join(self) -> None:
        self._streams.compute().wait_stream(self._stream)

    def _enqueue(self, flight: Flight) -> None:
        self._streams.submit(self._stream, partial(self._start, flight))

    def _start(self, flight: Flight) -> None:
        flight.landings += self._move(flight.copy.transfers)


def _land(flight: Flight) -> None:
    for landing in flight.landings:
        landing()
    flight.copy.done, flight.copy.failed = not flight.fails, flight.fails
