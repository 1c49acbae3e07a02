"""What a prefetch from storage does to the tree: it takes slots on the host, and hands over what
was fetched to them.

The threads that fetch are not there: slots are filled when the harness says that it has come.
The storage is there as what it has under each name: the page, or state, that was put there first.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.hashes import page_names
from radixproof.impl.sglang.memory.content import Content
from radixproof.impl.sglang.memory.host import NAMES
from radixproof.impl.sglang.parts import Parts
from radixproof.impl.system import Fetched
from radixproof.model.config import HOST, Component, Config, Pool
from radixproof.model.key import Key


class Storage:
    """The tier below the host of one cache, as far as the tree hears of it."""

    def __init__(self, sglang: Sglang, parts: Parts, content: Content, config: Config) -> None:
        self._sglang = sglang
        self._tree, self._content, self._config = parts.tree, content, config
        self._pools = parts.host.pools
        self._stored: dict[tuple[Pool, str], list[int]] = {}
        """By name: the content of a page, or a state."""
        self._wanted: dict[tuple[Pool, int], int] = {}
        """By slot: what was asked for, until it is handed over."""

    def allocate(self, pool: Pool, count: int) -> list[int] | None:
        slots = self._pools[pool.component].alloc(count)
        return None if slots is None else list(slots.tolist())

    def free(self, pool: Pool, slots: Sequence[int]) -> None:
        self._pools[pool.component].free(self._tensor(slots))

    def fill(self, pool: Pool, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._wanted |= {(pool, slot): tag for slot, tag in zip(slots, tags, strict=True)}

    def hand_over(self, anchor: Any, key: Key, fetched: Fetched, start: int) -> int:
        """What follows ``start`` is inserted below the node of a match; returns what is kept of
        FULL. The rest is freed, as SGLang does then.
        """
        slots, window, state = fetched
        states = [] if state is None else [state]
        names = self._names(key)[start // self._config.page_size :]
        for pool, some in zip(HOST, (slots, window, states), strict=True):
            self._fetch(pool, some, names)
        self._wanted.clear()
        full, part = self._tensor(slots), self._key(key, start, len(slots))
        moved = {Component.SWA: list(window), Component.MAMBA: states}
        if self._sglang.capabilities.tree_core:
            done = self._tree.tree_core.insert_host(anchor, part, full, names)
            self._tree._apply_cache_actions(done.cache_actions)
            if done.host_insert_dropped:
                for component, some in {Component.FULL: slots, **moved}.items():
                    if some:
                        self.free(HOST[component], some)
                return 0
        else:
            done = self._tree._insert_helper_host(anchor, part, full, names)
        self._commit(anchor, done, {one: some for one, some in moved.items() if some}, names)
        there = int(done.prefix_len)
        if there:
            self.free(Pool.FULL_HOST, slots[:there])
        return len(slots) - there

    def _commit(
        self, anchor: Any, done: Any, moved: dict[Component, list[int]], names: Sequence[str]
    ) -> None:
        """The window and the state are attached, or released."""
        if not moved:
            return
        self._tree.cache_controller._init_extra_host_mem_release_queues()  # as with a storage
        tree, kinds = self._sglang.tree, self._sglang.storage
        pages = {one: len(some) // self._config.unit(HOST[one]) for one, some in moved.items()}
        transfers = {
            tree.ComponentType(int(one)): [
                kinds.PoolTransfer(
                    name=kinds.PoolName(NAMES[one]),
                    host_indices=self._tensor(some),
                    keys=list(names[-pages[one] :]),
                    hit_policy=kinds.PoolHitPolicy.TRAILING_PAGES,
                )
            ]
            for one, some in moved.items()
        }
        came = {kinds.PoolName(NAMES[one]): count for one, count in pages.items()}
        result = kinds.PoolTransferResult(len(names), came)
        told = {"insert_result": done, "pool_storage_result": result}
        phase = tree.CacheTransferPhase.PREFETCH
        if self._sglang.capabilities.tree_core:
            actions: list[Any] = []
            self._tree.tree_core.commit_hicache_transfers(
                anchor, phase, transfers, cache_actions=actions, **told
            )
            self._tree._apply_cache_actions(actions)
        else:
            for one, some in transfers.items():
                self._tree.components[one].commit_hicache_transfer(anchor, phase, some, **told)
        self._release(moved)

    def _release(self, moved: dict[Component, list[int]]) -> None:
        """What the tree has not taken is queued for those that free it."""
        queues = self._tree.cache_controller.extra_host_mem_release_queues
        for one in moved:
            queue = queues[self._sglang.storage.PoolName(NAMES[one])]
            while not queue.empty():
                self._pools[one].free(queue.get())

    def _fetch(self, pool: Pool, slots: Sequence[int], names: Sequence[str]) -> None:
        """What the last pages get, or the state, is what there is under their names."""
        size = self._config.unit(pool)
        pages = [slots[at : at + size] for at in range(0, len(slots), size)]
        for name, page in zip(names[len(names) - len(pages) :], pages, strict=True):
            wanted = [self._wanted[pool, slot] for slot in page]
            stored = self._stored.setdefault((pool, name), wanted)
            self._content.write_host(pool.component, page, stored)

    def _key(self, key: Key, start: int, units: int) -> Any:
        """So many units of a key, in SGLang's form: no method of the tree makes pairs of it."""
        tokens = array("q", key.tokens[start:])
        made = self._sglang.radix_key(tokens, key.namespace or None, self._config.bigram)
        return made[:units]

    def _names(self, key: Key) -> list[str]:
        """What SGLang calls the whole pages of a key in storage."""
        bigram = self._config.bigram
        length = self._config.floor(len(key.units(bigram)))
        seed = self._sglang.namespace_seed(key.namespace or None, None)
        prior = bytes.fromhex(seed) if seed else None
        return page_names(key.tokens, length, bigram, self._config.page_size, prior=prior)

    def _tensor(self, slots: Sequence[int]) -> Any:
        return self._sglang.torch.tensor(slots)
