"""Prefetches that a system makes through its engine's own functions (semantics 10.2).

What such a function does in one call is played as a step for each of its parts, and the ledger says
what the prefetch holds on the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from radixproof.impl.fetching import Doing, Fetch, Part
from radixproof.impl.operations import (
    EndPrefetch,
    EvictHost,
    HostInsert,
    HostLock,
    Prefetch,
    Unlock,
)
from radixproof.impl.system import Complete
from radixproof.model.config import HOST, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.ledger import Fetching, Ledger, PrefetchLock
from radixproof.properties.performing.outcomes import Done, Locked, Skipped
from radixproof.properties.performing.prefetches import looked_up, stored_of
from radixproof.properties.performing.step import HandOver, Step


def begin(system: Complete, ledger: Ledger, config: Config, operation: Prefetch) -> Iterator[Step]:
    """The prefix is locked, and only then room is made for the rest."""
    whole = operation.key
    found = system.match(whole)
    key = ledger.prefix(whole, config.floor(len(ledger.units(whole))))
    end = len(ledger.units(key))
    fetch, stored = Fetch(()), stored_of(config, operation, max(0, end - found.best))
    if end > found.best:
        tags = ledger.tags_of(key)
        fetch = system.begin_prefetch(key, found.best_anchor, found.best, tags, stored)
    play = Play(system, ledger, operation.prefetch, whole, found.best, {})
    if not fetch.parts and fetch.error is None:
        yield looked_up(whole, found, end)
        return
    yield from play.steps(fetch, ends=fetch.handle is None)
    if fetch.handle is None:
        ledger.hand_over(*fetch.allocated)
        if stored and not fetch.refused:
            yield Step(operation, Done(0), due=_room_for(system, config, stored))
            return
        why = "the host has no room" if fetch.refused else "storage has nothing of it"
        yield Step(operation, Skipped(why), refused=fetch.refused)
        return
    play.hold(fetch.held)
    taken = len(play.held.setdefault(Pool.FULL_HOST, []))
    fetched = ledger.prefix(key, found.best + taken)
    one = Fetching(fetched, found.best, play.held, fetch.handle)
    ledger.prefetches[operation.prefetch] = one
    more = _room_for(system, config, stored - taken)
    yield Step(operation, Done(taken), due=taken + more)


def _room_for(system: Complete, config: Config, tokens: int) -> int:
    """So many of these tokens as the host has room for: an engine may take no more than that."""
    return min(tokens, config.floor(system.available(Pool.FULL_HOST)))


def end(system: Complete, ledger: Ledger, config: Config, operation: EndPrefetch) -> Iterator[Step]:
    """What has come is handed over, and the rest given back."""
    name, tokens = operation.prefetch, operation.tokens
    one = ledger.prefetches.pop(name)
    every = len(one.slots[Pool.FULL_HOST])
    came = every if tokens is None else min(every, config.floor(max(0, tokens)))
    fetch = system.end_prefetch(one.handle, came)
    given = sum(part.tokens for part in fetch.parts if part.did is Doing.INSERT)
    alone = not any(slots for pool, slots in one.slots.items() if pool is not Pool.FULL_HOST)
    yield from Play(system, ledger, name, one.key, one.start, one.slots).steps(fetch, ends=True)
    if given != (due := came if came == every or alone else 0):
        yield Step(HandOver(name, due, fetched=True), Done(given))


@dataclass(slots=True)
class Play:
    """One call of an engine's function, played part by part."""

    system: Complete
    ledger: Ledger
    name: str
    key: Key
    start: int
    """What the prefix ended with, when the prefetch began."""
    held: dict[Pool, list[int]] = field(default_factory=dict)
    """What the prefetch holds, as far as this has been played."""

    def steps(self, fetch: Fetch, ends: bool) -> Iterator[Step]:
        """Raises what the function raised. With its end a prefetch has neither slots nor a lock:
        what it still has then is lost.
        """
        for number, part in enumerate(fetch.parts):
            self.system.show(number)
            if part.did is Doing.UNLOCK:
                break
            self.hold(part.held)
            yield _PLAY[part.did](self, part)
        else:
            self.system.show(None)
        if ends and fetch.error is None:
            self.hold(((),) * len(HOST))
            yield Step(Unlock(PrefetchLock(self.name)), Done())
        self.system.show(None)
        if fetch.error is not None:
            raise fetch.error

    def hold(self, every: tuple[tuple[int, ...], ...]) -> None:
        """From now on the prefetch holds these."""
        for pool, slots in zip(HOST, every, strict=True):
            before = self.held.get(pool, [])
            if new := [slot for slot in slots if slot not in before]:
                self.ledger.take(pool, new)
            self.ledger.give(pool, [slot for slot in before if slot not in slots])
            if slots or before:
                self.held[pool] = list(slots)

    def lock(self, _: Part) -> Step:
        return Step(HostLock(PrefetchLock(self.name), self.key), Locked(self.start))

    def evict(self, part: Part) -> Step:
        return Step(EvictHost(part.tokens, part.component), Done(part.done))

    def insert(self, part: Part) -> Step:
        key = self.ledger.prefix(self.key, self.start + part.tokens)
        return Step(HostInsert(key), Done(part.done), fetched=self.start)


_PLAY: dict[Doing, Callable[[Play, Part], Step]] = {
    Doing.LOCK: Play.lock,
    Doing.EVICT: Play.evict,
    Doing.INSERT: Play.insert,
}
