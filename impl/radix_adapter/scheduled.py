"""A copy engine whose copies run, or fail, when they are told to, after the forward pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import torch

from radixproof.impl.radix.engine import Copy, CopyEngine, Transfer


class ForwardPass:
    """What was launched on the device and has not been computed there yet."""

    def __init__(self) -> None:
        self._writes: list[Callable[[], None]] = []

    def launch(self, writes: Sequence[Callable[[], None]]) -> None:
        self._writes += writes

    def run(self) -> None:
        for write in self._writes:
            write()
        self._writes.clear()


class ScheduledEngine:
    """Holds copies back until `run` lets them through to ``inner``.

    When bytes move, and whether, is the caller's choice; but a copy comes after the ``forward``
    pass that was launched before, as `CopyEngine.submit` says.
    """

    def __init__(self, inner: CopyEngine, forward: ForwardPass) -> None:
        self._inner = inner
        self.forward = forward
        self._queue: deque[Copy] = deque()

    @property
    def queued(self) -> int:
        """Copies that have not been performed."""
        return len(self._queue)

    def run(self, count: int, fail: bool = False) -> int:
        """Perform, or ``fail``, up to ``count`` of the oldest queued copies; returns how many."""
        performed = min(count, len(self._queue))
        for _ in range(performed):
            copy = self._queue.popleft()
            if fail:
                _spoil(copy)
            else:
                self.forward.run()
                inner = self._inner.submit(copy.transfers)
                self._inner.wait()
                copy.done, copy.failed = inner.done, inner.failed
        return performed

    def submit(self, transfers: Sequence[Transfer]) -> Copy:
        copy = Copy(tuple(transfers))
        self._queue.append(copy)
        return copy

    def poll(self) -> None:
        pass

    def wait(self) -> None:
        self.run(len(self._queue))

    def clear(self) -> None:
        self._queue.clear()
        self._inner.clear()


def _spoil(copy: Copy) -> None:
    """Fail a copy: the first half of every transfer arrives as garbage, the rest not at all."""
    for transfer in copy.transfers:
        slots = transfer.target_slots[: (len(transfer.target_slots) + 1) // 2]
        # Keys and values alike: nothing that a cache computes, and no tag.
        transfer.target.scatter(slots, torch.full_like(transfer.target.gather(slots), -1))
    copy.failed = True
