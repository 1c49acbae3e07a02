"""A release of SGLang as a `System`: each method is one call of SGLang's own, on its own objects.

Requests are played by the caller, so `allocate`, `free` and `free_swa` are what SGLang's scheduler does for them, and `reset` is
its flush of the whole cache. Where releases differ, this file tests for the attribute; only what has to be known before anything
is imported goes by the version (`releases`).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from radixproof.impl.observation import Observation, PerComponent
from radixproof.impl.sglang import pools, releases, shim, store
from radixproof.impl.sglang.content import Content
from radixproof.impl.sglang.transfers import Transfers
from radixproof.impl.sglang.victims import Victims
from radixproof.impl.sglang.view import View
from radixproof.impl.system import Insertion, Lookup, System, Target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key


def target(version: str) -> Target:
    """A release as a target. It is looked for and imported when it is first built, not here.

    Raises `Unavailable` if the version is malformed or none that this adapter drives; building raises it if it is not prepared.
    """
    dialect = releases.dialect_of(version)

    @cache
    def release() -> shim.Sglang:
        return shim.load(store.locate(version))

    def build(config: Config) -> System:
        return SglangSystem(release(), config)

    summary = f"SGLang {version}: its radix cache, controller and pools, on a CPU"
    scope, sight = releases.scope_of(version), releases.sight_of(version)
    return Target(f"sglang=={version}", summary, dialect, build, scope, sight)


@dataclass(slots=True)
class Receipt:
    """A locked node with the parameters that its unlock wants."""

    node: Any
    params: Any
    window_released: bool = False


class SglangSystem:
    """One live cache of SGLang. The device anchor of a match is a node or its number, its best anchor what SGLang returned."""

    def __init__(self, sglang: shim.Sglang, config: Config) -> None:
        self._sglang = sglang
        self._config = config
        self._parts = pools.build(sglang, config)
        self._tree = self._parts.tree
        self._content = Content(self._parts)
        self._transfers = Transfers(sglang, self._parts)
        self._victims = Victims(self._tree, config.device_pages)
        self._view = View(self._parts, config)
        self._tokens_in_arrays = isinstance(self._parts.core.root_node.key.token_ids, array)

    def match(self, key: Key) -> Lookup:
        found = self._tree.match_prefix(self._sglang.params.MatchPrefixParams(key=self._key(key)))
        slots = found.device_indices.tolist()
        best = _depth(self._parts.node(found.best_match_node))
        return Lookup(
            len(slots), best, slots, found.last_device_node, found, self._host_hits(found)
        )

    def allocate(self, tokens: int) -> list[int] | None:
        allocators = self._parts.allocators.values()
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

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
    ) -> Insertion:
        params = self._sglang.params.InsertParams(
            key=self._key(key),
            value=self._tensor(slots),
            prev_prefix_len=protected,
            priority=priority,
        )
        if hasattr(params, "set_evicted_seqlen"):
            params.set_evicted_seqlen(self._sglang.tree.ComponentType.SWA, evicted)
        else:
            params.swa_evicted_seqlen = evicted
        return Insertion(self._tree.insert(params).prefix_len)

    def lock(self, anchor: Any) -> Receipt:
        return Receipt(anchor, self._tree.inc_lock_ref(anchor).to_dec_params())

    def unlock(self, receipt: Receipt) -> None:
        rest = {"skip_swa": True} if receipt.window_released else {}
        self._tree.dec_lock_ref(receipt.node, receipt.params, **rest)

    def release_window(self, receipt: Receipt) -> None:
        self._tree.dec_swa_lock_only(receipt.node, receipt.params.swa_uuid_for_lock)
        receipt.window_released = True

    def lock_host(self, anchor: Any) -> Receipt:
        node = anchor.best_match_node
        return Receipt(node, self._tree.inc_host_lock_ref(node).to_dec_params())

    def unlock_host(self, receipt: Receipt) -> None:
        self._tree.dec_host_lock_ref(receipt.node, receipt.params)

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        self._victims.restart()
        result = self._tree.evict(
            self._sglang.params.EvictParams(num_tokens=full, swa_num_tokens=swa, mamba_num=mamba)
        )
        return result.num_tokens_evicted, result.swa_num_tokens_evicted, result.mamba_num_evicted

    def evict_host(self, tokens: int, component: Component) -> int:
        freed: int = self._tree.evict_host(tokens, self._sglang.tree.ComponentType(int(component)))
        return freed

    def load_back(self, anchor: Any, quota: int | None) -> int:
        request = SimpleNamespace(  # the part of a request that SGLang looks at
            last_node=anchor.last_device_node,
            swa_host_hit_length=getattr(anchor, "swa_host_hit_length", 0),
            mamba_host_hit_length=getattr(anchor, "mamba_host_hit_length", 0),
            mamba_pool_idx=None,  # since 0.5.17, and since 0.5.19 in its kv
            kv=SimpleNamespace(mamba_pool_idx=None),
        )
        self._victims.restart()
        self._tree.init_load_back(
            self._sglang.params.InitLoadBackParams(
                best_match_node=anchor.best_match_node,
                host_hit_length=anchor.host_hit_length,
                mem_quota=quota,
                req=request,
            )
        )
        return self._transfers.start_loading()

    def run_copies(self, count: int, load: bool = False, fail: bool = False) -> int:
        if fail:
            raise NotImplementedError("copies that fail")
        return self._transfers.run(count, load)

    def copied(self, load: bool) -> int:
        return self._transfers.copied(load)

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        return self._transfers.writing_check(blocking, limit)

    def loading_check(self, blocking: bool, limit: int | None = None) -> int:
        return self._transfers.loading_check(blocking, limit)

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
        peers: list[int] = self._parts.allocator.full_to_swa_index_mapping[
            self._tensor(slots)
        ].tolist()
        return peers

    def close(self) -> None:
        self._parts.close()

    def _host_hits(self, found: Any) -> PerComponent | None:
        """What a match says is on the host only.

        Its figure for FULL counts all host copies below the device node. Where SWA ends the device node early, that is more.
        """
        if self._config.window is not None or not hasattr(found, "swa_host_hit_length"):
            return None
        return found.host_hit_length, found.swa_host_hit_length, found.mamba_host_hit_length

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
