"""Previews: what an operation is about to find, take and bring, read from the model
without changing it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from radixproof.model.config import DEVICE, Config, Pool
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.loading import pinned, refuses_load, to_load
from radixproof.model.specification.locking import device_lock
from radixproof.model.specification.matching import match_ends
from radixproof.model.specification.trie import Holder, HolderKind, Page, PagesPerPool


class MatchPreview(NamedTuple):
    """What a match will find: the pages that spell its key, the last one usable on device, and the
    last one on either tier.
    """

    path: list[Page]
    root: Page
    device: Page
    best: Page


def preview_match(model: Cache, key: Key) -> MatchPreview:
    path, root = model.trie.walk(key), model.trie.root(key.namespace)
    return MatchPreview(path, root, *ends_of(path, root, model.config))


def preview_kept(model: Cache, name: str) -> MatchPreview:
    """What a match that was kept under a name has found."""
    device, best, _ = model.kept[name]
    return MatchPreview(best.path(), model.trie.root(best.namespace), device, best)


def ends_of(path: list[Page], root: Page, config: Config) -> tuple[Page, Page]:
    """Where a match ends, on the device and on either tier, once it has cut the last
    node of the path.
    """
    if not path or path[-1].cut:
        return match_ends(path, root, config)
    *above, last = path
    as_cut = Page(last.tokens, last.parent, last.end, cut=True, resident_in=last.resident_in)
    device, best = match_ends([*above, as_cut], root, config)
    return (last if device is as_cut else device), (last if best is as_cut else best)


def receipts_on(page: Page, pool: Pool) -> list[Holder]:
    """Who locks a page in a pool, apart from copies."""
    return [holder for holder in page.holders[pool] if holder.kind is not HolderKind.COPY]


@dataclass(frozen=True, slots=True)
class InsertPreview:
    """An insert as it will be: the pages of its key that are there, how long the key is, and where
    its SWA begins.
    """

    path: list[Page]
    length: int
    evicted: int
    state: bool

    @property
    def end(self) -> int:
        """Where the tree's part of the key ends."""
        return self.path[-1].end if self.path else 0

    def brings_swa(self, page: Page) -> bool:
        return page.end - len(page.tokens) >= self.evicted


def allocated(units: int, state: bool, config: Config) -> dict[Pool, int]:
    """Slots that an insert allocates per pool, for so many units of its key."""
    tokens = config.floor(units + config.page_size - 1)
    need = {Pool.FULL: tokens, Pool.SWA: tokens, Pool.MAMBA: int(state)}
    return {pool: count for pool, count in need.items() if count and pool in config.pools}


def unlocked_on_host(model: Cache, pool: Pool) -> int:
    """Host slots that eviction could free at most."""
    busy = model.copies.busy()
    idle = (
        page
        for page in model.trie.recency
        if page.has(pool) and not page.locked_in(pool) and page not in busy
    )
    return sum(model.config.unit(pool) for _ in idle)


@dataclass(frozen=True, slots=True)
class LoadPreview:
    """A load-back as it will be: what it brings, and per device pool what that needs, what is free
    and what eviction could free.
    """

    path: list[Page]
    lists: PagesPerPool
    need: dict[Pool, int]
    free: dict[Pool, int]
    spare: dict[Pool, int]
    pins: int
    """FULL tokens that it would be the first to lock."""

    @property
    def full(self) -> int:
        return self.need[Pool.FULL]

    @property
    def fits(self) -> bool:
        return all(self.need[pool] <= self.free[pool] + self.spare[pool] for pool in DEVICE)

    @property
    def aux(self) -> bool:
        return bool(self.lists[Pool.SWA] or self.lists[Pool.MAMBA])


def preview_load(model: Cache, best: Page) -> LoadPreview:
    trie, config, path = model.trie, model.config, best.path()
    lists = to_load(path, config) if config.hosted else {pool: [] for pool in DEVICE}
    need = {pool: len(pages) * config.unit(pool) for pool, pages in lists.items()}
    free = {pool: trie.free(pool) for pool in DEVICE}
    lock = device_lock(best, config, model.dialect)
    spare = {
        pool: evictable(trie.recency_in[pool], pool, lock.get(pool, [])) * config.unit(pool)
        for pool in DEVICE
    }
    return LoadPreview(path, lists, need, free, spare, pinned(path))


def load_is_refused(model: Cache, load: LoadPreview, quota: int | None) -> bool:
    """Whether a load-back is refused whatever room there is."""
    return refuses_load(load.full, load.aux, load.pins, quota, model.config)


def evictable(pages: Iterable[Page], pool: Pool, spared: list[Page]) -> int:
    """Pages of a device pool that neither are locked nor about to be."""
    return sum(not page.locked_in(pool) and page not in spared for page in pages)


def reached(model: Cache, holder: Holder) -> int:
    """Units down to where the lock of a request reaches, all of which the tree has."""
    return len(model.receipts[holder].get(Pool.FULL, [])) * model.config.page_size


def goes_on(model: Cache, holder: Holder, key: Key, tokens: int) -> bool:
    """Whether computing so much more of its prompt certainly makes a request insert, and exchange
    its receipt for another.
    """
    known = reached(model, holder)
    return model.config.floor(min(known + tokens, len(key.units(model.config.bigram)))) > known
