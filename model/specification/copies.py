"""Copies in flight between device and host: queues that the engine runs (semantics 17).

Every rank runs them at a pace of its own.
"""

from __future__ import annotations

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

    @property
    def complete(self) -> bool:
        """Whether the bytes have moved on every rank (semantics 17.7)."""
        return all(self.ran)


class Copies:
    """All copies that have not been acknowledged, in the order in which they were submitted."""

    def __init__(self, ranks: int) -> None:
        self.ranks = ranks
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

    def submit(self, load: bool, node: list[Page], targets: PagesPerPool) -> Copy:
        """Queue a copy on every rank (semantics 17.1)."""
        copy = Copy(self.next_holder(load), load, node, targets, [False] * self.ranks)
        self.started += 1
        self.flying.append(copy)
        for rank in range(self.ranks):
            self.queued[load, rank].append(copy)
        return copy

    def run(self, count: int, load: bool = False, rank: int = 0, fail: bool = False) -> list[Copy]:
        """The next ``count`` copies of one queue move their bytes, or fail (17.1, 17.4)."""
        queue = self.queued[load, rank]
        ran = queue[:count]
        del queue[:count]
        for copy in ran:
            copy.ran[rank] = not fail
        if fail:
            self.failed[load, rank] += ran
        return ran

    def check(self, load: bool, blocking: bool) -> list[Copy]:
        """What is acknowledged now: complete copies, from the front of the queue (semantics 8.4,
        9.5, 17.7).

        Failed copies are submitted again, behind the others (17.4).
        """
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
