"""The model alone, with choices of its own: whatever happens to it, what it says of itself
agrees."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixproof.model.config import DEVICE, HOST, POOLS, Component, Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.trie import Amounts, Holder, HolderKind, Page

STATED = Config(device_pages=6, host_pages=5, mamba_states=3, mamba_host_states=2)
WINDOWED = Config(window=2, device_pages=6, host_pages=5, swa_pages=5, swa_host_pages=4)
WHOLE = replace(WINDOWED, mamba_states=3, mamba_host_states=2)
SHAPES = {
    "full": Config(device_pages=6, host_pages=9),
    "full, page 2, selective": Config(
        page_size=2, device_pages=5, host_pages=4, threshold=2, load_threshold=3
    ),
    "no host tier": replace(
        WHOLE,
        host_pages=0,
        swa_host_pages=0,
        mamba_host_states=0,
        eviction_policy=EvictionPolicy.FILO,
    ),
    "window": WINDOWED,
    "window, page 2, selective": replace(
        WINDOWED,
        page_size=2,
        window=3,
        host_pages=12,
        threshold=2,
        eviction_policy=EvictionPolicy.LFU,
    ),
    "states": replace(STATED, eviction_policy=EvictionPolicy.SLRU),
    "window and states": replace(WHOLE, host_pages=8, swa_host_pages=6),
    "window and states, selective": replace(
        WHOLE, window=1, threshold=2, eviction_policy=EvictionPolicy.MRU
    ),
    "write_back": Config(
        device_pages=5, host_pages=4, write_back=True, eviction_policy=EvictionPolicy.FIFO
    ),
    "write_back, window and states": replace(WHOLE, write_back=True),
    "bigram": replace(WINDOWED, page_size=2, bigram=True, eviction_policy=EvictionPolicy.PRIORITY),
    "two ranks": replace(WHOLE, ranks=2),
}
PROMPTS = (
    "1",
    "1 2",
    "1 1",
    "1 2 1",
    "1 2 2",
    "1 2 1 1",
    "1 2 1 1 2",
    "1 2 2 1",
    "2",
    "2 1 1",
    "2 1 1 1",
)
"""Prompts that leave each other at every page, in pages."""


class Alone:
    """A model, and operations on it that need no system; numbers are taken modulo what there is to
    choose from."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.cache = Cache(config, Dialect())
        self.names: list[Holder] = []
        self.taken = 0

    def key(self, pages: str, flag: bool) -> Key:
        """The prompt, in a namespace, or with a token that completes no page."""
        tokens = [int(page) for page in pages.split() for _ in range(self.config.page_size)]
        return Key(
            (*tokens, 3) if self.config.bigram or flag else tuple(tokens),
            "a" if flag and pages == "2" else "",
        )

    def insert(self, key: Key, number: int, flag: bool) -> None:
        cache, config, size = self.cache, self.config, self.config.page_size
        need = len(cache.trie.units(key))
        state = flag and config.mamba_states > 0
        wanted = {Pool.FULL: need, Pool.SWA: need if config.window else 0, Pool.MAMBA: int(state)}
        for pool, count in wanted.items():
            asked = [
                max(0, count - cache.trie.free(pool)) if other is pool else 0 for other in DEVICE
            ]
            self.evicting((asked[0], asked[1], asked[2]))
        if any(cache.trie.free(pool) < count for pool, count in wanted.items()):
            return
        protected = cache.match(key)[0].end if number % 2 else 0
        evicted = number % (need // size + 1) * size
        cache.finish_insert(cache.insert(key, protected, evicted, state, priority=number % 3))

    def match(self, key: Key, number: int, flag: bool) -> None:
        device, best = self.cache.match(key)
        assert device.end <= best.end <= len(self.cache.trie.units(key))

    def lock(self, key: Key, number: int, flag: bool) -> None:
        self.taken += 1
        self.names.append(Holder(HolderKind.RECEIPT, "r", self.taken))
        device, best = self.cache.match(key)
        if flag:
            self.cache.lock(self.names[-1], device)
        else:
            self.cache.lock_host(self.names[-1], best)

    def unlock(self, key: Key, number: int, flag: bool) -> None:
        while self.names and (flag or len(self.names) > 2):
            self.cache.unlock(self.names.pop(number % len(self.names)))

    def release(self, key: Key, number: int, flag: bool) -> None:
        early = [name for name in self.names if self.cache.may_release(name)]
        if early:
            self.cache.release_window(early[number % len(early)])
            assert not self.cache.may_release(early[number % len(early)])

    def evict(self, key: Key, number: int, flag: bool) -> None:
        asked = (
            number if number % 3 == 0 else 0,
            number if number % 3 == 1 else 0,
            number if number % 3 == 2 else 2 * flag,
        )
        swa, mamba = self.config.window is not None, self.config.mamba_states > 0
        self.evicting((asked[0], asked[1] * swa, asked[2] * mamba))

    def demote(self, key: Key, number: int, flag: bool) -> None:
        """Everything off the device that may go, now that nothing is in flight."""
        for load in (False, True):
            self.cache.check(load, blocking=True)
        self.evicting((self.config.slots(Pool.FULL), 0, 0))

    def evicting(self, asked: tuple[int, int, int]) -> None:
        """What is locked stays, and what is said to be freed is free."""
        cache = self.cache
        locked = [
            (page, pool)
            for page in cache.trie.recency
            for pool in DEVICE
            if page.has(pool) and page.locked_in(pool)
        ]
        free = [cache.trie.free(pool) for pool in DEVICE]
        freed = cache.evict(Amounts(*asked))
        assert all(page.has(pool) for page, pool in locked)
        assert list(freed) == [
            cache.trie.free(pool) - before for pool, before in zip(DEVICE, free, strict=True)
        ]

    def evict_host(self, key: Key, number: int, flag: bool) -> None:
        component = self.config.components[number % len(self.config.components)]
        locked = [
            (page, pool)
            for page in self.cache.trie.recency
            for pool in HOST
            if page.has(pool) and page.locked_in(pool)
        ]
        self.cache.evict_host(number // 2, component)
        assert all(page.has(pool) for page, pool in locked)

    def load(self, key: Key, number: int, flag: bool) -> None:
        """Something that is on the host only, if anything is."""
        away = [
            page
            for page in self.cache.trie.recency
            if page.cut and any(page.has(HOST[at]) and not page.has(at) for at in DEVICE)
        ]
        key = away[number % len(away)].key() if away else key
        best = self.cache.match(key)[1]
        loading = self.cache.load_back(best, number if flag else None)
        if loading.refused:
            return
        if self.cache.finish_load(loading):
            assert self.cache.match(key)[0].end >= best.end

    def fetch(self, key: Key, number: int, flag: bool) -> None:
        start, need = self.cache.match(key)[1].end, len(self.cache.trie.units(key))
        if not self.config.hosted or start == need:
            return
        for pool, count in self.fetched(start, need).items():
            missing = count - self.cache.trie.free(pool)
            self.cache.evict_host(max(0, missing), pool.component)
        start = self.cache.match(key)[1].end
        wanted = self.fetched(start, need)
        if all(count <= self.cache.trie.free(pool) for pool, count in wanted.items()):
            assert 0 <= self.cache.host_insert(key, start) <= need - start

    def fetched(self, start: int, end: int) -> dict[Pool, int]:
        return {
            Pool.FULL_HOST: end - start,
            Pool.SWA_HOST: self.config.fetched_window(start, end),
            Pool.MAMBA_HOST: int(self.config.mamba_states > 0),
        }

    def run(self, key: Key, number: int, flag: bool) -> None:
        self.cache.copies.run(
            number % 3, load=flag, rank=number % self.config.ranks, fail=number == 5
        )

    def check(self, key: Key, number: int, flag: bool) -> None:
        acked = self.cache.check(load=flag, blocking=number > 3)
        assert all(copy.complete and copy.load == flag for copy in acked)
        assert number <= 3 or all(copy.load != flag for copy in self.cache.copies.flying)

    def end(self) -> None:
        """All receipts back and all copies acknowledged, everything can be evicted."""
        for name in self.names:
            self.cache.unlock(name)
        for load in (False, True):
            self.cache.check(load, blocking=True)
        pages = self.cache.trie.recency
        assert not any(page.locked or page.host_locked for page in pages)
        assert self.cache.receipts == {}
        self.cache.evict(Amounts(self.config.slots(Pool.FULL)))
        self.cache.evict_host(self.config.slots(Pool.FULL_HOST), Component.FULL)
        assert not pages
        assert all(self.cache.trie.free(pool) == self.config.slots(pool) for pool in POOLS)


# -- what must hold of it --------------------------------------------------------------------------


def counts_and_orders_agree(cache: Cache, pages: list[Page]) -> None:
    trie = cache.trie
    assert set(pages) == set(trie.recency)
    for pool in POOLS:
        held = {page for page in pages if page.has(pool)}
        assert trie.used[pool] == len(held) <= cache.config.pages(pool)
        assert pool.on_host or set(trie.recency_in[pool]) == held
    for component in Component:
        waiting = [
            page for page in pages if page.has(HOST[component]) and not page.has(DEVICE[component])
        ]
        assert set(trie.host_only[component]) == set(waiting)
    assert [page for page in trie.recency if page.has(Pool.FULL)] == list(
        trie.recency_in[Pool.FULL]
    )


def paths_have_their_shape(cache: Cache, pages: list[Page]) -> None:
    """DEVPATH, and the continuity of what is backed up (semantics 1.4)."""
    write_back = cache.config.write_back
    for page in pages:
        above = page.parent
        assert above is not None
        assert page.has(Pool.FULL) or page.has(Pool.FULL_HOST)
        assert above.parent is None or above.has(Pool.FULL) or not page.has(Pool.FULL)
        assert (
            above.parent is None
            or above.has(Pool.FULL_HOST)
            or not page.has(Pool.FULL_HOST)
            or write_back
        )
        for pool in (Pool.SWA, Pool.MAMBA):
            assert page.has(Pool.FULL) or not page.has(pool)
            assert page.has(Pool.FULL_HOST) or not page.has(HOST[pool]) or write_back
        assert page.cut or not (page.has(Pool.MAMBA) or page.has(Pool.MAMBA_HOST))


def pages_of_a_node_are_alike(cache: Cache, pages: list[Page]) -> None:
    for page in pages:
        if not page.cut:
            (below,) = page.children.values()
            for pool in POOLS:
                if pool.component is not Component.MAMBA:
                    assert page.has(pool) == below.has(pool)
                    assert set(page.holders[pool]) == set(below.holders[pool])
            assert (page.hits, page.created, page.priority) == (
                below.hits,
                below.created,
                below.priority,
            )


def locks_are_those_of_the_receipts(cache: Cache, pages: list[Page]) -> None:
    seen = sorted(
        (name, pool, id(page)) for page in pages for pool in POOLS for name in page.holders[pool]
    )
    given_out = [
        (name, pool, id(page))
        for name, covered in cache.receipts.items()
        for pool in covered
        for page in covered[pool]
    ]
    assert seen == sorted(given_out)


def copies_have_source_and_target(cache: Cache, pages: list[Page]) -> None:
    for copy in cache.copies.flying:
        assert copy.holder in cache.receipts
        assert set(copy.node) <= set(pages)
        for pool, targets in copy.targets.items():
            source = HOST[pool] if copy.load else DEVICE[pool.component]
            assert all(page.has(pool) and page.has(source) for page in targets)
            assert all(copy.holder in page.holders[Pool.FULL] for page in targets)


ALWAYS = (
    counts_and_orders_agree,
    paths_have_their_shape,
    pages_of_a_node_are_alike,
    locks_are_those_of_the_receipts,
    copies_have_source_and_target,
)

OFTEN = (
    "insert",
    "insert",
    "insert",
    "match",
    "lock",
    "unlock",
    "evict",
    "demote",
    "load",
    "load",
    "run",
    "check",
)
STEPS = st.tuples(
    st.sampled_from((*OFTEN, "release", "fetch", "evict_host")),
    st.sampled_from(PROMPTS),
    st.integers(0, 7),
    st.booleans(),
)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=12)
@given(steps=st.lists(STEPS, min_size=30, max_size=60))
def test_the_model_runs_alone(shape: str, steps: list[tuple[str, str, int, bool]]) -> None:
    """Consistent after every step, and empty in the end."""
    alone = Alone(SHAPES[shape])
    for verb, pages, number, flag in steps:
        getattr(alone, verb)(alone.key(pages, flag), number, flag)
        held = [
            page
            for root in alone.cache.trie.roots.values()
            for page in alone.cache.trie.subtree([root])[1:]
        ]
        for check in ALWAYS:
            check(alone.cache, held)
    alone.end()
