"""Prefetches: how KV is fetched from storage to the host while other operations go on (semantics
10.2).

The threads that fetch are not there: the slots get their content when the history says that it has
come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from radixproof.impl.operations import (
    EndPrefetch,
    EvictHost,
    HostInsert,
    HostLock,
    Match,
    Prefetch,
    Unlock,
)
from radixproof.impl.system import Complete, Fetched, Lookup
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.ledger import Fetching, Ledger, PrefetchLock
from radixproof.properties.performing.outcomes import Done, Locked, Skipped, matched
from radixproof.properties.performing.step import Step


def at_once(
    system: Complete, ledger: Ledger, config: Config, operation: HostInsert, locks: bool
) -> Iterator[Step]:
    """All of it comes at once; no room is made. Whether an engine would lock its prefix is asked
    where it ``locks``.
    """
    key = operation.key
    found = system.match(key)
    end = config.floor(len(ledger.units(key)))
    handle = system.lock_host(found.best_anchor) if locks and end > found.best else None
    if end <= found.best or (locks and handle is None):
        yield looked_up(key, found, end)
        return
    slots, refused = take(system, ledger, needed(config, found.best, end))
    if refused:
        done = Step(Match(key), matched(found), found.slots, refused=refused)
    else:
        kept = system.insert_host(key, fill(system, ledger, key, slots), found.best)
        done = Step(operation, Done(kept))
    if locks:
        system.unlock_host(handle)
    yield done


def begin(system: Complete, ledger: Ledger, config: Config, operation: Prefetch) -> Iterator[Step]:
    """The prefix is locked, and only then room is made for the rest."""
    whole = operation.key
    found = system.match(whole)
    key = ledger.prefix(whole, config.floor(len(ledger.units(whole))))
    end = len(ledger.units(key))
    handle = system.lock_host(found.best_anchor) if end > found.best else None
    if handle is None:
        yield looked_up(whole, found, end)
        return
    lock = PrefetchLock(operation.prefetch)
    yield Step(HostLock(lock, whole), Locked(found.best))
    end = found.best + stored_of(config, operation, end - found.best)
    key = ledger.prefix(key, end)
    if end == found.best:
        system.unlock_host(handle)
        yield Step(Unlock(lock), Done())
        yield Step(operation, Skipped("storage has nothing of it"))
        return
    wanted = needed(config, found.best, end)
    for pool, count in wanted:
        if short := max(0, count - system.available(pool)):
            freed = system.evict_host(short, pool.component)
            yield Step(EvictHost(short, pool.component), Done(freed))
    slots, refused = take(system, ledger, wanted)
    if refused:
        system.unlock_host(handle)
        yield Step(Unlock(lock), Done())
        yield Step(operation, Skipped("the host has no room"), refused=refused)
        return
    for pool, some in slots.items():
        ledger.take(pool, some)
    ledger.prefetches[operation.prefetch] = Fetching(key, found.best, slots, handle)
    yield Step(operation, Done(end - found.best))


def end(system: Complete, ledger: Ledger, config: Config, operation: EndPrefetch) -> Iterator[Step]:
    """What has come is handed over, and the rest given back. A window and a state are of use only
    where all has come.
    """
    name, tokens = operation.prefetch, operation.tokens
    one = ledger.prefetches.pop(name)
    for pool, some in one.slots.items():
        ledger.give(pool, some)
    slots = one.slots[Pool.FULL_HOST]
    came = len(slots) if tokens is None else min(len(slots), config.floor(max(0, tokens)))
    if came < len(slots) and len(one.slots) > 1:
        came = 0
    if not came:
        give(system, one.slots)
    else:
        if rest := slots[came:]:
            system.free_host(Pool.FULL_HOST, rest)
        key = ledger.prefix(one.key, one.start + came)
        fetched = fill(system, ledger, key, {**one.slots, Pool.FULL_HOST: slots[:came]})
        kept = system.insert_fetched(one.handle, key, fetched, one.start)
        yield Step(HostInsert(key), Done(kept), fetched=one.start)
    system.unlock_host(one.handle)
    yield Step(Unlock(PrefetchLock(name)), Done())


def looked_up(key: Key, found: Lookup, end: int) -> Step:
    """All that came of a fetch down to ``end`` that did not begin: there was nothing to fetch, or
    the system declined.
    """
    declined = "fetch" if end > found.best else ""
    return Step(Match(key), matched(found), found.slots, declined=declined)


def stored_of(config: Config, operation: Prefetch, missing: int) -> int:
    """How much storage has of what is ``missing``, in whole pages."""
    stored = operation.stored
    return missing if stored is None else min(missing, config.floor(max(0, stored)))


# -- the slots of one fetch ------------------------------------------------------------------------


def needed(config: Config, start: int, end: int) -> list[tuple[Pool, int]]:
    """The host slots that a fetch of units ``start`` to ``end`` takes, pool by pool."""
    if start >= end:
        return []
    amounts = (
        (Pool.FULL_HOST, end - start),
        (Pool.SWA_HOST, config.fetched_window(start, end)),
        (Pool.MAMBA_HOST, int(config.mamba_states > 0)),
    )
    return [(pool, count) for pool, count in amounts if count]


def take(
    system: Complete, ledger: Ledger, wanted: Sequence[tuple[Pool, int]]
) -> tuple[dict[Pool, list[int]], list[tuple[Pool, int]]]:
    """Allocate all of these slots, pool by pool; or keep none, and say what was refused."""
    slots: dict[Pool, list[int]] = {}
    for pool, count in wanted:
        some = system.allocate_host(pool, count)
        if some is None:
            give(system, slots)
            ledger.hand_over(*slots)
            return {}, [(pool, count)]
        slots[pool] = some
    return slots, []


def give(system: Complete, slots: Mapping[Pool, list[int]]) -> None:
    """Free these."""
    for pool, some in slots.items():
        system.free_host(pool, some)


def fill(system: Complete, ledger: Ledger, key: Key, slots: Mapping[Pool, list[int]]) -> Fetched:
    """All of it has come: the last units of the key, its window, and its state."""
    tags = ledger.tags_of(key)[: ledger.config.floor(len(ledger.units(key)))]
    for pool, some in slots.items():
        system.write_host(pool, some, tags[-len(some) :])
    state = slots.get(Pool.MAMBA_HOST)
    return Fetched(
        slots[Pool.FULL_HOST], slots.get(Pool.SWA_HOST, ()), None if state is None else state[0]
    )
