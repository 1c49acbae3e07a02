"""The cache as a system under test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from radixproof.impl.radix.cache import RadixCache
from radixproof.impl.radix.cuda import CudaEngine
from radixproof.impl.radix.engine import ImmediateEngine, ScheduledEngine
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.pools import Slots as SlotArray
from radixproof.impl.radix.tags import Tags
from radixproof.impl.system import Lookup, Target, Unavailable
from radixproof.model.config import POOLS, Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.observation import NodeView, Observation, Slots, Whole
from radixproof.model.operations import Key


def target(device: str = "cpu") -> Target:
    """The cache of this package with its device pools on ``device``: "cpu" or "cuda"."""

    def build(config: Config) -> RadixSystem:
        if torch.device(device).type == "cuda" and not torch.cuda.is_available():
            raise Unavailable("this torch sees no CUDA device: install a CUDA build on a machine with a GPU, or use the CPU target")
        return RadixSystem(config, device)

    name = "radix" if device == "cpu" else f"radix-{device}"
    return Target(name, f"radixproof's own two-tier radix cache on {device}: FULL and SWA, write-through", Dialect(), build)


class RadixSystem:
    """Implements `radixproof.impl.system.System`."""

    def __init__(self, config: Config, device: str) -> None:
        cuda = torch.device(device).type == "cuda"
        self._engine = ScheduledEngine(CudaEngine(torch.device(device)) if cuda else ImmediateEngine())
        self.cache = RadixCache(config, self._engine, device=device)
        self._device = self.cache.memory.device
        self._tags = {pool: Tags(kv_pool) for pool, kv_pool in self.cache.memory.pools.items()}
        self._allocators = [self.cache.memory.allocator(pool) for pool in POOLS]
        self._changed: dict[Node, None] = {}
        self._shown: set[int] = set()
        self.cache.tree.on_change = self._note

    def match(self, key: Key) -> Lookup:
        found = self.cache.match(key.tokens, key.namespace)
        return Lookup(found.device_node.end, found.best_node.end, found.slots.tolist(), found.device_node)

    def allocate(self, tokens: int) -> list[int] | None:
        slots = self._device.allocate(tokens)
        return None if slots is None else slots.tolist()

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        full = np.array(slots, dtype=np.int64)
        content = np.array(tags, dtype=np.float32)
        self._tags[Pool.FULL].write(full, content)
        if Pool.SWA in self._tags:
            peers = self._device.swa_of[full]
            self._tags[Pool.SWA].write(peers[peers != 0], content[peers != 0])

    def free(self, slots: Sequence[int]) -> None:
        self._device.free(np.array(slots, dtype=np.int64))

    def free_swa(self, slots: Sequence[int]) -> None:
        self._device.free_swa(np.array(slots, dtype=np.int64))

    def insert(self, key: Key, slots: Sequence[int], protected: int, evicted: int) -> int:
        return self.cache.insert(key.tokens, slots, key.namespace, protected, evicted).reused

    def lock(self, anchor: Any) -> Any:
        return self.cache.lock(anchor)

    def unlock(self, receipt: Any) -> None:
        self.cache.unlock(receipt)

    def evict(self, full: int, swa: int) -> tuple[int, int]:
        return self.cache.evict(full, swa)

    def evict_host(self, tokens: int, component: Component) -> int:
        return self.cache.evict_host(tokens, component)

    def run_copies(self, count: int) -> int:
        return self._engine.run(count)

    def writing_check(self, blocking: bool) -> int:
        return self.cache.writing_check(blocking)

    def reset(self) -> None:
        self.cache.reset()
        self._device.clear()

    def observe(self, whole: bool) -> Observation:
        tree = self.cache.tree
        changed, self._changed = self._changed, {}
        removed = []
        for node in changed:
            if node.parent is None and node.id in self._shown:
                self._shown.discard(node.id)
                removed.append(node.id)
        nodes = list(tree.nodes()) if whole else sorted((node for node in changed if node.parent is not None), key=_end)
        self._shown.update(node.id for node in nodes)
        free = [allocator.available if allocator is not None else 0 for allocator in self._allocators]
        return Observation(
            nodes=tuple(map(_view, nodes)),
            removed=() if whole else tuple(removed),
            free=(free[0], free[1], free[2], free[3]),
            evictable=(tree.evictable[0], tree.evictable[1]),
            protected=(tree.protected[0], tree.protected[1]),
            whole=self._whole() if whole else None,
        )

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        return self._tags[pool].read(np.array(slots, dtype=np.int64))

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        peers: list[int] = self._device.swa_of[np.array(slots, dtype=np.int64)].tolist()
        return peers

    def close(self) -> None:
        self.cache.tree.on_change = None

    def _note(self, node: Node) -> None:
        self._changed[node] = None

    def _whole(self) -> Whole:
        tree = self.cache.tree
        free = [() if allocator is None else tuple(allocator.free_slots().tolist()) for allocator in self._allocators]
        paired = np.flatnonzero(self._device.swa_of)
        return Whole(
            free=(free[0], free[1], free[2], free[3]),
            swa_of=dict(zip(paired.tolist(), self._device.swa_of[paired].tolist(), strict=True)),
            device_leaves=frozenset(node.id for node in tree.device_leaves),
            host_leaves=frozenset(node.id for node in tree.host_leaves),
            swa_order=tuple(node.id for node in tree.swa_order),
            swa_host_order=tuple(node.id for node in tree.swa_host_order),
            ages={node.id: node.accessed for node in tree.nodes()},
        )


def _end(node: Node) -> int:
    """Grows down every path, so it sorts parents before children."""
    return node.end


def _view(node: Node) -> NodeView:
    assert node.parent is not None
    full, swa = node.states
    slots = (_plain(full.device), _plain(swa.device), _plain(full.host), _plain(swa.host))
    return NodeView(node.id, node.parent.id, node.namespace, node.segment, slots, (full.locks, swa.locks), node.pending is not None)


def _plain(slots: SlotArray | None) -> Slots | None:
    return None if slots is None else tuple(slots.tolist())
