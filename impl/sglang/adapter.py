"""A release of SGLang as a `System`: each method is one call of SGLang's own, on its own objects.

Requests are played by the caller, so `allocate`, `free` and `free_swa` are what SGLang's scheduler does for them, and `reset` is
its flush of the whole cache. Where releases differ, this file tests for the attribute; only the `Dialect` goes by the version,
because it has to be known before anything is imported.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cache
from typing import Any

from radixproof.impl.sglang import pools, shim, store
from radixproof.impl.sglang.content import Content
from radixproof.impl.sglang.view import View
from radixproof.impl.system import Lookup, System, Target, Unavailable
from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.observation import Observation
from radixproof.model.operations import Key

OLDEST, NEWEST = "0.5.12", "0.5.16"
"""The releases that this adapter drives, both included."""


def target(version: str) -> Target:
    """A release as a target. It is looked for and imported when it is first built, not here.

    Raises `Unavailable` if the version is malformed or none that this adapter drives; building raises it if it is not prepared.
    """
    dialect = dialect_of(version)

    @cache
    def release() -> shim.Sglang:
        return shim.load(store.locate(version))

    def build(config: Config) -> System:
        return SglangSystem(release(), config)

    return Target(f"sglang=={version}", f"SGLang {version}: its radix cache, controller and pools, on a CPU", dialect, build)


def dialect_of(version: str) -> Dialect:
    """The rules of a release in which it legitimately differs from others. Raises `Unavailable` outside OLDEST to NEWEST."""
    key = store.version_key(store.check_version(version))
    if not store.version_key(OLDEST) <= key <= store.version_key(NEWEST):
        raise Unavailable(f"radixproof drives SGLang {OLDEST} to {NEWEST}, not {version}")
    since_0_5_13 = key >= store.version_key("0.5.13")
    return Dialect(
        segment_locks=False,
        split_keeps_hits=since_0_5_13,
        hits_on_split_leaf=False,
        pending_follows_split=since_0_5_13,
        room_before_backup=False,
        leaf_cut_to_window=since_0_5_13,
        swa_recency_in_window=since_0_5_13,
    )


class SglangSystem:
    """One live cache of SGLang. An anchor is a tree node; a receipt is a node with the parameters that its unlock wants."""

    def __init__(self, sglang: shim.Sglang, config: Config) -> None:
        self._sglang = sglang
        self._config = config
        self._parts = pools.build(sglang, config)
        self._tree = self._parts.tree
        self._content = Content(self._parts)
        self._view = View(self._parts, config)
        self._tokens_in_arrays = isinstance(self._tree.root_node.key.token_ids, array)

    def match(self, key: Key) -> Lookup:
        found = self._tree.match_prefix(self._sglang.params.MatchPrefixParams(key=self._key(key)))
        slots = found.device_indices.tolist()
        return Lookup(len(slots), _depth(found.best_match_node), slots, found.last_device_node)

    def allocate(self, tokens: int) -> list[int] | None:
        allocators = self._parts.allocators
        if any(allocator.available_size() < tokens for allocator in allocators):
            return None
        slots, *peers = [allocator.alloc(tokens) for allocator in allocators]
        if peers:
            self._parts.allocator.set_full_to_swa_mapping(slots, peers[0])
        given: list[int] = slots.tolist()
        return given

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._content.write(slots, tags)

    def free(self, slots: Sequence[int]) -> None:
        self._parts.allocator.free(self._tensor(slots))

    def free_swa(self, slots: Sequence[int]) -> None:
        if self._config.window is not None:
            self._parts.allocator.free_swa(self._tensor(slots))

    def insert(self, key: Key, slots: Sequence[int], protected: int, evicted: int) -> int:
        params = self._sglang.params.InsertParams(key=self._key(key), value=self._tensor(slots), prev_prefix_len=protected)
        if hasattr(params, "set_evicted_seqlen"):
            params.set_evicted_seqlen(self._sglang.tree.ComponentType.SWA, evicted)
        else:
            params.swa_evicted_seqlen = evicted
        reused: int = self._tree.insert(params).prefix_len
        return reused

    def lock(self, anchor: Any) -> Any:
        return anchor, self._tree.inc_lock_ref(anchor).to_dec_params()

    def unlock(self, receipt: Any) -> None:
        anchor, params = receipt
        self._tree.dec_lock_ref(anchor, params)

    def evict(self, full: int, swa: int) -> tuple[int, int]:
        result = self._tree.evict(self._sglang.params.EvictParams(num_tokens=full, swa_num_tokens=swa))
        return result.num_tokens_evicted, result.swa_num_tokens_evicted

    def evict_host(self, tokens: int, component: Component) -> int:
        freed: int = self._tree.evict_host(tokens, self._sglang.tree.ComponentType(int(component)))
        return freed

    def run_copies(self, count: int) -> int:
        return self._parts.write_stream.run(count)

    def writing_check(self, blocking: bool) -> int:
        if hasattr(self._tree, "flush_pending_backups"):
            self._tree.flush_pending_backups()
        before = len(self._tree.ongoing_write_through)
        self._tree.writing_check(write_back=blocking)
        return before - len(self._tree.ongoing_write_through)

    def reset(self) -> None:
        self._tree.reset()
        self._parts.allocator.clear()
        pools.reserve_surplus(self._parts, self._config)

    def observe(self, whole: bool) -> Observation:
        return self._view.observe()

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        return self._content.read(pool, slots)

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        if self._config.window is None:
            return [0] * len(slots)
        peers: list[int] = self._parts.allocator.full_to_swa_index_mapping[self._tensor(slots)].tolist()
        return peers

    def close(self) -> None:
        self._parts.close()

    def _key(self, key: Key) -> Any:
        tokens = array("q", key.tokens) if self._tokens_in_arrays else list(key.tokens)
        return self._sglang.radix_key(tokens, key.namespace or None)

    def _tensor(self, slots: Sequence[int]) -> Any:
        return self._sglang.torch.tensor(slots, dtype=self._sglang.torch.int64)


def _depth(node: Any) -> int:
    """Tokens from the root to the end of a node."""
    tokens = 0
    while node.parent is not None:
        tokens += len(node.key)
        node = node.parent
    return tokens
