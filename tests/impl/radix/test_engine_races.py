"""Races on purpose: copies are slow, what is freed is filled with poison at once, and all content
is compared where it is used.

On a GPU the streams are real. Elsewhere they are those that run when they are told, and the bugs
that break their order have to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest

from radixproof.impl.radix.cache import Engines, RadixCache
from radixproof.impl.radix.config import CacheConfig, Component, Sizes
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix_adapter.tags import Tags

from .moving import (
    Real,
    Told,
    backups_do_not_wait,
    ends_are_told_early,
    loads_do_not_wait,
    nobody_joins,
)
from .slots import slots

PAGE, DEVICE, HOST = 4, 10, 24
POISON = 9_999


class Workload:
    """Prompts that share beginnings, in a cache with room for a few of them."""

    def __init__(self, streams: Any, random: Random) -> None:
        self.random, self.streams = random, streams
        config = CacheConfig(PAGE, Sizes(DEVICE), Sizes(HOST))
        self.memory = Memory(config, device=streams.device)
        self.cache = RadixCache(config, self.memory, Engines(*streams.engines))
        self.tags = Tags(self.memory.device_pools[Component.FULL])
        self.wrong: list[str] = []
        self.loaded = 0

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            pages = [self.random.randrange(2) for _ in range(self.random.randint(1, 5))]
            self._serve(tuple(token for page in pages for token in [page] * PAGE))
            self.streams.pass_time()
            if self.random.random() < 0.5:
                self.cache.writing_check()
                self.cache.loading_check()
            if self.random.random() < 0.5:
                self._evict(PAGE * self.random.randint(1, DEVICE))
        self.streams.finish()

    def _serve(self, prompt: tuple[int, ...]) -> None:
        """A request reads what is there of its prompt, and computes the rest."""
        self.loaded += self.cache.load_back(self.cache.match(prompt).best_node)
        found = self.cache.match(prompt)
        lock = self.cache.lock(found.device_node)
        self.cache.join_loads()
        wanted = [content(prompt[: end + 1]) for end in range(len(prompt))]
        begun = len(found.slots)
        self.streams.compute(partial(self._compare, found.slots, wanted[:begun]))
        need = len(prompt) - begun
        room = self.memory.device.full.available
        if need > room:
            self._evict(need - room)
        new = self.memory.device.allocate(need) if need else slots()
        if new is not None:
            tags = np.array(wanted[begun:], dtype=np.float32)
            self.streams.compute(partial(self.tags.write, new, tags))
            self.cache.insert(prompt, [*found.slots, *new], protected=begun)
        self.cache.unlock(lock)

    def _compare(self, where: Slots, wanted: Sequence[int]) -> None:
        seen = self.tags.read(where) if len(where) else []
        if seen != list(wanted):
            self.wrong.append(f"slots {where.tolist()} hold {seen}, not {list(wanted)}")

    def _evict(self, tokens: int) -> None:
        """Whoever gets a slot next writes to it in the compute stream: here that is poison."""
        free = set(self.memory.device.full.free_slots().tolist())
        self.cache.evict(tokens)
        freed = sorted({*self.memory.device.full.free_slots().tolist()} - free)
        if freed:
            poison = np.full(len(freed), POISON, dtype=np.float32)
            self.streams.compute(partial(self.tags.write, slots(*freed), poison))


def content(prefix: Sequence[int]) -> int:
    """What a slot holds of the last token of a prefix: another number for each."""
    return (
        1
        + sum((1 + token) << at for at, token in enumerate(prefix[::PAGE])) * PAGE
        + (len(prefix) % PAGE)
    )


def went(streams: type[Any], seed: int, break_it: Callable[[Any], None] = lambda _: None) -> Any:
    random = Random(f"racing {seed}")
    made = streams(random)
    break_it(made)
    workload = Workload(made, random)
    workload.run(60)
    return workload


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_read_too_early_or_written_too_late(seed: int) -> None:
    workload = went(Told, seed)
    assert workload.wrong == []
    assert workload.loaded > 0


BROKEN = [backups_do_not_wait, loads_do_not_wait, nobody_joins, ends_are_told_early]


@pytest.mark.parametrize("break_it", BROKEN)
def test_what_breaks_the_order_is_seen(break_it: Callable[[Any], None]) -> None:
    assert any(went(Told, seed, break_it).wrong for seed in range(5))


@pytest.mark.gpu
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_read_too_early_or_written_too_late_on_a_gpu(seed: int) -> None:
    assert went(Real, seed).wrong == []


@pytest.mark.gpu
@pytest.mark.parametrize("break_it", BROKEN)
def test_what_breaks_the_order_is_seen_on_a_gpu(break_it: Callable[[Any], None]) -> None:
    assert any(went(Real, seed, break_it).wrong for seed in range(20))
