"""The specification alone, spoken to in prompts that are written as text, and shown as a table.

A prompt is ``"1 2 3"``, or ``"a: 1 2 3"`` in a namespace. A table goes from a prefix to what its
last page has: ``F`` FULL, ``S`` SWA, ``M`` MAMBA on the device, ``f``, ``s`` and ``m`` the same on
the host, ``|`` the end of a node. Where no choice is passed in, the model makes the strict one
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

from radixproof.model.config import POOLS, Component, Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.following.choice import Choice
from radixproof.model.following.follower import Follower
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.inserting import Inserting
from radixproof.model.specification.trie import Amounts, Holder, HolderKind, Page
from radixproof.model.verdict import Breach

LETTERS = dict(zip("FSMfsm", POOLS, strict=True))
SIZES = {"device_pages": 12, "host_pages": 24}
SWA_SIZES = {"swa_pages": 12, "swa_host_pages": 24}
MAMBA_SIZES = {"mamba_states": 6, "mamba_host_states": 12}
Texts = Mapping[str, Iterable[str]]
"""Prefixes by the letter of a pool."""


def key(text: str) -> Key:
    namespace, _, tokens = text.rpartition(":")
    return Key(tuple(map(int, tokens.split())), namespace)


def name(page: Page) -> str:
    return (f"{page.namespace}: " if page.namespace else "") + " ".join(map(str, page.key().tokens))


def receipt(name: str) -> Holder:
    """Who holds what is locked under a name."""
    return Holder(HolderKind.RECEIPT, name)


def signatures(breaches: Iterable[Breach]) -> list[str]:
    return [breach.signature for breach in breaches]


def below(page: Page) -> Iterator[Page]:
    for child in page.children.values():
        yield child
        yield from below(child)


class Sheet:
    """A model to write on and to read from."""

    def __init__(self, mamba: bool = False, dialect: Dialect | None = None, **options: Any) -> None:
        """Room for everything unless said otherwise, and no host tier with ``host_pages=0``."""
        sizes = SIZES | (SWA_SIZES if "window" in options else {}) | (MAMBA_SIZES if mamba else {})
        if options.get("host_pages") == 0:
            sizes = {size: 0 if "host" in size else count for size, count in sizes.items()}
        self.config = Config(**(sizes | options))
        self.cache = Cache(self.config, dialect or Dialect())
        self.trie = self.cache.trie
        self.follower = Follower(self.cache)

    # -- writing -----------------------------------------------------------------------------------

    def put(
        self,
        text: str,
        evicted: int = 0,
        protected: int = 0,
        state: bool = False,
        priority: int = 0,
        inserted: int = 0,
    ) -> Inserting:
        insert = self.cache.insert(key(text), protected, evicted, state, priority, inserted)
        self.cache.finish_insert(insert)
        return insert

    def match(self, text: str) -> tuple[int, int]:
        """How long the match is on the device, and how long the best one."""
        device, best = self.cache.match(key(text))
        return device.end, best.end

    def keep(self, text: str) -> None:
        """A match that is kept."""
        self.cache.keep("m", self.cache.match(key(text)))

    def stands(self) -> bool:
        """Whether what it found may be used."""
        return self.cache.stands("m")

    def lock(self, name: str, text: str) -> int:
        """Lock what a match may use on the device; its length."""
        anchor = self.cache.match(key(text))[0]
        self.cache.lock(receipt(name), anchor)
        return anchor.end

    def lock_host(self, name: str, text: str) -> int:
        """Lock the host copies of what a match finds at best; its length."""
        anchor = self.cache.match(key(text))[1]
        self.cache.lock_host(receipt(name), anchor)
        return anchor.end

    def lock_page(self, name: str, text: str) -> None:
        """Lock the page that a prompt ends with, whatever a match says."""
        self.cache.lock(receipt(name), self.page(text))

    def unlock(self, name: str) -> None:
        self.cache.unlock(receipt(name))

    def may_release(self, name: str) -> bool:
        return self.cache.may_release(receipt(name))

    def release_window(self, name: str) -> None:
        self.cache.release_window(receipt(name))

    def release_state(self, name: str) -> None:
        self.cache.release_state(receipt(name))

    def evict(self, full: int = 0, swa: int = 0, mamba: int = 0) -> tuple[int, int, int]:
        return self.cache.evict(Amounts(full, swa, mamba))

    def evict_host(self, tokens: int, component: Component = Component.FULL) -> int:
        return self.cache.evict_host(tokens, component)

    def load(self, text: str, quota: int | None = None) -> bool:
        """Load a prompt back; whether anything is on its way."""
        loading = self.cache.load_back(self.cache.match(key(text)).best, quota)
        return not loading.refused and self.cache.finish_load(loading)

    def fetch(self, text: str, start: int = 0) -> int:
        return self.cache.host_insert(key(text), start)

    def settle(self) -> None:
        """Acknowledge everything in flight."""
        for load in (False, True):
            self.cache.check(load, blocking=True)

    def demote(self, *texts: str) -> None:
        """Put prompts, with a state at the end of each if the cache has MAMBA; then take everything
        unlocked off the device."""
        for text in texts:
            self.put(text, state=self.config.mamba_states > 0)
        self.settle()
        self.evict(*(self.config.slots(pool) for pool in POOLS[:3]))

    # -- following a system ------------------------------------------------------------------------

    def choice(
        self, gone: Texts | None = None, gained: Texts | None = None, sure: bool = True
    ) -> Choice:
        """What a system chose: single pages, by the letter of the pool that lost or gained them."""
        lost, won = (
            [self.pages((texts or {}).get(letter, ())) for letter in LETTERS]
            for texts in (gone, gained)
        )
        return Choice(lost, won, sure)

    def put_as(
        self,
        text: str,
        gone: Texts | None = None,
        gained: Texts | None = None,
        sure: bool = True,
        **given: Any,
    ) -> list[str]:
        """An insert after which a system chose these backups, and this to make room for them: what
        is wrong with it."""
        counted = given.pop("counted", True)
        insert = self.cache.insert(
            key(text),
            given.pop("protected", 0),
            given.pop("evicted", 0),
            given.pop("state", False),
            **given,
        )
        insert.counted = counted
        return signatures(self.follower.finish_insert(insert, self.choice(gone, gained, sure)))

    def evict_as(
        self,
        asked: tuple[int, int, int],
        gone: Texts,
        gained: Texts | None = None,
        sure: bool = True,
        waited: Iterable[str] = (),
    ) -> tuple[Amounts, list[str]]:
        """An eviction in which a system chose these victims, and waited for backups of these
        prompts: what they freed, and what is wrong with it."""
        choice = self.choice(gone, gained, sure)._replace(waited=self.pages(waited))
        freed, breaches = self.follower.evict(Amounts(*asked), choice)
        return freed, signatures(breaches)

    def evict_host_as(
        self, tokens: int, gone: Texts, component: Component = Component.FULL
    ) -> tuple[int, list[str]]:
        freed, breaches = self.follower.evict_host(tokens, component, self.choice(gone))
        return freed[component], signatures(breaches)

    # -- reading -----------------------------------------------------------------------------------

    def page(self, text: str) -> Page:
        path = self.trie.walk(key(text))
        assert path[-1].key() == key(text)
        return path[-1]

    def pages(self, texts: Iterable[str]) -> dict[Page, None]:
        return {self.page(text): None for text in texts}

    def all_pages(self) -> list[Page]:
        return [page for root in self.trie.roots.values() for page in below(root)]

    def tree(self) -> dict[str, str]:
        """Every page by its prefix."""
        held = {
            page: "".join(letter for letter, pool in LETTERS.items() if page.has(pool))
            for page in self.all_pages()
        }
        return {name(page): letters + "|" * page.cut for page, letters in held.items()}

    def holders(self, pool: Pool) -> dict[str, set[str]]:
        """Who locks what in a pool."""
        return {
            name(page): set(map(str, page.holders[pool]))
            for page in self.all_pages()
            if page.locked_in(pool)
        }

    def order(self, pool: Pool | None = None) -> list[str]:
        """Prefixes of the pages in a device pool, or of all pages, least recently used first."""
        return [
            name(page)
            for page in (self.trie.recency if pool is None else self.trie.recency_in[pool])
        ]

    def owed(self) -> dict[str, list[Pool]]:
        """Prefixes that are owed host copies, and in which pools."""
        return {name(page): list(pools) for page, pools in self.follower.owed.items()}

    def flying(self) -> list[str]:
        """The prefix at the end of each copy in flight."""
        return [name(copy.node[-1]) for copy in self.cache.copies.flying]

    def copies(self) -> list[tuple[str, str]]:
        """The same, with the pools that it writes to."""
        letters = {pool: letter for letter, pool in LETTERS.items()}
        flying = self.cache.copies.flying
        return [
            (
                name(copy.node[-1]),
                "".join(letters[pool] for pool in POOLS if copy.targets.get(pool)),
            )
            for copy in flying
        ]


@pytest.fixture
def start() -> Callable[..., Sheet]:
    """Starts an empty model of given `Config` options and `Dialect`."""
    return Sheet


@pytest.fixture
def used_differently(start: Callable[..., Sheet]) -> Callable[[EvictionPolicy], Sheet]:
    """Five prompts that every order of eviction takes in an order of its own.

    Hits: 3 1 2 1 2. Priorities: 2 1 3 1 1. Used last: 4, then 1, 3, 5 and 2.
    """

    def fill(order: EvictionPolicy) -> Sheet:
        cache = start(threshold=99, eviction_policy=order, host_pages=0)
        for text, priority in (("1", 2), ("2", 1), ("3", 3), ("4", 1), ("5", 1)):
            cache.put(text, priority=priority)
        for text in ("1", "1", "3", "5"):
            cache.put(text)
        cache.match("2")
        return cache

    return fill


@pytest.fixture
def duplicated(start: Callable[..., Sheet]) -> Callable[..., Sheet]:
    """Under write_back: ``1`` and ``1 2`` on both tiers, of which the second is a device leaf, and
    ``9`` on the host only."""

    def fill(**options: Any) -> Sheet:
        cache = start(write_back=True, **options)
        cache.demote("9", "1", "1 2")
        cache.match("9")
        cache.put("1 2")
        return cache

    return fill


@pytest.fixture
def full_device(start: Callable[..., Sheet]) -> Callable[..., Sheet]:
    """``1 2`` on the host only, and ``7 8``, which leaves one page of the device free, locked or
    not."""

    def fill(locked: bool, **options: Any) -> Sheet:
        cache = start(device_pages=3, **options)
        cache.demote("1 2")
        cache.put("7 8")
        cache.settle()
        if locked:
            cache.lock("r1", "7 8")
        return cache

    return fill
