"""Copy engines: what moves KV between pools, and who says when.

A cache is given its engine from outside. Copies complete in the order in which they were submitted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from radixproof.impl.radix.pools import KVPool, Slots


class Transfer(NamedTuple):
    """The part of a copy that concerns one pair of pools: KV of ``source_slots`` goes to ``target_slots``, slot by slot."""

    source: KVPool
    source_slots: Slots
    target: KVPool
    target_slots: Slots


class CopyEngine(Protocol):
    """Performs copies asynchronously. Until a copy is reported complete its slots must be neither reused nor rewritten."""

    def submit(self, transfers: Sequence[Transfer]) -> None:
        """Queue one copy. It reads what the work submitted to the device so far has written."""

    def poll(self) -> int:
        """How many copies completed that were not reported before: the oldest ones. Does not wait."""

    def wait(self) -> int:
        """Complete every copy, and report those that were not reported before."""

    def clear(self) -> None:
        """Forget all copies; their slots may be reused on return."""


class ImmediateEngine:
    """Copies while it is being told to. For caches whose device is the CPU."""

    def __init__(self) -> None:
        self._unreported = 0

    def submit(self, transfers: Sequence[Transfer]) -> None:
        for transfer in transfers:
            transfer.target.scatter(transfer.target_slots, transfer.source.gather(transfer.source_slots))
        self._unreported += 1

    def poll(self) -> int:
        reported, self._unreported = self._unreported, 0
        return reported

    def wait(self) -> int:
        return self.poll()

    def clear(self) -> None:
        self._unreported = 0


class ScheduledEngine:
    """Holds copies back until `run` lets them through to ``inner``: the time at which bytes move is the caller's choice."""

    def __init__(self, inner: CopyEngine) -> None:
        self._inner = inner
        self._queue: deque[tuple[Transfer, ...]] = deque()
        self._unreported = 0

    @property
    def queued(self) -> int:
        """Copies that have not been performed."""
        return len(self._queue)

    def run(self, count: int) -> int:
        """Perform up to ``count`` of the oldest queued copies; returns how many."""
        performed = min(count, len(self._queue))
        for _ in range(performed):
            self._inner.submit(self._queue.popleft())
            self._unreported += self._inner.wait()
        return performed

    def submit(self, transfers: Sequence[Transfer]) -> None:
        self._queue.append(tuple(transfers))

    def poll(self) -> int:
        reported, self._unreported = self._unreported, 0
        return reported

    def wait(self) -> int:
        self.run(len(self._queue))
        return self.poll()

    def clear(self) -> None:
        self._queue.clear()
        self._inner.clear()
        self._unreported = 0
