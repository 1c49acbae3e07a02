"""The shape of histories: small pools, few distinct pages, prompts made from earlier prompts.

What finds bugs is not volume but shape (semantics 17.6): constant pressure, divergence at every interior page, windows and pages
that do not divide each other, a threshold of one. Every choice is made from small whole numbers, so that a seeded generator and
Hypothesis can both make it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from radixproof.impl.operations import (
    Abort,
    Evict,
    EvictHost,
    Finish,
    LoadingCheck,
    Operation,
    Unlock,
    WritingCheck,
)
from radixproof.impl.system import Scope
from radixproof.model.cache import Cache
from radixproof.model.config import Component, Config, Order, Pool
from radixproof.model.key import Key

NAMESPACES = ("", "", "", "", "", "", "", "a")
LONGEST_PAGES = 6
EVERYTHING = Scope()


def config(rng: Random, scope: Scope = EVERYTHING) -> Config:
    """A small cache within ``scope``: pools of a few pages, so that something is always full."""
    page_size = rng.choice((1, 1, 1, 2, 2, 3, 4))
    windowed = Component.SWA in scope.components and rng.random() < 0.7
    states = Component.MAMBA in scope.components and rng.random() < 0.45
    device = rng.randint(3, 10)
    host = rng.choice((rng.randint(2, device), device + 4, 3 * device))
    write_back = scope.write_back and rng.random() < 0.3
    if write_back and rng.random() < 0.5:
        host = rng.randint(2, 4)  # so that there is often no room for what has to be written back
    if scope.hostless and rng.random() < 0.05:
        host = 0
    window = rng.randint(1, 3 * page_size + 1)
    least_swa = -(-window // page_size) + rng.randint(0, 2)  # about one window: an engine has room for that
    shape = Config(
        page_size=page_size,
        window=window if windowed else None,
        device_pages=device + rng.choice((1, 4)),
        swa_pages=rng.choice((device + 4, rng.randint(2, device) + 4, least_swa)) if windowed else 0,
        mamba_states=rng.randint(1, 5) if states else 0,
        host_pages=host,
        swa_host_pages=rng.choice((host, rng.randint(1, host))) if windowed and host else 0,
        mamba_host_states=rng.randint(1, 8) if states and host else 0,
        write_back=write_back and host > 0,
        threshold=rng.choice((1, 1, 1, 1, 2, 3)),
        order=rng.choice(scope.orders) if rng.random() < 0.6 else Order.LRU,
        load_threshold=rng.choice((1, 1, 1, 1, page_size + 1, 3 * page_size)),
        bigram=not states and scope.bigram and rng.random() < 0.15,
        ranks=2 if scope.ranks and rng.random() < 0.15 else 1,
    )
    return shape


@dataclass(slots=True)
class Prompts:
    """Prompts seen so far in a history; new ones extend, cut or leave them."""

    config: Config
    known: list[Key] = field(default_factory=lambda: [Key(())])

    def derive(self, base: int, keep: int | None, tail: int, bits: int, namespace: int = 0) -> Key:
        """``keep`` tokens of prompt number ``base`` (None: all), then ``tail`` tokens of two kinds as ``bits`` say.

        All modulo their range. One base in four is empty, and no prompt is.
        """
        parent = self.known[1 + base % (len(self.known) - 1)] if base % 4 and len(self.known) > 1 else self.known[0]
        longest = LONGEST_PAGES * self.config.page_size + self.config.bigram
        head = parent.tokens[: None if keep is None else keep % (len(parent.tokens) + 1)]
        tail = tail if head or tail else self.config.page_size + self.config.bigram
        added = tuple(1 + (bits >> at & 1) for at in range(min(tail, longest - len(head))))
        return Key(head + added, parent.namespace if head else NAMESPACES[namespace % len(NAMESPACES)])

    def remember(self, key: Key) -> None:
        if key not in self.known:
            self.known.append(key)
            if len(self.known) > 12:
                del self.known[1]


def missing_room(key: Key, model: Cache, reuse: bool, state: bool = False) -> Evict | None:
    """The eviction that an engine would ask for before it computes ``key``; None if there is room."""
    config, trie = model.config, model.trie
    held = 0
    if reuse:
        held = sum(len(page.tokens) for page in trie.walk(key) if page.has(Pool.FULL))
    need = -(-(len(trie.all_units(key)) - held) // config.page_size) * config.page_size
    full = max(0, need - trie.free(Pool.FULL))
    swa = 0 if config.window is None else max(0, need - trie.free(Pool.SWA))
    mamba = int(state and not trie.free(Pool.MAMBA))
    return Evict(full, swa, mamba) if full or swa or mamba else None


class Drain(Enum):
    """How the end of a history empties the tiers."""

    AT_A_STROKE = 0
    BY_PAGES = 1
    """A page at a time, so that the whole order of eviction shows."""
    SWA_FIRST = 2


def receipts(model: Cache) -> list[str]:
    """Names of the receipts that histories hold: not those of requests, nor of copies."""
    return [name for name in model.receipts if name.isidentifier()]


def requests(model: Cache) -> list[str]:
    """Names of the requests alive: each holds a lock."""
    return [name.partition("'")[0] for name in model.receipts if "'" in name]


def closing(model: Cache, drain: Drain = Drain.AT_A_STROKE) -> Iterator[Operation]:
    """What ends a history: everything released and acknowledged, then the device emptied, then the host (semantics 17.5)."""
    config = model.config
    for number, name in enumerate(requests(model)):
        yield Abort(name) if number % 2 else Finish(name)
    yield from settling(model)
    size = config.page_size
    if drain is Drain.SWA_FIRST and config.window is not None:
        yield from _drained(model, Pool.SWA, Evict(swa=size))
    if drain is Drain.SWA_FIRST and config.mamba_states:
        yield from _drained(model, Pool.MAMBA, Evict(mamba=1))
    if drain is not Drain.AT_A_STROKE:
        yield from _drained(model, Pool.FULL, Evict(size))
        if config.hosted:
            yield from _drained(model, Pool.FULL_HOST, EvictHost(size))
    yield Evict(config.slots(Pool.FULL))
    if config.hosted:
        yield EvictHost(config.slots(Pool.FULL_HOST))


def settling(model: Cache) -> Iterator[Operation]:
    """Every receipt given back, and every copy acknowledged."""
    for name in receipts(model):
        yield Unlock(name)
    if any(not copy.load for copy in model.copies.flying):
        yield WritingCheck(blocking=True)
    if any(copy.load for copy in model.copies.flying):
        yield LoadingCheck(blocking=True)


def _drained(model: Cache, pool: Pool, operation: Operation) -> Iterator[Operation]:
    """The operation, again and again, for as long as it empties the pool."""
    while used := model.trie.used[pool]:
        yield operation
        if model.trie.used[pool] == used:
            return
