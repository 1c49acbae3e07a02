"""Prefetches: how KV is fetched from storage to the host while other operations go on (semantics
10.2).

The threads that fetch are not there: the slots get their content when the history says that it has
come.
"""

from __future__ import annotations

from collections.abc import Iterator

from radixproof.impl.operations import (
    EndPrefetch,
    EvictHost,
    HostInsert,
    HostLock,
    Match,
    Prefetch,
    Unlock,
)
from radixproof.impl.system import Complete
from radixproof.model.config import Component, Config, Pool
from radixproof.properties.performing.ledger import Fetching, Ledger, PrefetchLock
from radixproof.properties.performing.outcomes import Done, Locked, Skipped, matched
from radixproof.properties.performing.step import Step


def begin(system: Complete, ledger: Ledger, config: Config, operation: Prefetch) -> Iterator[Step]:
    """The prefix is locked, and only then room is made for the rest."""
    whole = operation.key
    found = system.match(whole)
    key = ledger.prefix(whole, config.floor(len(ledger.units(whole))))
    need = len(ledger.units(key)) - found.best
    handle = system.lock_host(found.best_anchor) if need > 0 else None
    if handle is None:
        yield Step(Match(whole), matched(found), found.slots)
        return
    lock = PrefetchLock(operation.prefetch)
    yield Step(HostLock(lock, whole), Locked(found.best))
    if short := max(0, need - system.available(Pool.FULL_HOST)):
        freed = system.evict_host(short, Component.FULL)
        yield Step(EvictHost(short), Done(freed))
    slots = system.allocate_host(need)
    if slots is None:
        system.unlock_host(handle)
        yield Step(Unlock(lock), Done())
        no_room = Skipped("the host has no room")
        yield Step(operation, no_room, refused=[(Pool.FULL_HOST, need)])
        return
    ledger.take(Pool.FULL_HOST, slots)
    ledger.prefetches[operation.prefetch] = Fetching(key, found.best, slots, handle)
    yield Step(operation, Done(need))


def end(system: Complete, ledger: Ledger, config: Config, operation: EndPrefetch) -> Iterator[Step]:
    """What has come is handed over, and the rest given back."""
    name, tokens = operation.prefetch, operation.tokens
    one = ledger.prefetches.pop(name)
    came = len(one.slots) if tokens is None else config.floor(max(0, tokens))
    slots, rest = one.slots[:came], one.slots[came:]
    ledger.give(Pool.FULL_HOST, one.slots)
    if rest:
        system.free_host(rest)
    if slots:
        reached = one.start + len(slots)
        key = ledger.prefix(one.key, reached)
        system.write_host(slots, ledger.tags_of(one.key)[one.start : reached])
        kept = system.insert_fetched(one.handle, key, slots, one.start)
        yield Step(HostInsert(key), Done(kept), fetched=one.start)
    system.unlock_host(one.handle)
    yield Step(Unlock(PrefetchLock(name)), Done())
