"""Load-back: what is brought back from the host, when, and what room it needs (semantics 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from radixproof.model.config import DEVICE, HOST, Config, Pool
from radixproof.model.specification.backing_up import wait_for_backups
from radixproof.model.specification.device_eviction import Strict, evict
from radixproof.model.specification.locking import lock_both, unlock
from radixproof.model.specification.nodes import window_nodes
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Holder, Page, PagesPerPool


@dataclass(slots=True)
class Loading:
    """A load-back between its two halves, under its lock: whether there is room is not decided."""

    holder: Holder
    best: Page
    lists: PagesPerPool
    refused: bool = False

    @property
    def full(self) -> int:
        """FULL tokens that it brings (semantics 9.6)."""
        return sum(len(page.tokens) for page in self.lists[Pool.FULL])

    @property
    def others(self) -> bool:
        """It brings SWA, or a state (semantics 9.3)."""
        return bool(self.lists[Pool.SWA] or self.lists[Pool.MAMBA])


MakeRoom: TypeAlias = Callable[[State, Loading], bool]
"""Makes room on the device for a load-back. Returns whether it goes ahead."""


# -- what it brings --------------------------------------------------------------------------------


def to_load(path: list[Page], config: Config) -> PagesPerPool:
    """What a load-back of ``path`` brings to the device, per device pool (semantics 9.2).

    FULL where it is missing, SWA where one window of nodes has it on the host only, MAMBA at the
    end.
    """
    near = [] if config.window is None else window_nodes(path, config.window)
    parts = {Pool.FULL: path, Pool.SWA: near, Pool.MAMBA: path[-1:]}
    return {pool: [page for page in parts[pool] if _waits(page, pool)] for pool in DEVICE}


def _waits(page: Page, pool: Pool) -> bool:
    """The host has a page's state for this device pool, the device has not (semantics 9.2)."""
    return page.resident_in[HOST[pool]] and not page.resident_in[pool]


def host_hits(path: list[Page], config: Config) -> Amounts:
    """The part of a match ending with ``path`` that is on the host only (semantics 3.4)."""
    return Amounts(
        *(len(pages) * config.unit(pool) for pool, pages in to_load(path, config).items())
    )


def pinned(path: list[Page]) -> int:
    """FULL tokens on the device that a lock of ``path`` is the first to protect (6.1, 9.3)."""
    free = (page for page in path if page.has(Pool.FULL) and not page.locked_in(Pool.FULL))
    return sum(len(page.tokens) for page in free)


def is_too_short(full: int, others: bool, config: Config) -> bool:
    """Whether a load-back of ``full`` tokens, and of SWA or a state if ``others``, is not worth
    it (9.3).
    """
    return not others and full < max(1, config.load_threshold)


def refuses_load(full: int, others: bool, pins: int, quota: int | None, config: Config) -> bool:
    """Whether a load-back is refused whatever room there is: too short, or over its quota, against
    which count the ``pins``, too, that it protects (9.3).
    """
    over_quota = quota is not None and full + pins > quota
    return over_quota or is_too_short(full, others, config)


def load_back(state: State, best: Page, quota: int | None) -> Loading:
    """First half: what it brings, with both tiers locked, unless it is refused (9.2, 9.3)."""
    path = best.path()
    loading = Loading(state.copies.next_holder(load=True), best, to_load(path, state.config))
    pins = 0 if quota is None else pinned(path)
    loading.refused = refuses_load(loading.full, loading.others, pins, quota, state.config)
    if not loading.refused:
        lock_both(state, loading.holder, best)
    return loading


# -- room for it -----------------------------------------------------------------------------------


def load_need(state: State, loading: Loading, pool: Pool) -> int:
    """Slots that a load-back takes from a device pool (semantics 9.3)."""
    return len(loading.lists[pool]) * state.config.unit(pool)


def load_shortage(state: State, loading: Loading) -> Amounts:
    """Device slots that it needs beyond those that are free (semantics 9.3)."""
    return Amounts(
        *(max(0, load_need(state, loading, pool) - state.trie.free(pool)) for pool in DEVICE)
    )


def could_have_room(state: State, loading: Loading) -> bool:
    """It needs no more than is free, or evictable under its own lock (9.3)."""
    for pool in DEVICE:
        idle = sum(not page.locked_in(pool) for page in state.trie.recency_in[pool])
        room = state.trie.free(pool) + idle * state.config.unit(pool)
        if load_need(state, loading, pool) > room:
            return False
    return True


def make_room(state: State, loading: Loading) -> bool:
    """The strict choice: evict what is short, if enough room can be made (semantics 9.3)."""
    if not could_have_room(state, loading):
        return False
    if any(load_shortage(state, loading)):
        wait_for_backups(state)
    evict(state, load_shortage(state, loading), Strict(state))
    return not any(load_shortage(state, loading))


# -- how it ends -----------------------------------------------------------------------------------


def finish_load(state: State, loading: Loading, makes_room: MakeRoom = make_room) -> bool:
    """Second half: slots are filled, or the locks are undone. Returns which (9.3, 9.4)."""
    if makes_room(state, loading):
        commit_load(state, loading)
        return True
    unlock(state, loading.holder)
    return False


def commit_load(state: State, loading: Loading) -> None:
    """Device values count from now on, before any byte has moved (semantics 9.4)."""
    for pool, pages in loading.lists.items():
        for page in pages:
            state.trie.put(page, pool)
    state.trie.sort_by_use(loading.lists[Pool.FULL])
    if not state.dialect.segment_locks:
        # The lock that lasts covers values, and so is taken when they are there.
        unlock(state, loading.holder)
        lock_both(state, loading.holder, loading.best)
    state.copies.start(True, _marked(loading), loading.lists)


def _marked(loading: Loading) -> list[Page]:
    """All pages of the nodes that are loaded, in order (semantics 9.4)."""
    brought = (page for pages in loading.lists.values() for page in pages)
    return list(dict.fromkeys(page for one in brought for page in one.node_end().node()))
