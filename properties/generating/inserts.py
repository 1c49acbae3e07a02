"""Inserts of one history: before them an engine makes room, and locks its match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from radixproof.impl.operations import (
    NO_PROMPT,
    Evict,
    Finish,
    Insert,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import DEVICE, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.properties.generating.keys import Below
from radixproof.properties.generating.making import Making
from radixproof.properties.generating.preview import preview_match

BY_HITS = (EvictionPolicy.LFU, EvictionPolicy.SLRU)
"""Orders of eviction in which hits count."""
POPULAR = 6
"""One prompt in so many is asked for again and again, where hits count."""
MOST_AGAIN = 11
"""Fewer times than this."""


class Inserts:
    """Makes the inserts of one history."""

    def __init__(self, making: Making) -> None:
        self.making, self.config = making, making.config
        self.turns = 0
        """Inserts so far, where hits count."""

    def inserting(self, model: Cache, below: Below) -> Iterator[Operation]:
        """An insert, mostly after the eviction that makes room, as an engine would, sometimes with
        its match locked meanwhile. Some are of what is being fetched, which has taken too long; and
        where hits decide who goes, some prompts are asked for again and again.
        """
        begun = list(self.making.ledger.prefetches.values())
        if begun and not below(2):
            one = begun[below(len(begun))]
            key = one.key
            fetched = (len(self.making.ledger.units(key)) - one.start) // self.config.page_size
            if fetched and self.making.in_turn("a part of what is fetched", every=2):
                pages = one.start // self.config.page_size + below(fetched)
                key = self.making.ledger.prefix(key, (pages + 1) * self.config.page_size)
        else:
            key = self.making.keys.derived(model, below)
        for _ in range(self._times()):
            yield from self._of(key, model, below)

    def _times(self) -> int:
        """How often a prompt is asked for in a row: by turns, and not by a draw."""
        if self.config.eviction_policy not in BY_HITS:
            return 1
        self.turns += 1
        return 1 + self.turns % MOST_AGAIN if self.turns % POPULAR == 0 else 1

    def splitting(self, key: Key, model: Cache, below: Below) -> Iterator[Operation]:
        """A match or an insert that leaves the tree where ``key`` ends, inside a node."""
        tail = tuple(1 + below(2) for _ in range(self.config.page_size * below(3)))
        key = replace(key, tokens=key.tokens + tail)
        if below(2):
            yield Match(key)
        else:
            yield from self._of(key, model, below)

    def _of(self, key: Key, model: Cache, below: Below) -> Iterator[Operation]:
        """An insert of this prompt."""
        evicted = 0
        if self.config.window is not None:
            key = self._within_swa(key, model)
            evicted = self._boundary(key, self.config.window, model, below)
        fits = len(key.tokens) <= self.config.slots(Pool.SWA) or self.config.window is None
        reuse, state = below(5) < 3 or not fits, self.making.brings_state(below)
        made = Insert(
            key,
            evicted,
            reuse,
            state,
            self.making.priority(below),
        )
        make_room = missing_room(key, model, reuse, state)
        self.making.keys.prompts.remember(key)
        if make_room is None or not below(5):
            yield made
            return
        yield from self._relief(make_room, model, below)
        if not reuse or below(2):
            yield from (make_room, made)
        else:
            name = self.making.name("r")
            if self.making.late.in_turn(Insert, every=2):
                match = self.making.late.kept(key)
                yield from (match, make_room, Lock(name, NO_PROMPT, match.kept))
            else:
                yield from (Lock(name, key), make_room)
            yield from (made, Unlock(name))

    def _boundary(self, key: Key, window: int, model: Cache, below: Below) -> int:
        """Where the SWA of an insert begins: at the start, one window before its end,
        or at any page.
        """
        length, choice = len(model.trie.units(key)), below(4)
        if choice < 2:
            return 0
        if choice == 2:
            return self.config.floor(max(0, length - max(window, self.config.page_size)))
        ends = list(range(0, length + 1, self.config.page_size))
        ends += 2 * [page.end for page in model.trie.walk(key) if page.host_only]
        return ends[below(len(ends))]

    def _within_swa(self, key: Key, model: Cache) -> Key:
        """No more of a prompt than the SWA pool has room for beyond what is matched: an engine
        computes it in chunks.
        """
        served = preview_match(model, key).device.end
        longest = served + self.config.slots(Pool.SWA) + self.config.bigram
        return Key(key.tokens[:longest], key.namespace)

    def _relief(self, make_room: Evict, model: Cache, below: Below) -> Iterator[Operation]:
        """Where everything in a pool is locked, evicting is in vain: wait for copies, or give
        something back.
        """
        asked = zip(DEVICE, (make_room.full, make_room.swa, make_room.mamba), strict=True)
        if not any(
            count and all(page.locked_in(pool) for page in model.trie.recency_in[pool])
            for pool, count in asked
        ):
            return
        receipts, requests = self.making.ledger.receipts, self.making.ledger.requests
        names = [*receipts, *requests]
        flying = {copy.load for copy in model.copies.flying}
        if flying and (below(2) or not names):
            yield from [
                check(blocking=True)
                for load, check in ((False, WritingCheck), (True, LoadingCheck))
                if load in flying
            ]
        elif names:
            name = names[below(len(names))]
            yield Unlock(name) if name in receipts else Finish(name)


def missing_room(key: Key, model: Cache, reuse: bool, state: bool = False) -> Evict | None:
    """The eviction that an engine asks for before it computes ``key``; None if there is room."""
    config, trie = model.config, model.trie
    held = 0
    if reuse:
        held = sum(len(page.tokens) for page in trie.walk(key) if page.has(Pool.FULL))
    need = -(-(len(key.units(config.bigram)) - held) // config.page_size) * config.page_size
    full = max(0, need - trie.free(Pool.FULL))
    swa = 0 if config.window is None else max(0, need - trie.free(Pool.SWA))
    mamba = int(state and not trie.free(Pool.MAMBA))
    return Evict(full, swa, mamba) if full or swa or mamba else None
