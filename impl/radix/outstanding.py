"""Outstanding copies: submitted, and not acknowledged yet."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from radixproof.impl.radix.engine import CopyEngine
from radixproof.impl.radix.node import InFlight

T = TypeVar("T", bound=InFlight)


class Outstanding(Generic[T]):
    """The copies of one engine that have not been acknowledged, in the order of submission.

    In that order they will be.
    """

    def __init__(self, engine: CopyEngine) -> None:
        self._engine = engine
        self._entries: deque[T] = deque()
        self._ahead: deque[T] = deque()
        """Those whose copies have not been seen to end, in the order in which they are performed.
        """

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: T) -> None:
        self._entries.append(entry)
        self._ahead.append(entry)

    def finish(self, blocking: bool, limit: int | None) -> list[T]:
        """Take out the entries whose copies are done, up to the first that is not, and return them.

        A poll takes ``limit`` at most; if ``blocking``, all copies are waited for and taken. Copies
        that failed are made again first, after what is queued, and keep their place here.
        """
        if not self._entries:
            return []
        self._engine.poll()
        self._repeat()
        while blocking and self._ahead:
            self._engine.wait()
            self._repeat()
        count = self.done()
        if limit is not None and not blocking:
            count = min(count, limit)
        return [self._entries.popleft() for _ in range(count)]

    def done(self) -> int:
        """How many entries a poll without limit would return now."""
        self._engine.poll()
        return next(
            (number for number, entry in enumerate(self._entries) if not entry.copy.done),
            len(self._entries),
        )

    def clear(self) -> None:
        """Forget all copies."""
        self._engine.clear()
        self._entries.clear()
        self._ahead.clear()

    def _repeat(self) -> None:
        """Submit every copy that failed again, in the order in which they did."""
        for _ in range(len(self._ahead)):
            entry = self._ahead[0]
            if not (entry.copy.done or entry.copy.failed):
                return
            self._ahead.popleft()
            if entry.copy.failed:
                entry.copy = self._engine.submit(entry.copy.transfers)
                self._ahead.append(entry)
