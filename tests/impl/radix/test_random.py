"""Random histories on small caches.

After every step, everything that the tree maintains is computed again from its nodes.
"""

from __future__ import annotations

from collections import Counter

import pytest

from radixproof.impl.observation import NodeView, Observation
from radixproof.impl.radix.node import Units
from radixproof.model.config import DEVICE, HOST, Component, Config, EvictionPolicy, Pool

from .lettered import shown
from .random_requests import Run

CONFIGS = {
    "full": Config(device_pages=10, host_pages=12),
    "full, page 3, selective": Config(page_size=3, device_pages=8, host_pages=5, threshold=2),
    "full, no host": Config(device_pages=9, host_pages=0, eviction_policy=EvictionPolicy.FIFO),
    "full, write-back": Config(
        device_pages=9, host_pages=7, write_back=True, eviction_policy=EvictionPolicy.LFU
    ),
    "swa": Config(window=3, device_pages=12, swa_pages=9, host_pages=10, swa_host_pages=6),
    "swa, page 2, window 3": Config(
        page_size=2,
        window=3,
        device_pages=9,
        swa_pages=8,
        host_pages=14,
        swa_host_pages=12,
        eviction_policy=EvictionPolicy.PRIORITY,
    ),
    "swa, page 2, window 1, selective": Config(
        page_size=2,
        window=1,
        device_pages=9,
        swa_pages=7,
        host_pages=6,
        swa_host_pages=4,
        threshold=2,
    ),
    "swa, pairs, write-back": Config(
        window=3,
        device_pages=10,
        swa_pages=9,
        host_pages=9,
        swa_host_pages=6,
        write_back=True,
        bigram=True,
        eviction_policy=EvictionPolicy.FILO,
    ),
    "swa, page 2, pairs, no host": Config(
        page_size=2,
        window=2,
        device_pages=9,
        swa_pages=8,
        host_pages=0,
        bigram=True,
        eviction_policy=EvictionPolicy.MRU,
    ),
    "mamba": Config(
        device_pages=12, mamba_states=3, host_pages=14, mamba_host_states=3, load_threshold=3
    ),
    "mamba, write-back": Config(
        device_pages=12,
        mamba_states=4,
        host_pages=8,
        mamba_host_states=3,
        write_back=True,
        eviction_policy=EvictionPolicy.SLRU,
    ),
    "swa, mamba": Config(
        window=2,
        device_pages=12,
        swa_pages=9,
        mamba_states=4,
        host_pages=13,
        swa_host_pages=9,
        mamba_host_states=4,
    ),
    "swa, mamba, page 2, write-back": Config(
        page_size=2,
        window=3,
        device_pages=9,
        swa_pages=8,
        mamba_states=4,
        host_pages=7,
        swa_host_pages=6,
        mamba_host_states=3,
        write_back=True,
    ),
}


def check(run: Run, observation: Observation) -> None:
    """Everything that must hold between two operations, from a whole observation."""
    check_slots(run.config, observation)
    check_shape(run.config, observation)
    check_sets(observation)
    check_content(run, observation)


def check_slots(config: Config, observation: Observation) -> None:
    """Every slot is on one node or free, peers are paired, and sizes are what the nodes have."""
    whole = observation.whole
    assert whole is not None
    for pool in Pool:
        owned = [slot for node in observation.nodes for slot in node.slots[pool] or ()]
        first = config.unit(pool)
        free = shown(shown(whole.free)[pool])
        every = list(range(first, first + config.slots(pool)))
        assert sorted([*owned, *free]) == every, pool.name
        assert shown(observation.free)[pool] == len(free)
    assert whole.swa_of == {
        full: swa
        for node in observation.nodes
        if node.slots[Pool.SWA] is not None
        for full, swa in zip(node.slots[Pool.FULL] or (), node.slots[Pool.SWA] or (), strict=True)
    }
    for component in Component:
        held = Counter[bool]()
        for node in observation.nodes:
            held[shown(node.locks)[component] > 0] += len(node.slots[component] or ())
        assert shown(observation.evictable)[component] == held[False]
        assert shown(observation.protected)[component] == held[True]


def check_shape(config: Config, observation: Observation) -> None:
    """What may hang on a node, and under which other."""
    nodes = {node.id: node for node in observation.nodes}
    for node in observation.nodes:
        full, swa, mamba, full_host, swa_host, mamba_host = node.slots
        assert full is not None or full_host is not None
        assert full is not None or (swa is None and mamba is None)
        assert (
            full_host is not None or (swa_host is None and mamba_host is None) or config.write_back
        )
        locks = shown(node.locks)
        assert min(locks) >= 0
        assert min(node.host_locks or (0,)) >= 0
        assert locks[Component.FULL] >= max(locks)
        if node.parent:
            parent = nodes[node.parent]
            assert full is None or parent.slots[Pool.FULL] is not None
            assert (
                full_host is None or parent.slots[Pool.FULL_HOST] is not None or config.write_back
            )
            assert shown(parent.locks)[Component.FULL] >= locks[Component.FULL]
        if node.pending:
            assert not config.write_back
            assert full_host is not None
        if node.pending or node.loading:
            assert full is not None
            assert locks[Component.FULL]


def check_sets(observation: Observation) -> None:
    """Leaf sets and orders of use have the members that they should."""
    whole = observation.whole
    assert whole is not None
    children: dict[int, list[NodeView]] = {}
    for node in observation.nodes:
        children.setdefault(node.parent, []).append(node)
    unlocked = [node for node in observation.nodes if not any(shown(node.locks))]
    assert whole.device_leaves == frozenset(
        node.id
        for node in unlocked
        if node.slots[Pool.FULL] is not None
        and all(child.slots[Pool.FULL] is None for child in children.get(node.id, []))
    )
    assert whole.host_leaves == frozenset(
        node.id
        for node in unlocked
        if node.slots[Pool.FULL] is None
        and node.id not in children
        and not any(node.host_locks or ())
    )
    for component, on_device, on_host in ((Component.SWA, 0, 2), (Component.MAMBA, 1, 3)):
        here, there = DEVICE[component], HOST[component]
        assert sorted(shown(whole.lru_lists)[on_device]) == sorted(
            node.id for node in observation.nodes if node.slots[here] is not None
        )
        assert sorted(shown(whole.lru_lists)[on_host]) == sorted(
            node.id
            for node in observation.nodes
            if node.slots[here] is None and node.slots[there] is not None
        )


def check_content(run: Run, observation: Observation) -> None:
    """Every slot holds the KV of its own prefix, unless a copy into it may be in flight."""
    paths: dict[int, Units] = {0: ()}
    for node in observation.nodes:
        before = paths[node.parent]
        path: Units = (*before, *node.segment)
        paths[node.id] = path
        expected = run.tags(node.namespace, path)[len(before) :]
        for pool in run.config.pools:
            slots = node.slots[pool]
            if slots is not None and not (node.pending if pool.on_host else node.loading):
                held = expected[-1:] if pool.component is Component.MAMBA else expected
                assert run.system.read(pool, slots) == held, (node, pool.name)


def check_events(run: Run, delta: Observation) -> None:
    """The events lead to what is on the device, and store nothing below what is not there."""
    for event in delta.events or ():
        if not event.on_host:
            blocks = set(event.blocks)
            if event.kind == "removed":
                assert blocks <= run.resident
                run.resident -= blocks
            else:
                assert not blocks & run.resident
                assert event.parent is None or event.parent in run.resident
                run.resident |= blocks


def apply_delta(known: dict[int, NodeView], delta: Observation) -> None:
    for gone in delta.removed:
        del known[gone]
    for node in delta.nodes:
        assert node.parent == 0 or node.parent in known
        known[node.id] = node


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("seed", range(2))
def test_random_history(name: str, seed: int) -> None:
    run = Run(CONFIGS[name], seed)
    known: dict[int, NodeView] = {}
    for _ in range(400):
        run.step()
        delta = run.system.observe(whole=False)
        apply_delta(known, delta)
        check_events(run, delta)
        run.seen = run.system.observe(whole=True)
        assert known == {node.id: node for node in run.seen.nodes}, run.log[-1]
        assert (delta.free, delta.evictable, delta.protected) == (
            run.seen.free,
            run.seen.evictable,
            run.seen.protected,
        )
        check(run, run.seen)
        pages = (
            sum(len(node.slots[Pool.FULL] or ()) for node in run.seen.nodes) // run.config.page_size
        )
        assert len(run.resident) == pages


@pytest.mark.parametrize("name", CONFIGS)
def test_everything_can_be_evicted_once_all_is_released(name: str) -> None:
    config = CONFIGS[name]
    run = Run(config, seed=7)
    for _ in range(2):
        for _ in range(150):
            run.step()
            run.seen = run.system.observe(whole=True)
        run.release()
        run.system.evict(10**6, 0, 0)
        seen = run.system.observe(whole=True)
        assert seen.evictable == seen.protected == (0, 0, 0)
        check(run, seen)
        if config.hosted:
            run.system.evict_host(10**6, Component.FULL)
        run.seen = run.system.observe(whole=True)
        assert run.seen.nodes == ()
        assert run.seen.free == tuple(config.slots(pool) for pool in Pool)


@pytest.mark.parametrize("name", ["swa", "swa, mamba, page 2, write-back"])
def test_two_runs_of_one_history_look_the_same(name: str) -> None:
    runs = [Run(CONFIGS[name], seed=3) for _ in range(2)]
    for _ in range(300):
        seen = []
        for run in runs:
            run.step()
            run.seen = run.system.observe(whole=True)
            seen.append((run.log[-1], run.seen))
        assert seen[0] == seen[1]
