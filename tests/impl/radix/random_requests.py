"""Requests that do something at random, in the order in which an engine could do it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from radixproof.impl.radix.node import Units
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.system import Fetched
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key

OPERATIONS = {
    "match": 2,
    "insert": 6,
    "lock": 2,
    "unlock": 3,
    "release_window": 1,
    "lock_host": 1,
    "unlock_host": 2,
    "evict": 4,
    "evict_host": 2,
    "load_back": 3,
    "insert_host": 2,
    "copy_state": 1,
    "run_copies": 3,
    "check": 2,
    "refuse": 1,
}
"""Operations, and how often they come."""


@dataclass
class Held:
    """A device lock of a request, what it had found, and whether it has let its window go."""

    receipt: Any
    key: Key
    device: int
    released: bool = False


class Run:
    """One history: the system, the locks that requests hold, and what was written where."""

    def __init__(self, config: Config, seed: int) -> None:
        self.config = config
        self.random = random.Random(seed)
        self.system = RadixSystem(config, "cpu")
        self.held: list[Held] = []
        self.host_held: list[tuple[Any, Any]] = []
        self.prefixes: dict[tuple[str, Units], int] = {}
        self.resident: set[int] = set()
        self.seen = self.system.observe(whole=True)
        self.log: list[object] = []

    def units(self, key: Key) -> Units:
        """The whole pages of a key."""
        units = tuple(pairwise(key.tokens)) if self.config.bigram else key.tokens
        return units[: self.config.floor(len(units))]

    def tags(self, namespace: str, units: Units) -> list[int]:
        """One tag per unit, standing for the prefix that ends there."""
        return [
            self.prefixes.setdefault((namespace, units[: i + 1]), len(self.prefixes))
            for i in range(len(units))
        ]

    def key(self) -> Key:
        length = self.random.randint(0, 5 * self.config.page_size)
        return Key(
            tuple(self.random.choices((1, 2), weights=(4, 1), k=length)),
            self.random.choice(("", "", "b")),
        )

    def step(self) -> None:
        name = self.random.choices(tuple(OPERATIONS), tuple(OPERATIONS.values()))[0]
        self.log.append((name, getattr(self, "do_" + name)()))

    def release(self) -> None:
        """Give everything back, and wait for all copies."""
        while self.held or self.host_held:
            self.do_unlock()
            self.do_unlock_host()
        self.system.writing_check(blocking=True)
        self.system.loading_check(blocking=True)

    def do_match(self) -> object:
        key = self.key()
        found, units = self.system.match(key), self.units(key)
        assert found.device <= found.best <= len(units)
        if not any(node.loading for node in self.seen.nodes):
            assert (
                self.system.read(Pool.FULL, found.slots)
                == self.tags(key.namespace, units)[: found.device]
            )
        assert found.best == found.device or any(found.host or ())
        return key, found.device, found.best, found.host

    def do_insert(self) -> object:
        key, page = self.key(), self.config.page_size
        units = self.units(key)
        tags = self.tags(key.namespace, units)
        prefix = self.system.match(key).slots if self.random.random() < 0.5 else []
        fresh = self.system.allocate(len(units) - len(prefix))
        if fresh is None:
            return None
        self.system.write(fresh, tags[len(prefix) :])
        evicted = (
            len(prefix) + self.random.randint(0, len(fresh) // page) * page
            if self.random.random() < 0.5
            else len(prefix)
        )
        self.system.free_swa(fresh[: evicted - len(prefix)])
        state = (
            self.system.allocate_state()
            if self.config.mamba_states and self.random.random() < 0.7
            else None
        )
        if state is not None:
            self.system.write_state(state, tags[-1] if tags else 0)
        found = self.system.insert(
            key, prefix + fresh, len(prefix), evicted, state, self.random.randint(0, 2)
        )
        assert len(prefix) <= found.reused <= len(units)
        assert found.taken <= (state is not None and len(units) > 0)
        if state is not None and not found.taken:
            self.system.free_state(state)
        if not any(node.loading for node in self.seen.nodes):
            assert self.system.read(Pool.FULL, self.system.path_slots(found.anchor)) == tags
        return key, len(prefix), evicted, found.reused, found.taken

    def do_lock(self) -> object:
        key = self.key()
        found = self.system.match(key)
        self.held.append(Held(self.system.lock(found.anchor), key, found.device))
        return key

    def do_unlock(self) -> object:
        if not self.held:
            return None
        held = self.held.pop(self.random.randrange(len(self.held)))
        if not held.released:
            assert self.system.match(held.key).device >= held.device
        self.system.unlock(held.receipt)
        return held.key

    def do_release_window(self) -> object:
        unreleased = [held for held in self.held if not held.released]
        if not unreleased:
            return None
        held = self.random.choice(unreleased)
        held.released = True
        self.system.release_window(held.receipt)
        return held.key

    def do_lock_host(self) -> object:
        key = self.key()
        anchor = self.system.match(key).best_anchor
        self.host_held.append((self.system.lock_host(anchor), anchor))
        return key

    def do_unlock_host(self) -> object:
        if not self.host_held:
            return None
        receipt, anchor = self.host_held.pop(self.random.randrange(len(self.host_held)))
        assert anchor.is_root or anchor.parent is not None
        self.system.unlock_host(receipt)
        return str(anchor)

    def do_evict(self) -> object:
        wanted = [self.random.choice((0, self.random.randint(0, 8))) for _ in Component]
        return wanted, self.system.evict(*wanted)

    def do_evict_host(self) -> object:
        if not self.config.hosted:
            return None
        tokens, component = self.random.randint(1, 8), self.random.choice(self.config.components)
        return tokens, component, self.system.evict_host(tokens, component)

    def do_load_back(self) -> object:
        key = self.key()
        found = self.system.match(key)
        loaded = self.system.load_back(
            found.best_anchor, self.random.choice((None, self.random.randint(0, 8)))
        )
        assert loaded in (0, (found.host or (0,))[0])
        if loaded:
            assert self.system.match(key).device == found.best
        return key, loaded

    def do_insert_host(self) -> object:
        key = self.key()
        units = self.units(key)
        start = self.random.choice((0, self.system.match(key).best))
        if not self.config.hosted:
            return None
        slots = self.system.allocate_host(Pool.FULL_HOST, len(units) - start)
        if slots is None:
            return None
        tags = self.tags(key.namespace, units)[start:]
        self.system.write_host(Pool.FULL_HOST, slots, tags)
        return key, start, self.system.insert_host(key, Fetched(slots), start)

    def do_copy_state(self) -> object:
        key = self.key()
        found = self.system.match(key)
        if not self.config.mamba_states or not found.device:
            return None
        slot = self.system.copy_state(found.anchor)
        if slot is not None:
            assert self.system.read(Pool.MAMBA, [slot]) == [
                self.tags(key.namespace, self.units(key))[found.device - 1]
            ]
            self.system.free_state(slot)
        return key, slot

    def do_run_copies(self) -> object:
        load, fail = self.random.random() < 0.5, self.random.random() < 0.2
        return load, fail, self.system.run_copies(self.random.randint(1, 3), load, fail)

    def do_check(self) -> object:
        load, blocking = self.random.random() < 0.5, self.random.random() < 0.2
        check = self.system.loading_check if load else self.system.writing_check
        limit = self.random.choice((None, 1))
        expected = self.system.copied(load)
        done = check(blocking, limit)
        assert blocking or done <= expected
        return load, blocking, limit, done

    def do_refuse(self) -> object:
        pool = self.random.choice(self.config.pools)
        self.system.refuse(pool)
        return pool
