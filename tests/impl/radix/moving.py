"""Streams in which copies move at their own pace, and what breaks the order that they keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import torch

from radixproof.impl.radix.cuda import cuda_engine, staged
from radixproof.impl.radix.engine import Copy, ImmediateEngine, Landing, StreamEngine, Transfer
from radixproof.impl.radix_adapter.scheduled import ScheduledStreams
from radixproof.impl.streams import BACKUP, COMPUTE, LOAD, Stream

SLOWEST = 2_000_000
"""Cycles of a GPU, about a millisecond."""


class Told:
    """Streams that run when they are told, and engines that copy in them."""

    device = "cpu"

    def __init__(self, random: Random) -> None:
        self._random = random
        self._compute = Stream(COMPUTE)
        self.engines = [
            StreamEngine(ScheduledStreams(self._compute, name), _move) for name in (BACKUP, LOAD)
        ]

    def compute(self, work: Callable[[], None]) -> None:
        """Work that a forward pass does."""
        self._compute.submit(work)

    def pass_time(self) -> None:
        """Some of what waits is performed, in any of the streams."""
        for stream in (*(engine._stream for engine in self.engines), self._compute):
            for _ in range(self._random.randrange(3)):
                stream.advance()

    def finish(self) -> None:
        """All work of forward passes is done."""
        self._compute.synchronize()


def _move(transfers: Sequence[Transfer]) -> Sequence[Landing]:
    ImmediateEngine().submit(transfers)
    return ()


class Real:
    """The streams of a GPU, whose copies take a while, as long as the history says."""

    device = "cuda"

    def __init__(self, random: Random) -> None:
        self._random = random
        device = torch.device("cuda", torch.cuda.current_device())
        self.engines = [cuda_engine(device, self._slowly) for _ in range(2)]

    def _slowly(self, device: torch.device, transfer: Transfer) -> Landing:
        torch.cuda._sleep(self._random.randrange(SLOWEST))  # type: ignore[no-untyped-call]
        return staged(device, transfer)

    def compute(self, work: Callable[[], None]) -> None:
        work()

    def pass_time(self) -> None:
        torch.cuda._sleep(self._random.randrange(SLOWEST))  # type: ignore[no-untyped-call]

    def finish(self) -> None:
        torch.cuda.current_stream().synchronize()


def backups_do_not_wait(streams: Any) -> None:
    waits_for_nothing(streams.engines[0])


def loads_do_not_wait(streams: Any) -> None:
    waits_for_nothing(streams.engines[1])


def waits_for_nothing(engine: Any) -> None:
    """What an engine copies comes after what some idle stream has done."""
    streams, submit = engine._streams, engine.submit

    def at_once(transfers: Sequence[Transfer]) -> Copy:
        compute, streams.compute = streams.compute, streams.new_stream
        try:
            copy: Copy = submit(transfers)
            return copy
        finally:
            streams.compute = compute

    engine.submit = at_once


def nobody_joins(streams: Any) -> None:
    streams.engines[1].join = lambda: None


def ends_are_told_early(streams: Any) -> None:
    for engine in streams.engines:
        engine.poll = partial(landed, engine)


def landed(engine: StreamEngine[Any]) -> None:
    """All copies are said to be done, whether they have run or not."""
    for flight in engine._flying:
        flight.copy.done = True
