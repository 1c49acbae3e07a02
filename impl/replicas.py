"""Replicas: several caches that run one history, and whose answers are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

from radixproof.impl.carrying import Carriage, Tracked
from radixproof.impl.difference import difference
from radixproof.impl.fetching import Fetch
from radixproof.impl.observation import (
    Event,
    NodeView,
    Observation,
    PerComponent,
    Slots,
    SlotsPerPool,
)
from radixproof.impl.system import Complete, Fetched, Insertion, Lookup, close
from radixproof.model.config import HOST, POOLS, Component, Pool
from radixproof.model.key import Key

T = TypeVar("T")
Call = TypeVar("Call", Carriage, Fetch)


Owned: TypeAlias = Callable[[Pool, Sequence[int]], list[int]]


class Diverged(Exception):
    """Replicas that ran the same history are not the same."""


class Replicas:
    """Implements `radixproof.impl.system.Complete`; anchors and receipts are tuples with one of
    each replica.

    Every answer is compared over the replicas; an error is raised where they differ.
    """

    differ: type[Diverged] = Diverged
    """What is raised."""

    def __init__(self, systems: Sequence[Complete]) -> None:
        self.systems = systems
        self._own: list[dict[tuple[Pool, int], int]] = [{} for _ in systems]
        """Slots of the host that were allocated for what is fetched, or that nodes were seen to
        have, by those of the first.
        """

    def called(self, number: int) -> str:
        """What one of them is called."""
        return f"replica {number}"

    def _same(self, what: str, answers: Sequence[T]) -> T:
        for number, answer in enumerate(answers):
            if answer != answers[0]:
                place, one, other = difference(what, answers[0], answer)
                raise self.differ(
                    f"{place}: {self.called(0)} has {one}, {self.called(number)} has {other}"
                )
        return answers[0]

    def _all(self, what: str, ask: Callable[[Complete], T]) -> T:
        return self._same(what, [ask(system) for system in self.systems])

    def match(self, key: Key) -> Lookup:
        found = [system.match(key) for system in self.systems]
        self._same(f"match {key}", [(one.device, one.best, one.slots, one.host) for one in found])
        return found[0]._replace(
            anchor=tuple(one.anchor for one in found),
            best_anchor=tuple(one.best_anchor for one in found),
        )

    def allocate(self, tokens: int) -> list[int] | None:
        return self._all("allocate", lambda system: system.allocate(tokens))

    def available(self, pool: Pool) -> int:
        return self._all("available", lambda system: system.available(pool))

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._all("write", lambda system: system.write(slots, tags))

    def launch(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._all("launch", lambda system: system.launch(slots, tags))

    def run_forward(self) -> None:
        self._all("run_forward", lambda system: system.run_forward())

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
        inserted: int = 0,
    ) -> Insertion:
        made = [
            system.insert(key, slots, protected, evicted, state, priority, inserted)
            for system in self.systems
        ]
        self._same("insert", [(one.reused, one.taken) for one in made])
        anchors = tuple(one.anchor for one in made)
        return made[0]._replace(anchor=None if None in anchors else anchors)

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

    def begin_request(
        self, key: Key, slots: Sequence[int], receipt: Any, state: int | None, priority: int
    ) -> Any:
        begun = tuple(
            system.begin_request(key, slots, own, state, priority)
            for system, own in zip(self.systems, receipt, strict=True)
        )
        return None if None in begun else begun

    def admit(self, request: Any) -> Carriage:
        made = [system.admit(own) for system, own in zip(self.systems, request, strict=True)]
        return self._same_call("admit", made)

    def make_room(self, request: Any, tokens: int) -> Carriage:
        made = [
            system.make_room(own, tokens) for system, own in zip(self.systems, request, strict=True)
        ]
        return self._same_call("make_room", made)

    def compute(self, request: Any, key: Key, row: Sequence[int], units: int) -> None:
        for system, own in zip(self.systems, request, strict=True):
            system.compute(own, key, row, units)

    def due(self, request: Any, units: int) -> Sequence[int]:
        due = [system.due(own, units) for system, own in zip(self.systems, request, strict=True)]
        return self._same("due", due)

    def track(self, request: Any, units: int) -> Tracked:
        tracked = [
            system.track(own, units) for system, own in zip(self.systems, request, strict=True)
        ]
        return self._same("track", tracked)

    def slide(self, request: Any) -> int:
        slid = [system.slide(own) for system, own in zip(self.systems, request, strict=True)]
        return self._same("slide", slid)

    def carry_on(self, request: Any, last: bool) -> Carriage:
        made = [
            system.carry_on(own, last) for system, own in zip(self.systems, request, strict=True)
        ]
        return self._same_call("carry_on", made)

    def end_request(
        self, request: Any, insert: bool, prompt_only: bool = False, past_stop: int = 0
    ) -> Carriage:
        made = [
            system.end_request(own, insert, prompt_only, past_stop)
            for system, own in zip(self.systems, request, strict=True)
        ]
        return self._same_call("end_request", made)

    def _same_call(self, what: str, made: Sequence[Call]) -> Call:
        """The same from all, but for the very error that they raised."""
        self._same(what, [one._replace(error=None) for one in made])
        self._same(f"error of {what}", [type(one.error) for one in made])
        return made[0]

    def _same_fetch(self, what: str, made: Sequence[Fetch]) -> Fetch:
        """The same from all, but for which slots of the host each was given."""
        self._same_call(what, [_counted(one)._replace(handle=None) for one in made])
        return made[0]

    def show(self, moment: int | None) -> None:
        for system in self.systems:
            system.show(moment)

    def lock_host(self, anchor: Any) -> Any:
        receipts = tuple(
            system.lock_host(node) for system, node in zip(self.systems, anchor, strict=True)
        )
        refused = self._same("lock_host refused", [receipt is None for receipt in receipts])
        return None if refused else receipts

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

    def allocate_host(self, pool: Pool, count: int) -> list[int] | None:
        """Which slots of the host each was given is its own affair (semantics 17.7)."""
        made = [system.allocate_host(pool, count) for system in self.systems]
        self._same("allocate_host", [None if slots is None else len(slots) for slots in made])
        for own, slots in zip(self._own, made, strict=True):
            pairs = zip(made[0] or (), slots or (), strict=True)
            own.update({(pool, first): slot for first, slot in pairs})
        return made[0]

    def free_host(self, pool: Pool, slots: Sequence[int]) -> None:
        for system, own in self._owners():
            system.free_host(pool, own(pool, slots))

    def write_host(self, pool: Pool, slots: Sequence[int], tags: Sequence[int]) -> None:
        for system, own in self._owners():
            system.write_host(pool, own(pool, slots), tags)

    def insert_host(self, key: Key, fetched: Fetched, start: int) -> int:
        kept = [
            system.insert_host(key, _of_one(fetched, own), start) for system, own in self._owners()
        ]
        return self._same("insert_host", kept)

    def insert_fetched(self, receipt: Any, key: Key, fetched: Fetched, start: int) -> int:
        kept = [
            system.insert_fetched(lock, key, _of_one(fetched, own), start)
            for (system, own), lock in zip(self._owners(), receipt, strict=True)
        ]
        return self._same("insert_fetched", kept)

    def _owners(self) -> Iterator[tuple[Complete, Owned]]:
        """Each with what tells its own slots of the host by those of the first."""
        for system, own in zip(self.systems, self._own, strict=True):
            yield system, partial(_its_own, own)

    def begin_prefetch(
        self, key: Key, anchor: Any, start: int, tags: Sequence[int], stored: int
    ) -> Fetch:
        made = [
            system.begin_prefetch(key, node, start, tags, stored)
            for system, node in zip(self.systems, anchor, strict=True)
        ]
        begun = self._same("begin_prefetch", [one.handle is not None for one in made])
        self._same_fetch("begin_prefetch", made)
        return made[0]._replace(handle=tuple(one.handle for one in made) if begun else None)

    def end_prefetch(self, handle: Any, tokens: int) -> Fetch:
        made = [
            system.end_prefetch(own, tokens)
            for system, own in zip(self.systems, handle, strict=True)
        ]
        return self._same_fetch("end_prefetch", made)

    def run_copies(self, count: int, load: bool = False, fail: bool = False) -> int:
        return self._all("run_copies", lambda system: system.run_copies(count, load, fail))

    def copied(self, load: bool) -> int:
        return self._all("copied", lambda system: system.copied(load))

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        return self._all("writing_check", lambda system: system.writing_check(blocking, limit))

    def loading_check(self, blocking: bool, limit: int | None = None) -> int:
        return self._all("loading_check", lambda system: system.loading_check(blocking, limit))

    def in_flight(self) -> int:
        return self._all("in_flight", lambda system: system.in_flight())

    def refuse(self, pool: Pool) -> None:
        self._all("refuse", lambda system: system.refuse(pool))

    def reset(self) -> None:
        self._all("reset", lambda system: system.reset())

    def check_itself(self) -> None:
        for system in self.systems:
            system.check_itself()

    def observe(self, whole: bool) -> Observation:
        seen = [system.observe(whole) for system in self.systems]
        differ = any(one != seen[0] for one in seen)
        if differ:
            self._same("tree", [_to_a_scheduler(one) for one in seen])
        if differ or any(self._own):
            for own, one in zip(self._own[1:], seen[1:], strict=True):
                own.update(_of_nodes(seen[0].nodes, one.nodes))
        return seen[0]

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        """Tags where all replicas have the same content, -1 elsewhere."""
        every = (system.read(pool, own(pool, slots)) for system, own in self._owners())
        return [tags[0] if len(set(tags)) == 1 else -1 for tags in zip(*every, strict=True)]

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        return self._all("swa_of", lambda system: system.swa_of(slots))

    def close(self) -> None:
        for system in self.systems:
            close(system)


def _its_own(own: Mapping[tuple[Pool, int], int], pool: Pool, slots: Sequence[int]) -> list[int]:
    return [own.get((pool, slot), slot) for slot in slots]


def _of_nodes(
    nodes: Sequence[NodeView], others: Sequence[NodeView]
) -> Iterator[tuple[tuple[Pool, int], int]]:
    """Slots of the host, by those that the same nodes have in the first replica."""
    for node, other in zip(nodes, others, strict=True):
        for pool in HOST:
            for slot, own in zip(node.slots[pool] or (), other.slots[pool] or (), strict=True):
                yield (pool, slot), own


def _of_one(fetched: Fetched, own: Owned) -> Fetched:
    """What was fetched, in the slots of one replica."""
    state = None if fetched.state is None else own(Pool.MAMBA_HOST, [fetched.state])[0]
    window = own(Pool.SWA_HOST, fetched.window)
    return Fetched(own(Pool.FULL_HOST, fetched.slots), window, state)


def _to_a_scheduler(seen: Observation) -> Observation:
    """A tree as a scheduler sees it: in which order slots became free, which of the host a node has
    and which are still free, or what went first in one step, is a rank's own affair (semantics
    17.7).
    """
    nodes = tuple(view._replace(slots=_anywhere(view.slots)) for view in seen.nodes)
    whole, events = seen.whole, seen.events
    if whole is not None and whole.free is not None:
        pairs = zip(POOLS, whole.free, strict=True)
        free = tuple(None if slots is None else _alike(pool, slots) for pool, slots in pairs)
        whole = replace(whole, free=cast(SlotsPerPool, free))
    if events is not None:
        others = [event for event in events if event.kind != "removed"]
        gone = [Event("removed", where, (block,), None, (n,)) for where, block, n in _gone(events)]
        events = (*others, *gone)
    return replace(seen, nodes=nodes, whole=whole, events=events)


def _gone(events: Sequence[Event]) -> list[tuple[bool, int, int]]:
    """What was removed, from which tier, whatever went first; and how often these events had said
    before that it is stored there.
    """
    stored: Counter[tuple[bool, int]] = Counter()
    gone: list[tuple[bool, int, int]] = []
    for event in events:
        named = [(event.on_host, block) for block in event.blocks]
        if event.kind == "removed":
            gone += [(*one, stored[one]) for one in named]
        else:
            stored.update(named)
    return sorted(gone)


def _anywhere(held: SlotsPerPool) -> SlotsPerPool:
    """What a node holds, with any slots of the host but as many."""
    pairs = zip(POOLS, held, strict=True)
    some = tuple(
        slots and (_alike(pool, slots) if pool.on_host else slots) for pool, slots in pairs
    )
    return cast(SlotsPerPool, some)


def _alike(pool: Pool, slots: Slots) -> Slots:
    """Slots of the device in one order; of the host, any, but as many."""
    return (0,) * len(slots) if pool.on_host else tuple(sorted(slots))


def _counted(fetch: Fetch) -> Fetch:
    """What a prefetch came to, with any slots of the host but as many."""
    parts = [part._replace(held=_any_slots(part.held)) for part in fetch.parts]
    return fetch._replace(parts=parts, held=_any_slots(fetch.held))


def _any_slots(held: tuple[Slots, ...]) -> tuple[Slots, ...]:
    return tuple((0,) * len(slots) for slots in held)
