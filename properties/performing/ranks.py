"""Several ranks: replicas of one cache that run the same history, each with copies that complete at
times of their own.

What a scheduler sees of them must be the same everywhere: they agree to acknowledge the minimum
number of copies completed on any rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from radixproof.impl.observation import Observation, PerComponent
from radixproof.impl.system import Complete, Insertion, Lookup, close
from radixproof.model.config import Component, Pool
from radixproof.model.key import Key

T = TypeVar("T")


class Diverged(Exception):
    """Ranks that ran the same history are not the same."""


class Ranks:
    """Implements `radixproof.impl.system.Complete`; anchors and receipts are tuples with one of
    each rank.

    Every answer is compared over the ranks; `Diverged` is raised where they differ.
    """

    def __init__(self, systems: Sequence[Complete]) -> None:
        self.systems = systems

    def _same(self, what: str, answers: Sequence[T]) -> T:
        for rank, answer in enumerate(answers):
            if answer != answers[0]:
                raise Diverged(f"{what}: rank 0 has {answers[0]}, rank {rank} has {answer}")
        return answers[0]

    def _all(self, what: str, ask: Callable[[Complete], T]) -> T:
        return self._same(what, [ask(system) for system in self.systems])

    def match(self, key: Key) -> Lookup:
        found = [system.match(key) for system in self.systems]
        first = found[0]
        for rank, other in enumerate(found):
            if (other.device, other.best, other.slots, other.host) != (
                first.device,
                first.best,
                first.slots,
                first.host,
            ):
                raise Diverged(
                    f"match {key}: rank 0 finds {first[:3]}, rank {rank} finds {other[:3]}"
                )
        anchors = (
            tuple(other.anchor for other in found),
            tuple(other.best_anchor for other in found),
        )
        return first._replace(anchor=anchors[0], best_anchor=anchors[1])

    def allocate(self, tokens: int) -> list[int] | None:
        return self._all("allocate", lambda system: system.allocate(tokens))

    def available(self, pool: Pool) -> int:
        return self._all("available", lambda system: system.available(pool))

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._all("write", lambda system: system.write(slots, tags))

    def free(self, slots: Sequence[int]) -> None:
        self._all("free", lambda system: system.free(slots))

    def free_swa(self, slots: Sequence[int]) -> None:
        self._all("free_swa", lambda system: system.free_swa(slots))

    def allocate_state(self) -> int | None:
        return self._all("allocate_state", lambda system: system.allocate_state())

    def write_state(self, slot: int, tag: int) -> None:
        self._all("write_state", lambda system: system.write_state(slot, tag))

    def free_state(self, slot: int) -> None:
        self._all("free_state", lambda system: system.free_state(slot))

    def copy_state(self, anchor: Any) -> int | None:
        slots = [system.copy_state(node) for system, node in zip(self.systems, anchor, strict=True)]
        return self._same("copy_state", slots)

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
    ) -> Insertion:
        inserted = [
            system.insert(key, slots, protected, evicted, state, priority)
            for system in self.systems
        ]
        self._same("insert", [(one.reused, one.taken) for one in inserted])
        anchors = tuple(one.anchor for one in inserted)
        return inserted[0]._replace(anchor=None if None in anchors else anchors)

    def path_slots(self, anchor: Any) -> list[int]:
        return self._same(
            "path_slots",
            [system.path_slots(node) for system, node in zip(self.systems, anchor, strict=True)],
        )

    def lock(self, anchor: Any) -> Any:
        return tuple(system.lock(node) for system, node in zip(self.systems, anchor, strict=True))

    def unlock(self, receipt: Any) -> None:
        for system, own in zip(self.systems, receipt, strict=True):
            system.unlock(own)

    def release_window(self, receipt: Any) -> None:
        for system, own in zip(self.systems, receipt, strict=True):
            system.release_window(own)

    def lock_host(self, anchor: Any) -> Any:
        return tuple(
            system.lock_host(node) for system, node in zip(self.systems, anchor, strict=True)
        )

    def unlock_host(self, receipt: Any) -> None:
        for system, own in zip(self.systems, receipt, strict=True):
            system.unlock_host(own)

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        return self._all("evict", lambda system: system.evict(full, swa, mamba))

    def evict_host(self, tokens: int, component: Component) -> int:
        return self._all("evict_host", lambda system: system.evict_host(tokens, component))

    def load_back(self, anchor: Any, quota: int | None) -> int:
        return self._same(
            "load_back",
            [
                system.load_back(node, quota)
                for system, node in zip(self.systems, anchor, strict=True)
            ],
        )

    def allocate_host(self, tokens: int) -> list[int] | None:
        return self._all("allocate_host", lambda system: system.allocate_host(tokens))

    def write_host(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._all("write_host", lambda system: system.write_host(slots, tags))

    def insert_host(self, key: Key, slots: Sequence[int], start: int) -> int:
        return self._all("insert_host", lambda system: system.insert_host(key, slots, start))

    def run_copies(self, count: int, load: bool = False, fail: bool = False) -> int:
        return self._all("run_copies", lambda system: system.run_copies(count, load, fail))

    def copied(self, load: bool) -> int:
        return min(system.copied(load) for system in self.systems)

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        agreed = None if blocking else self.copied(load=False)
        return self._all("writing_check", lambda system: system.writing_check(blocking, agreed))

    def loading_check(self, blocking: bool, limit: int | None = None) -> int:
        agreed = None if blocking else self.copied(load=True)
        return self._all("loading_check", lambda system: system.loading_check(blocking, agreed))

    def in_flight(self) -> int:
        return self._all("in_flight", lambda system: system.in_flight())

    def refuse(self, pool: Pool) -> None:
        self._all("refuse", lambda system: system.refuse(pool))

    def reset(self) -> None:
        self._all("reset", lambda system: system.reset())

    def observe(self, whole: bool) -> Observation:
        return self._all("the tree", lambda system: system.observe(whole))

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        """Tags where all ranks have the same content, -1 elsewhere."""
        return [
            tags[0] if len(set(tags)) == 1 else -1
            for tags in zip(*(system.read(pool, slots) for system in self.systems), strict=True)
        ]

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        return self._all("swa_of", lambda system: system.swa_of(slots))

    def close(self) -> None:
        for system in self.systems:
            close(system)
