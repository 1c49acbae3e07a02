"""The cache as a system under test: what the harness asks for, in terms of the cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch

from radixproof.impl.observation import (
    Event,
    NodeView,
    Observation,
    PerComponent,
    Slots,
    Whole,
)
from radixproof.impl.radix import config as radix
from radixproof.impl.radix.allocator import PageAllocator
from radixproof.impl.radix.cache import Engines, RadixCache
from radixproof.impl.radix.cuda import cuda_engine
from radixproof.impl.radix.engine import ImmediateEngine
from radixproof.impl.radix.events import Events
from radixproof.impl.radix.matching import on_host_only, path_slots
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.pools import Slots as SlotArray
from radixproof.impl.radix_adapter.refusing import RefusingAllocator
from radixproof.impl.radix_adapter.scheduled import ScheduledEngine, ScheduledStreams
from radixproof.impl.radix_adapter.shape import cache_config
from radixproof.impl.radix_adapter.tags import Floats, Tags
from radixproof.impl.revealing import Counters, Hidden
from radixproof.impl.streams import (
    BACKUP,
    COMPUTE,
    FETCH,
    FORWARD,
    HOST,
    LOAD,
    STATE_COPY,
    Access,
    Entry,
    Stream,
    Timeline,
)
from radixproof.impl.system import Fetched, Insertion, Lookup, Unavailable
from radixproof.model.config import POOLS, Component, Config, Pool
from radixproof.model.key import Key

T = TypeVar("T")


class RadixSystem:
    """Implements `radixproof.impl.system.System`.

    ``pools`` and ``allocators`` are those of the cache, per pool of a history; where it has none,
    they have no entry.
    """

    def __init__(self, config: Config, device: str) -> None:
        if torch.device(device).type == "cuda" and not torch.cuda.is_available():
            raise Unavailable(
                "this torch sees no CUDA device: install a CUDA build on a machine with a GPU, "
                "or use the CPU target"
            )
        shape = cache_config(config)
        self.memory = Memory(shape, device=device, new_allocator=RefusingAllocator)
        self.pools = _by_pool(self.memory.device_pools, self.memory.host_pools)
        self.allocators = _by_pool(self.memory.device_allocators, self.memory.host)
        self.timeline = Timeline()
        self.forward = Stream(COMPUTE, self.timeline)
        self._engines = self._engine(BACKUP), self._engine(LOAD)
        self._events = Events(config.page_size)
        self._changes = _Changes()
        self.cache = RadixCache(
            shape, self.memory, Engines(*self._engines), self._events, self._changes.note
        )
        self._device = self.memory.device
        self._tags = {pool: Tags(kv_pool) for pool, kv_pool in self.pools.items()}
        self._shown: set[int] = set()

    def match(self, key: Key) -> Lookup:
        slots, device, best = self.cache.match(key.tokens, key.namespace)
        host = on_host_only(best, self.cache.config.window)
        return Lookup(device.end, best.end, slots.tolist(), device, best, host)

    def allocate(self, tokens: int) -> list[int] | None:
        slots = self._device.allocate(tokens)
        return None if slots is None else slots.tolist()

    def available(self, pool: Pool) -> int:
        return self.allocators[pool].available

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self.launch(slots, tags)
        self.forward.synchronize()

    def launch(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        full, content = _slots(slots), _content(tags)
        self._compute(Pool.FULL, full, content)
        if Pool.SWA in self._tags:
            peers = self._device.swa_of[full]
            own = peers != 0
            self._compute(Pool.SWA, peers[own], content[own])

    def run_forward(self) -> None:
        self.forward.synchronize()

    def _compute(self, pool: Pool, slots: SlotArray, content: Floats) -> None:
        """A forward pass fills slots of one pool."""
        self.forward.access(pool, slots.tolist(), writes=True, by=FORWARD)
        self.forward.submit(partial(self._tags[pool].write, slots, content))

    def free(self, slots: Sequence[int]) -> None:
        self._device.free(_slots(slots))

    def free_swa(self, slots: Sequence[int]) -> None:
        self._device.free_swa(_slots(slots))

    def allocate_state(self) -> int | None:
        slot = self._states.alloc(1)
        return None if slot is None else int(slot[0])

    def write_state(self, slot: int, tag: int) -> None:
        self._compute(Pool.MAMBA, _slots([slot]), _content([tag]))
        self.forward.synchronize()

    def free_state(self, slot: int) -> None:
        self._states.free(_slots([slot]))

    def copy_state(self, anchor: Any) -> int | None:
        slot = self.cache.copy_state(anchor)
        if slot is not None:
            self.forward.access(Pool.MAMBA, [slot], writes=True, by=STATE_COPY)
        return slot

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
        inserted: int = 0,
    ) -> Insertion:
        reused, taken, node = self.cache.insert(
            key.tokens, slots, key.namespace, protected, evicted, state, priority, inserted
        )
        return Insertion(reused, taken, node)

    def path_slots(self, anchor: Any) -> list[int]:
        slots: list[int] = path_slots(anchor).tolist()
        return slots

    def lock(self, anchor: Any) -> Any:
        return self.cache.lock(anchor)

    def unlock(self, receipt: Any) -> None:
        self.cache.unlock(receipt)

    def release_window(self, receipt: Any) -> None:
        self.cache.release_window(receipt)

    def lock_host(self, anchor: Any) -> Any:
        return self.cache.lock_host(anchor)

    def unlock_host(self, receipt: Any) -> None:
        self.cache.unlock_host(receipt)

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        return self.cache.evict(full, swa, mamba)

    def evict_host(self, tokens: int, component: Component) -> int:
        return self.cache.evict_host(tokens, radix.COMPONENTS[component])

    def load_back(self, anchor: Any, quota: int | None) -> int:
        return self.cache.load_back(anchor, quota)

    def allocate_host(self, pool: Pool, count: int) -> list[int] | None:
        slots = self.allocators[pool].alloc(count)
        return None if slots is None else slots.tolist()

    def free_host(self, pool: Pool, slots: Sequence[int]) -> None:
        self.allocators[pool].free(_slots(slots))

    def write_host(self, pool: Pool, slots: Sequence[int], tags: Sequence[int]) -> None:
        self.timeline.note(Access(HOST, pool, slots, writes=True, by=FETCH))
        self._tags[pool].write(_slots(slots), _content(tags))

    def insert_host(self, key: Key, fetched: Fetched, start: int) -> int:
        slots, window, state = fetched
        return self.cache.insert_host(key.tokens, slots, key.namespace, start, window, state)

    def insert_fetched(self, receipt: Any, key: Key, fetched: Fetched, start: int) -> int:
        return self.insert_host(key, fetched, start)

    def run_copies(self, count: int, load: bool = False, fail: bool = False) -> int:
        return self._engines[load].run(count, fail)

    def copied(self, load: bool) -> int:
        return (self.cache.loader if load else self.cache.backups).copied()

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        return self.cache.writing_check(blocking, limit)

    def loading_check(self, blocking: bool, limit: int | None = None) -> int:
        return self.cache.loading_check(blocking, limit)

    def in_flight(self) -> int:
        return self.cache.backups.in_flight + self.cache.loader.in_flight

    def refuse(self, pool: Pool) -> None:
        allocator = self.allocators[pool]
        assert isinstance(allocator, RefusingAllocator)
        allocator.refuse()

    def reset(self) -> None:
        self.cache.reset()
        self._device.clear()

    def attend(self, slots: Sequence[int]) -> None:
        self.cache.join_loads()
        self.forward.access(Pool.FULL, slots, writes=False, by=FORWARD)
        window = self.cache.config.window
        if window is not None:
            peers = self._device.swa_of[_slots(slots[-window:])]
            self.forward.access(Pool.SWA, peers[peers != 0].tolist(), writes=False, by=FORWARD)

    def ordering(self) -> list[Entry]:
        return self.timeline.drain()

    def observe(self, whole: bool) -> Observation:
        tree = self.cache.tree
        changed = self._changes.drain()
        removed = []
        for node in changed:
            if node.parent is None and node.id in self._shown:
                self._shown.discard(node.id)
                removed.append(node.id)
        nodes = (
            list(tree.nodes())
            if whole
            else sorted((node for node in changed if node.parent is not None), key=_end)
        )
        self._shown.update(node.id for node in nodes)
        allocators = self.allocators
        return Observation(
            nodes=tuple(map(_view, nodes)),
            removed=() if whole else tuple(removed),
            free=_per_pool(
                [allocators[pool].available if pool in allocators else 0 for pool in POOLS]
            ),
            evictable=_per_component(tree.evictable),
            protected=_per_component(tree.protected),
            whole=self._whole() if whole else None,
            events=tuple(map(Event._make, self._events.drain())),
        )

    def hidden(self) -> Hidden:
        nodes = self.cache.tree.nodes()
        return Hidden(
            {node.id: Counters(node.hits, node.priority, node.created) for node in nodes},
            [pool for pool, one in self.allocators.items() if getattr(one, "refusing", False)],
            [
                *(engine.queued for engine in self._engines),
                self.cache.backups.in_flight,
                self.cache.loader.in_flight,
            ],
        )

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        return self._tags[pool].read(_slots(slots))

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        peers: list[int] = self._device.swa_of[_slots(slots)].tolist()
        return peers

    def close(self) -> None:
        """Nothing has to be released: what is held goes with this object."""

    def _engine(self, name: str) -> ScheduledEngine:
        """One for copies of one direction."""
        device = self.memory.device_pools[radix.Component.FULL].device
        inner = cuda_engine(device) if device.type == "cuda" else ImmediateEngine()
        names = {kv_pool: pool for pool, kv_pool in self.pools.items()}
        return ScheduledEngine(ScheduledStreams(self.forward, name), inner, names)

    @property
    def _states(self) -> PageAllocator:
        return self.allocators[Pool.MAMBA]

    def _whole(self) -> Whole:
        tree, allocators = self.cache.tree, self.allocators
        paired = np.flatnonzero(self._device.swa_of)
        swa, mamba = Component.SWA, Component.MAMBA
        return Whole(
            free=_per_pool(
                tuple(allocators[pool].free_slots().tolist()) if pool in allocators else ()
                for pool in POOLS
            ),
            swa_of=dict(zip(paired.tolist(), self._device.swa_of[paired].tolist(), strict=True)),
            device_leaves=frozenset(node.id for node in tree.device_leaves),
            host_leaves=frozenset(node.id for node in tree.host_leaves),
            lru_lists=(
                _ids(tree.device_order[swa]),
                _ids(tree.device_order[mamba]),
                _ids(tree.host_order[swa]),
                _ids(tree.host_order[mamba]),
            ),
            ages={node.id: node.accessed for node in tree.nodes()},
        )


class _Changes:
    """The nodes that have changed since they were asked for last."""

    def __init__(self) -> None:
        self._nodes: dict[Node, None] = {}

    def note(self, node: Node) -> None:
        self._nodes[node] = None

    def drain(self) -> dict[Node, None]:
        nodes, self._nodes = self._nodes, {}
        return nodes


def _by_pool(
    device: Mapping[radix.Component, T], host: Mapping[radix.Component, T]
) -> dict[Pool, T]:
    """What a cache has per component and tier, by the pools of histories."""
    found: dict[Pool, T] = {}
    for pool in POOLS:
        tier, component = host if pool.on_host else device, radix.COMPONENTS[pool.component]
        if component in tier:
            found[pool] = tier[component]
    return found


def _slots(slots: Sequence[int]) -> SlotArray:
    return np.array(slots, dtype=np.int64)


def _content(tags: Sequence[int]) -> Floats:
    return np.array(tags, dtype=np.float32)


def _end(node: Node) -> int:
    """Grows down every path, so it sorts parents before children."""
    return node.end


def _ids(nodes: Iterable[Node]) -> Slots:
    return tuple(node.id for node in nodes)


def _view(node: Node) -> NodeView:
    assert node.parent is not None
    full, swa, mamba = node.states
    arrays = (full.device, swa.device, mamba.device, full.host, swa.host, mamba.host)
    return NodeView(
        id=node.id,
        parent=node.parent.id,
        namespace=node.namespace,
        segment=node.segment,
        slots=_per_pool([None if slots is None else tuple(slots.tolist()) for slots in arrays]),
        locks=(full.locks, swa.locks, mamba.locks),
        pending=node.pending,
        host_locks=(full.host_locks, swa.host_locks, mamba.host_locks),
        loading=node.loading,
    )


def _per_component(counts: Sequence[int]) -> PerComponent:
    full, swa, mamba = counts
    return full, swa, mamba


def _per_pool(found: Iterable[T]) -> tuple[T, T, T, T, T, T]:
    full, swa, mamba, full_host, swa_host, mamba_host = found
    return full, swa, mamba, full_host, swa_host, mamba_host
