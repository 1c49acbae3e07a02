"""Random histories on small caches; after every step, everything the tree maintains is computed again from its nodes."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from radixproof.impl.radix.system import target
from radixproof.impl.system import System
from radixproof.model.config import Component, Config, Pool
from radixproof.model.observation import NodeView, Observation
from radixproof.model.operations import Key

CONFIGS = {
    "full": Config(device_pages=10, host_pages=12),
    "full, page 3, selective": Config(page_size=3, device_pages=8, host_pages=5, threshold=2),
    "swa": Config(window=3, device_pages=12, swa_pages=9, host_pages=10, swa_host_pages=6),
    "swa, page 2, window 3": Config(page_size=2, window=3, device_pages=9, swa_pages=8, host_pages=14, swa_host_pages=12),
    "swa, page 2, window 1, selective": Config(
        page_size=2, window=1, device_pages=9, swa_pages=7, host_pages=6, swa_host_pages=4, threshold=2
    ),
}


class Run:
    """One history: the system, the slots that requests hold, and what was written where."""

    def __init__(self, config: Config, seed: int) -> None:
        self.config = config
        self.random = random.Random(seed)
        self.system: System = target().build(config)
        self.receipts: list[tuple[Any, Key, int]] = []
        self.prefixes: dict[tuple[str, tuple[int, ...]], int] = {}
        self.log: list[object] = []

    def tags(self, key: Key) -> list[int]:
        """One tag per token, standing for the prefix that ends there."""
        return [self.prefixes.setdefault((key.namespace, key.tokens[: i + 1]), len(self.prefixes)) for i in range(len(key.tokens))]

    def key(self) -> Key:
        length = self.random.randint(0, 5 * self.config.page_size)
        return Key(tuple(self.random.choices((1, 2), weights=(4, 1), k=length)), self.random.choice(("", "", "b")))

    def step(self) -> None:
        name = self.random.choice(
            ("match", "insert", "insert", "insert", "lock", "unlock", "evict", "evict", "evict_host", "run_copies", "writing_check")
        )
        self.log.append((name, getattr(self, "do_" + name)()))

    def do_match(self) -> object:
        key = self.key()
        found = self.system.match(key)
        assert found.device <= found.best <= self.config.floor(len(key.tokens))
        assert self.system.read(Pool.FULL, found.slots) == self.tags(key)[: found.device]
        return key, found.device, found.best

    def do_insert(self) -> object:
        key, page = self.key(), self.config.page_size
        prefix = self.system.match(key).slots if self.random.random() < 0.5 else []
        paged = self.config.floor(len(key.tokens))
        fresh = self.system.allocate(paged - len(prefix))
        if fresh is None:
            return None
        self.system.write(fresh, self.tags(key)[len(prefix) : paged])
        evicted = len(prefix) + self.random.randint(0, len(fresh) // page) * page if self.random.random() < 0.5 else len(prefix)
        self.system.free_swa(fresh[: evicted - len(prefix)])
        reused = self.system.insert(key, prefix + fresh, len(prefix), evicted)
        assert len(prefix) <= reused <= paged
        return key, len(prefix), evicted, reused

    def do_lock(self) -> object:
        key = self.key()
        found = self.system.match(key)
        self.receipts.append((self.system.lock(found.anchor), key, found.device))
        return key

    def do_unlock(self) -> object:
        if not self.receipts:
            return None
        receipt, key, device = self.receipts.pop(self.random.randrange(len(self.receipts)))
        assert self.system.match(key).device >= device
        self.system.unlock(receipt)
        return key

    def do_evict(self) -> object:
        full, swa = self.random.randint(0, 8), self.random.randint(0, 8)
        return full, swa, self.system.evict(full, swa)

    def do_evict_host(self) -> object:
        tokens, component = self.random.randint(1, 8), self.random.choice(tuple(Component))
        return tokens, component, self.system.evict_host(tokens, component)

    def do_run_copies(self) -> object:
        return self.system.run_copies(self.random.randint(1, 3))

    def do_writing_check(self) -> object:
        return self.system.writing_check(self.random.random() < 0.3)


def check(run: Run, observation: Observation) -> None:
    """Everything that must hold between two operations, from a whole observation."""
    config, whole = run.config, observation.whole
    assert whole is not None
    nodes = {node.id: node for node in observation.nodes}
    children: dict[int, list[NodeView]] = {}
    for node in observation.nodes:
        children.setdefault(node.parent, []).append(node)

    for pool in Pool:
        owned = [slot for node in observation.nodes for slot in node.slots[pool] or ()]
        pages = config.slots(pool)
        assert sorted([*owned, *whole.free[pool]]) == list(range(config.page_size, config.page_size + pages)), pool.name
        assert observation.free[pool] == len(whole.free[pool])

    peers = {
        full: swa
        for node in observation.nodes
        if node.slots[Pool.SWA] is not None
        for full, swa in zip(node.slots[Pool.FULL] or (), node.slots[Pool.SWA] or (), strict=True)
    }
    assert whole.swa_of == peers

    for component in Component:
        held = Counter[bool]()
        for node in observation.nodes:
            held[node.locks[component] > 0] += len(node.slots[component] or ())
        assert (observation.evictable[component], observation.protected[component]) == (held[False], held[True])

    for node in observation.nodes:
        full, swa, full_host, swa_host = node.slots
        assert full is not None or full_host is not None
        assert swa is None or full is not None
        assert swa_host is None or full_host is not None
        assert min(node.locks) >= 0
        assert node.locks[Component.FULL] >= node.locks[Component.SWA]
        if node.parent:
            parent = nodes[node.parent]
            assert full is None or parent.slots[Pool.FULL] is not None
            assert full_host is None or parent.slots[Pool.FULL_HOST] is not None
            assert parent.locks[Component.FULL] >= node.locks[Component.FULL]
        if node.pending:
            assert full is not None
            assert full_host is not None
            assert node.locks[Component.FULL]

    def free_of_locks(node: NodeView) -> bool:
        return node.locks == (0, 0)

    assert whole.device_leaves == {
        node.id
        for node in observation.nodes
        if free_of_locks(node)
        and node.slots[Pool.FULL] is not None
        and all(child.slots[Pool.FULL] is None for child in children.get(node.id, []))
    }
    assert whole.host_leaves == {
        node.id for node in observation.nodes if free_of_locks(node) and node.slots[Pool.FULL] is None and node.id not in children
    }
    assert sorted(whole.swa_order or ()) == sorted(node.id for node in observation.nodes if node.slots[Pool.SWA] is not None)
    assert sorted(whole.swa_host_order or ()) == sorted(
        node.id for node in observation.nodes if node.slots[Pool.SWA] is None and node.slots[Pool.SWA_HOST] is not None
    )
    check_content(run, observation, nodes)


def check_content(run: Run, observation: Observation, nodes: dict[int, NodeView]) -> None:
    """Every slot holds the KV of its own prefix; host slots do when no backup of their node is in flight."""
    paths: dict[int, tuple[int, ...]] = {0: ()}
    for node in observation.nodes:
        before = paths[node.parent]
        paths[node.id] = before + node.segment
        expected = run.tags(Key(paths[node.id], node.namespace))[len(before) :]
        for pool in run.config.pools:
            slots = node.slots[pool]
            if slots is not None and not (pool.on_host and node.pending):
                assert run.system.read(pool, slots) == expected, (node, pool.name)


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
        whole = run.system.observe(whole=True)
        assert known == {node.id: node for node in whole.nodes}, run.log[-1]
        assert (delta.free, delta.evictable, delta.protected) == (whole.free, whole.evictable, whole.protected)
        check(run, whole)


@pytest.mark.parametrize("name", CONFIGS)
def test_everything_can_be_evicted_once_all_is_released(name: str) -> None:
    config = CONFIGS[name]
    run = Run(config, seed=7)
    for _ in range(2):
        for _ in range(150):
            run.step()
        for receipt, _, _ in run.receipts:
            run.system.unlock(receipt)
        run.receipts.clear()
        run.system.writing_check(blocking=True)
        run.system.evict(10**6, 0)
        seen = run.system.observe(whole=True)
        assert seen.evictable == seen.protected == (0, 0)
        check(run, seen)
        run.system.evict_host(10**6, Component.FULL)
        seen = run.system.observe(whole=True)
        assert seen.nodes == ()
        assert seen.free == tuple(config.slots(pool) for pool in Pool)


def test_two_runs_of_one_history_look_the_same() -> None:
    runs = [Run(CONFIGS["swa"], seed=3) for _ in range(2)]
    for _ in range(300):
        seen = []
        for run in runs:
            run.step()
            seen.append((run.log[-1], run.system.observe(whole=False), run.system.observe(whole=True)))
        assert seen[0] == seen[1]
