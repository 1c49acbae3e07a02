"""Copies in flight between device and host: queues that the engine runs (semantics 17).

Every rank runs them at a pace of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile

from radixproof.model.specification.trie import Holder, HolderKind, Page, PagesPerPool


@dataclass(slots=True, eq=False)
class Copy:
    """One backup, or load-back: its lock, the pages it marks, and those it writes per pool."""

    holder: Holder
    load: bool
    node: list[Page]
    targets: PagesPerPool
    ran: list[bool] = field(default_factory=list)
    """Per rank: the bytes have moved."""
    batch: int = 0
    """Copies of one batch are submitted, run and acknowledged as one; 0 until they are."""

    @property
    def complete(self) -> bool:
        """Whether the bytes have moved on every rank (semantics 17.7)."""
        return all(self.ran)


def batches(copies: Iterable[Copy]) -> int:
    """How many copies these are for the engine, and for those who are told (semantics 17.1)."""
    return len({copy.batch for copy in copies})


class Copies:
    """All copies that have not been acknowledged, in the order in which they were started.

    Backups that are ``held`` back wait for the next check, which submits all of them as one batch.
    """

    def __init__(self, ranks: int, held: bool = False) -> None:
        self.ranks = ranks
        self.held = held
        self.started = 0
        self.flying: list[Copy] = []
        self.queued: dict[tuple[bool, int], list[Copy]] = {
            (load, rank): [] for load in (False, True) for rank in range(ranks)
        }
        """Per kind and rank: copies that the engine will perform, in its order."""
        self.failed: dict[tuple[bool, int], list[Copy]] = {queue: [] for queue in self.queued}

    def next_holder(self, load: bool) -> Holder:
        """The holder under which the next copy locks its pages (semantics 8.3, 9.2)."""
        return Holder(HolderKind.COPY, "load-back" if load else "backup", self.started + 1)

    def start(self, load: bool, node: list[Page], targets: PagesPerPool) -> Copy:
        """A copy that every rank is to perform; it is submitted at once, or with the next check
        (semantics 8.3, 17.1).
        """
        copy = Copy(self.next_holder(load), load, node, targets, [False] * self.ranks)
        self.started += 1
        self.flying.append(copy)
        if load or not self.held:
            self._submit(load)
        return copy

    def _submit(self, load: bool) -> None:
        """Queue as one, on every rank, what has not been submitted yet (semantics 17.1)."""
        for copy in self.flying:
            if copy.load == load and not copy.batch:
                copy.batch = self.started
                for rank in range(self.ranks):
                    self.queued[copy.load, rank].append(copy)

    def run(self, count: int, load: bool = False, rank: int = 0, fail: bool = False) -> list[Copy]:
        """The next ``count`` batches of one queue move their bytes, or fail (17.1, 17.4)."""
        queue = self.queued[load, rank]
        chosen = list(dict.fromkeys(copy.batch for copy in queue))[:count]
        ran = [copy for copy in queue if copy.batch in chosen]
        self.queued[load, rank] = queue[len(ran) :]
        for copy in ran:
            copy.ran[rank] = not fail
        if fail:
            self.failed[load, rank] += ran
        return ran

    def check(self, load: bool, blocking: bool) -> list[Copy]:
        """What is acknowledged now: complete copies, from the front of the queue (semantics 8.4,
        9.5, 17.7).

        Failed copies are submitted again, behind the others (17.4). A check of the backups submits
        those that were held back (8.3).
        """
        if not load:
            self._submit(load)
        for rank in range(self.ranks):
            self.queued[load, rank] += self.failed[load, rank]
            self.failed[load, rank] = []
            if blocking:
                self.run(len(self.queued[load, rank]), load, rank)
        waiting = (copy for copy in self.flying if copy.load == load)
        acked = list(takewhile(lambda copy: copy.complete, waiting))
        self.flying = [copy for copy in self.flying if copy not in acked]
        return acked

    def marked_by_backups(self) -> set[Page]:
        """Pages that a backup in flight marks (semantics 8.3)."""
        return {page for copy in self.flying if not copy.load for page in copy.node}

    def busy(self) -> set[Page]:
        """Pages that a copy in flight marks (semantics 1.1)."""
        return {page for copy in self.flying for page in copy.node}
