"""Copies in flight between device and host: queues that somebody else runs, on every rank at its own pace (semantics 17)."""

from __future__ import annotations

from dataclasses import dataclass, field

from radixproof.model.rules import PagesPerPool
from radixproof.model.trie import Page


@dataclass(slots=True, eq=False)
class Copy:
    """One backup, or load-back: a lock under its name, the pages it marks, and the pages it writes per pool."""

    name: str
    load: bool
    node: list[Page]
    targets: PagesPerPool
    ran: list[bool] = field(default_factory=list)
    """Per rank: the bytes have moved."""

    @property
    def complete(self) -> bool:
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

    def submit(self, load: bool, node: list[Page], targets: PagesPerPool) -> Copy:
        self.started += 1
        copy = Copy(
            f"{'load-back' if load else 'backup'} {self.started}",
            load,
            node,
            targets,
            [False] * self.ranks,
        )
        self.flying.append(copy)
        for rank in range(self.ranks):
            self.queued[load, rank].append(copy)
        return copy

    def run(self, count: int, load: bool = False, rank: int = 0, fail: bool = False) -> list[Copy]:
        """The next ``count`` copies of one queue move their bytes, or fail to (semantics 17.1)."""
        queue = self.queued[load, rank]
        ran, queue[:] = queue[:count], queue[count:]
        for copy in ran:
            copy.ran[rank] = not fail
        if fail:
            self.failed[load, rank] += ran
        return ran

    def check(self, load: bool, blocking: bool) -> list[Copy]:
        """What is acknowledged now: from the front, what is complete on every rank (semantics 8.4, 9.5). Failed copies go again."""
        for rank in range(self.ranks):
            self.queued[load, rank] += self.failed[load, rank]
            self.failed[load, rank] = []
            if blocking:
                self.run(len(self.queued[load, rank]), load, rank)
        acked: list[Copy] = []
        for copy in self.flying:
            if copy.load == load:
                if not copy.complete:
                    break
                acked.append(copy)
        self.flying = [copy for copy in self.flying if copy not in acked]
        return acked

    def busy(self) -> set[Page]:
        """Pages that a copy in flight marks."""
        return {page for copy in self.flying for page in copy.node}
