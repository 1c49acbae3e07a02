"""What ends a history: everything is released and acknowledged, then the tiers are emptied
(semantics 17.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from radixproof.impl.operations import (
    Abort,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    LoadingCheck,
    Operation,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Pool
from radixproof.model.specification.cache import Cache
from radixproof.properties.judging.judge import Judge
from radixproof.properties.performing.ledger import Ledger


class Drain(Enum):
    """How the end of a history empties a tier."""

    AT_A_STROKE = 0
    BY_PAGES = 1
    """Page by page, so that the whole order of eviction shows."""
    SWA_FIRST = 2


def closing(judge: Judge, drain: Drain = Drain.AT_A_STROKE) -> Iterator[Operation]:
    """What ends a history: everything released and acknowledged, then the device emptied, then the
    host (semantics 17.5).
    """
    model, config = judge.model, judge.config
    for number, name in enumerate(list(judge.ledger.requests)):
        yield Abort(name) if number % 2 else Finish(name)
    yield from settling(judge.ledger, model)
    size = config.page_size
    if drain is Drain.SWA_FIRST and config.window is not None:
        yield from _drained(model, Pool.SWA, Evict(swa=size))
    if drain is Drain.SWA_FIRST and config.mamba_states:
        yield from _drained(model, Pool.MAMBA, Evict(mamba=1))
    if drain is Drain.SWA_FIRST and config.hosted:
        yield from _host_values(model)
    if drain is not Drain.AT_A_STROKE:
        yield from _drained(model, Pool.FULL, Evict(size))
        if config.hosted:
            yield from _drained(model, Pool.FULL_HOST, EvictHost(size))
    yield Evict(config.slots(Pool.FULL))
    if config.hosted:
        yield EvictHost(config.slots(Pool.FULL_HOST))


def _host_values(model: Cache) -> Iterator[Operation]:
    """Windows and states leave the host before FULL does, where they are on the host alone."""
    size = model.config.page_size
    for pool, unit in ((Pool.SWA_HOST, size), (Pool.MAMBA_HOST, 1)):
        if pool in model.config.pools:
            yield from _drained(model, pool, EvictHost(unit, pool.component))


def settling(ledger: Ledger, model: Cache, *, copies: bool = True) -> Iterator[Operation]:
    """Every prefetch ended, every receipt given back, and every copy acknowledged, if ``copies``
    are.
    """
    for number, name in enumerate(list(ledger.prefetches)):
        yield EndPrefetch(name, 0 if number % 2 else None)
    for name in list(ledger.receipts):
        yield Unlock(name)
    if not copies:
        return
    if any(not copy.load for copy in model.copies.flying):
        yield WritingCheck(blocking=True)
    if any(copy.load for copy in model.copies.flying):
        yield LoadingCheck(blocking=True)


def _drained(model: Cache, pool: Pool, operation: Operation) -> Iterator[Operation]:
    """The operation, repeated for as long as it frees anything."""
    while used := model.trie.used[pool]:
        yield operation
        if model.trie.used[pool] == used:
            return
