"""What a prefetch from storage does to the tree: it takes slots on the host, and hands over what
was fetched to them.

The threads that fetch are not there: slots are filled when the harness says that it has come.
The storage is there as what it has under each name: the page, or state, that was put there first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.hashes import page_names
from radixproof.impl.sglang.memory.host import NAMES
from radixproof.impl.sglang.parts import Parts
from radixproof.impl.sglang.stored import Stored
from radixproof.impl.system import Fetched
from radixproof.model.config import HOST, Config, Pool
from radixproof.model.key import Key


class Storage:
    """The tier below the host of one cache, as far as the tree hears of it."""

    def __init__(self, sglang: Sglang, parts: Parts, stored: Stored, config: Config) -> None:
        self._sglang = sglang
        self._tree, self._config = parts.tree, config
        self._pools = parts.host.pools
        self._stored = stored
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
        names = self._names(key)[start // self._config.page_size :]
        full, states = fetched.slots, [] if fetched.state is None else [fetched.state]
        others = zip(HOST[1:], (fetched.window, states), strict=True)
        beside = {pool: some for pool, some in others if some}
        for pool, some in {Pool.FULL_HOST: full, **beside}.items():
            self._fetch(pool, some, names)
        self._wanted.clear()
        done = self._insert(anchor, self._key(key, start, len(full)), full, names)
        if done is None:
            for pool, some in {Pool.FULL_HOST: full, **beside}.items():
                self.free(pool, some)
            return 0
        if beside:
            self._commit(anchor, done, beside, names)
        there = int(done.prefix_len)
        if there:
            self.free(Pool.FULL_HOST, full[:there])
        return len(full) - there

    def _insert(self, anchor: Any, key: Any, full: Sequence[int], names: Sequence[str]) -> Any:
        """What SGLang says of it; None if it drops all that was fetched."""
        if not self._sglang.capabilities.tree_core:
            return self._tree._insert_helper_host(anchor, key, self._tensor(full), names)
        done = self._tree.tree_core.insert_host(anchor, key, self._tensor(full), names)
        self._tree._apply_cache_actions(done.cache_actions)
        return None if done.host_insert_dropped else done

    def _commit(
        self, anchor: Any, done: Any, beside: Mapping[Pool, Sequence[int]], names: Sequence[str]
    ) -> None:
        """The window and the state are attached, or released."""
        tree, kinds = self._sglang.tree, self._sglang.storage
        if not self._tree.enable_storage:
            self._tree.cache_controller._init_extra_host_mem_release_queues()  # as with one
        transfers, came = {}, {}
        for pool, some in beside.items():
            name = kinds.PoolName(NAMES[pool.component])
            came[name] = pages = len(some) // self._config.unit(pool)
            policy = kinds.PoolHitPolicy.TRAILING_PAGES
            index, keys = self._tensor(some), list(names[-pages:])
            moved = kinds.PoolTransfer(name, host_indices=index, keys=keys, hit_policy=policy)
            transfers[tree.ComponentType(int(pool.component))] = [moved]
        result = kinds.PoolTransferResult(len(names), came)
        told = {"insert_result": done, "pool_storage_result": result}
        phase = tree.CacheTransferPhase.PREFETCH
        if self._sglang.capabilities.tree_core:
            actions: list[Any] = []
            commit = self._tree.tree_core.commit_hicache_transfers
            commit(anchor, phase, transfers, cache_actions=actions, **told)
            self._tree._apply_cache_actions(actions)
        else:
            for one, some in transfers.items():
                self._tree.components[one].commit_hicache_transfer(anchor, phase, some, **told)
        self._release(beside)

    def _release(self, pools: Iterable[Pool]) -> None:
        """What the tree has not taken is queued for those that free it."""
        queues = self._tree.cache_controller.extra_host_mem_release_queues
        for pool in pools:
            queue = queues[self._sglang.storage.PoolName(NAMES[pool.component])]
            while not queue.empty():
                self._pools[pool.component].free(queue.get())

    def _fetch(self, pool: Pool, slots: Sequence[int], names: Sequence[str]) -> None:
        """What the last pages get, or the state, is what there is under their names."""
        size = self._config.unit(pool)
        pages = [slots[at : at + size] for at in range(0, len(slots), size)]
        wanted = [[self._wanted[pool, slot] for slot in page] for page in pages]
        self._stored.read(pool, slots, names[len(names) - len(pages) :], wanted)

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
