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

from radixproof.model.cache import Cache
from radixproof.model.config import Component, Config, Pool
from radixproof.model.operations import (
    Evict,
    EvictHost,
    Insert,
    Key,
    Lock,
    Match,
    Operation,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.properties.judge import Judge

NAMESPACES = ("", "", "", "", "", "", "", "a")
LONGEST_PAGES = 6


def config(rng: Random) -> Config:
    """A small cache: pools of a few pages, so that something is always full."""
    page_size = rng.choice((1, 1, 1, 2, 2, 3, 4))
    window = rng.choice((None, *range(1, 3 * page_size + 2)))
    device = rng.randint(3, 10)
    host = rng.choice((rng.randint(2, device), device + 4, 3 * device))
    return Config(
        page_size=page_size,
        window=window,
        device_pages=device,
        swa_pages=0 if window is None else rng.choice((device, rng.randint(2, device))),
        host_pages=host,
        swa_host_pages=0 if window is None else rng.choice((host, rng.randint(1, host))),
        threshold=rng.choice((1, 1, 1, 1, 2, 3)),
    )


@dataclass(slots=True)
class Prompts:
    """Prompts seen so far in a history; new ones extend, cut or leave them."""

    config: Config
    known: list[Key] = field(default_factory=lambda: [Key(())])

    def derive(self, base: int, keep: int, tail: int, bits: int, namespace: int = 0) -> Key:
        """``keep`` tokens of prompt number ``base``, then ``tail`` tokens of two kinds as ``bits`` say; all modulo their range."""
        parent = self.known[base % len(self.known)]
        longest = LONGEST_PAGES * self.config.page_size
        head = parent.tokens[: keep % (len(parent.tokens) + 1)]
        added = tuple(1 + (bits >> at & 1) for at in range(min(tail, longest - len(head))))
        return Key(head + added, parent.namespace if head else NAMESPACES[namespace % len(NAMESPACES)])

    def remember(self, key: Key) -> None:
        if key not in self.known:
            self.known.append(key)
            if len(self.known) > 12:
                del self.known[1]


def missing_room(key: Key, model: Cache, reuse: bool) -> Evict | None:
    """The eviction that an engine would ask for before it computes ``key``; None if there is room."""
    config, trie = model.config, model.trie
    held = 0
    if reuse:
        held = sum(len(page.tokens) for page in trie.walk(key) if page.has(Pool.FULL))
    need = -(-(len(key.tokens) - held) // config.page_size) * config.page_size
    full = max(0, need - trie.free(Pool.FULL))
    swa = 0 if config.window is None else max(0, need - trie.free(Pool.SWA))
    return Evict(full, swa) if full or swa else None


class Drain(Enum):
    """How the end of a history empties the tiers."""

    AT_A_STROKE = 0
    BY_PAGES = 1
    """A page at a time, so that the whole order of eviction shows."""
    SWA_FIRST = 2


def closing(model: Cache, drain: Drain = Drain.AT_A_STROKE) -> Iterator[Operation]:
    """What ends a history: everything released and acknowledged, then the device emptied, then the host (semantics 17.5)."""
    for name in [name for name in model.receipts if name.isidentifier()]:
        yield Unlock(name)
    yield WritingCheck(blocking=True)
    size = model.config.page_size
    if drain is Drain.SWA_FIRST and model.config.window is not None:
        yield from _drained(model, Pool.SWA, Evict(0, size))
    if drain is not Drain.AT_A_STROKE:
        yield from _drained(model, Pool.FULL, Evict(size, 0))
        yield from _drained(model, Pool.FULL_HOST, EvictHost(size))
    yield Evict(model.config.slots(Pool.FULL), 0)
    yield EvictHost(model.config.slots(Pool.FULL_HOST))


def _drained(model: Cache, pool: Pool, operation: Operation) -> Iterator[Operation]:
    """The operation, again and again, for as long as it empties the pool."""
    while used := model.trie.used[pool]:
        yield operation
        if model.trie.used[pool] == used:
            return


class Generator:
    """Random operations of one history, with its own mix: some kinds are frequent, rare or absent (swarm testing)."""

    def __init__(self, config: Config, rng: Random) -> None:
        self.config = config
        self.rng = rng
        self.prompts = Prompts(config)
        self.receipts = 0
        mix = {
            "insert": 6.0,
            "match": 2.0,
            "lock": 2.0,
            "unlock": 2.0,
            "evict": 3.0,
            "evict_host": 1.0,
            "copies": 1.0,
            "check": 2.0,
            "reset": 0.3,
        }
        self.weights = [weight * rng.choice((0, 0.3, 1, 1, 3)) if kind != "insert" else weight for kind, weight in mix.items()]
        self.kinds = list(mix)

    def key(self) -> Key:
        rng, size = self.rng, self.config.page_size
        tail = rng.choice((0, 1, 1, 2, 3)) * size + (rng.randrange(size) if rng.random() < 0.2 else 0)
        keep = rng.randrange(LONGEST_PAGES * size + 1)
        if rng.random() < 0.8:
            keep = self.config.floor(keep)
        return self.prompts.derive(rng.randrange(12), keep, tail, rng.getrandbits(8), rng.randrange(8))

    def operations(self, judge: Judge, count: int) -> Iterator[Operation]:
        """Around ``count`` operations; the judge's model is looked at between them (a reset makes it a new one)."""
        made = 0
        while made < count:
            made += 1
            for operation in self._some(judge.model):
                made += 1
                yield operation

    def _some(self, model: Cache) -> Iterator[Operation]:
        rng = self.rng
        kind = rng.choices(self.kinds, self.weights)[0]
        if kind == "insert":
            yield from self._insert(model)
        elif kind == "match":
            yield Match(self.key())
        elif kind == "lock":
            self.receipts += 1
            yield Lock(f"r{self.receipts}", self.key())
        elif kind == "unlock":
            held = [name for name in model.receipts if name.isidentifier()]
            if held:
                yield Unlock(rng.choice(held))
        elif kind == "evict":
            yield self._evict()
        elif kind == "evict_host":
            component = rng.choice(self.config.components)
            pool = Pool.FULL_HOST if component is Component.FULL else Pool.SWA_HOST
            yield EvictHost(self._amount(pool), component)
        elif kind == "copies":
            yield RunCopies(rng.choice((1, 1, 2)))
        elif kind == "check":
            yield WritingCheck(rng.random() < 0.4)
        else:
            if rng.random() < 0.5:
                for name in [name for name in model.receipts if name.isidentifier()]:
                    yield Unlock(name)
                yield WritingCheck(blocking=True)
            yield Reset()

    def _insert(self, model: Cache) -> Iterator[Operation]:
        rng, key = self.rng, self.key()
        pages = len(key.tokens) // self.config.page_size
        evicted = 0
        if self.config.window is not None and pages and rng.random() < 0.5:
            evicted = rng.randint(0, pages) * self.config.page_size
        revived = [page.end for page in model.trie.walk(key) if page.host_only]
        if self.config.window is not None and revived and rng.random() < 0.3:
            evicted = rng.choice(revived)
        reuse = rng.random() < 0.6
        make_room = missing_room(key, model, reuse)
        if make_room is not None and rng.random() < 0.8:
            yield make_room
        self.prompts.remember(key)
        yield Insert(key, evicted, reuse)

    def _evict(self) -> Evict:
        full = self._amount(Pool.FULL) if self.rng.random() < 0.8 else 0
        swa = 0
        if self.config.window is not None and (not full or self.rng.random() < 0.3):
            swa = self._amount(Pool.SWA)
        return Evict(full, swa)

    def _amount(self, pool: Pool) -> int:
        tokens = self.rng.choice((1, 1, 2, 3, self.config.pages(pool))) * self.config.page_size
        return tokens - (self.rng.randrange(self.config.page_size) if self.rng.random() < 0.2 else 0)
