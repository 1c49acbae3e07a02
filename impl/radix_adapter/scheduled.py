"""Copies that run, or fail, when they are told to, in streams that say what orders them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from radixproof.impl.radix.engine import (
    Copy,
    CopyEngine,
    Flight,
    Landing,
    StreamEngine,
    Transfer,
)
from radixproof.impl.radix.pools import KVPool, Slots
from radixproof.impl.streams import Event, Stream
from radixproof.model.config import Pool


class ScheduledStreams:
    """Implements `radixproof.impl.radix.engine.Streams`: that of forward passes, and one for copies
    of one direction, by whose name reports know it.
    """

    def __init__(self, forward: Stream, name: str) -> None:
        self.forward = forward
        self._name = name

    def new_stream(self) -> Stream:
        return Stream(self._name, self.forward.timeline)

    def new_event(self) -> Event:
        return Event()

    def compute(self) -> Stream:
        return self.forward

    def submit(self, stream: Stream, work: Callable[[], None]) -> None:
        stream.submit(work)


class ScheduledEngine(StreamEngine[Stream]):
    """Holds copies back until `run` lets them through to ``inner``.

    When bytes move, and whether, is the caller's choice; but a copy comes after what its stream
    waits for.
    """

    def __init__(
        self, streams: ScheduledStreams, inner: CopyEngine, pools: Mapping[KVPool, Pool]
    ) -> None:
        """``pools`` has the names by which accesses are told."""
        super().__init__(streams, self._through)
        self._inner = inner
        self._pools = pools

    @property
    def queued(self) -> int:
        """Copies that have not been performed."""
        return len(self._waiting())

    def run(self, count: int, fail: bool = False) -> int:
        """Perform, or ``fail``, up to ``count`` of the oldest queued copies; returns how many."""
        waiting = self._waiting()[:count]
        for flight in waiting:
            flight.fails = fail
            _event(flight).reach()
        return len(waiting)

    def join(self) -> None:
        """Only said: what a history computes it computes from its prompts, and when copies run it
        chooses itself.
        """
        self._streams.compute().expect(self._stream)

    def _enqueue(self, flight: Flight) -> None:
        for source, read, target, written in flight.copy.transfers:
            self._note(source, read, writes=False)
            self._note(target, written, writes=True)
        super()._enqueue(flight)

    def _note(self, pool: KVPool, slots: Slots, writes: bool) -> None:
        if pool in self._pools:
            self._stream.access(self._pools[pool], slots.tolist(), writes, self._stream.name)

    def _start(self, flight: Flight) -> None:
        if flight.fails:
            _spoil(flight.copy)
        else:
            super()._start(flight)

    def _through(self, transfers: Sequence[Transfer]) -> Sequence[Landing]:
        self._inner.submit(transfers)
        self._inner.wait()
        return ()

    def _waiting(self) -> list[Flight]:
        return [flight for flight in self._flying if not _event(flight).reached]


def _event(flight: Flight) -> Event:
    assert isinstance(flight.ended, Event)
    return flight.ended


def _spoil(copy: Copy) -> None:
    """Fail a copy: the first half of every transfer arrives as garbage, the rest not at all."""
    for transfer in copy.transfers:
        slots = transfer.target_slots[: (len(transfer.target_slots) + 1) // 2]
        # Keys and values alike: nothing that a cache computes, and no tag.
        transfer.target.scatter(slots, torch.full_like(transfer.target.gather(slots), -1))
