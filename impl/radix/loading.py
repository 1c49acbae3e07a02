"""Load-backs: what is on the host only is brought back to the device."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np

from radixproof.impl.radix.allocator import alloc_each
from radixproof.impl.radix.config import CacheConfig, Component
from radixproof.impl.radix.device_eviction import DeviceEvictor
from radixproof.impl.radix.engine import CopyEngine, Transfer
from radixproof.impl.radix.locks import HostReceipt, Locks, Receipt
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import InFlight, Node
from radixproof.impl.radix.outstanding import Outstanding
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.tree import Tree
from radixproof.impl.radix.window import window_of


@dataclass(slots=True, eq=False)
class Load(InFlight):
    """A load-back in flight. Its locks keep source and target where they are."""

    receipt: Receipt
    host_receipt: HostReceipt


Plan: TypeAlias = dict[Component, list[Node]]
"""Per component the nodes of one path that are to get it from the host, from the top.

None of the lists is empty.
"""


class Loader:
    """Brings the path to a node back to the device, in one copy (semantics 9).

    Device slots are committed to the nodes at once; they hold their KV when the load-back is
    acknowledged. Until then the path is locked on both tiers, and work that reads the slots has to
    be ordered after the copy, see `join`.
    """

    def __init__(
        self,
        tree: Tree,
        memory: Memory,
        locks: Locks,
        evictor: DeviceEvictor,
        *,
        engine: CopyEngine,
        config: CacheConfig,
    ) -> None:
        self._tree = tree
        self._memory = memory
        self._locks = locks
        self._evictor = evictor
        self._engine = engine
        self._config = config
        self._device = memory.device_allocators
        self._outstanding: Outstanding[Load] = Outstanding(engine)

    @property
    def in_flight(self) -> int:
        """Load-backs that have not been acknowledged."""
        return len(self._outstanding)

    def load_back(self, anchor: Node, quota: int | None) -> int:
        """Start to load what the path to ``anchor`` has on the host only; returns the FULL tokens.

        ``anchor`` is the best node of a match. What is loaded is all FULL, the SWA of one window,
        and the state of ``anchor``. Returns 0, with no change but for what has been evicted, if
        there is nothing to load or too little to be worth it, if the FULL tokens and those that
        were not locked before exceed ``quota``, or if the device has no room.
        """
        plan = self._plan(anchor)
        tokens = sum(len(node.segment) for node in plan.get(Component.FULL, ()))
        if not plan or (len(plan) == 1 and 0 < tokens < self._config.load_threshold):
            return 0
        if quota is not None and tokens + self._locks.pinned_by(anchor) > quota:
            return 0
        host_receipt, receipt = self._locks.lock_host(anchor), self._locks.lock(anchor)
        transfers = self._bring(plan)
        if not transfers:
            self._locks.unlock(receipt)
            self._locks.unlock_host(host_receipt)
            return 0
        nodes = list(dict.fromkeys(chain.from_iterable(plan.values())))
        load = Load(self._engine.submit(transfers), nodes, receipt, host_receipt)
        self._outstanding.add(load)
        for node in nodes:
            node.loads.append(load)
            self._tree.changed(node)
        return tokens

    def join(self) -> None:
        """Let work that is submitted to the device from now on come after what is being loaded."""
        if self._outstanding:
            self._engine.join()

    def acknowledge(self, blocking: bool, limit: int | None = None) -> int:
        """Finish the load-backs whose copies are done, in order, or all of them after waiting.

        Returns how many. A poll finishes ``limit`` at most. Copies that failed are made again.
        """
        finished = self._outstanding.finish(blocking, limit)
        for load in finished:
            for fragment in load.fragments:
                fragment.loads.remove(load)
                self._tree.changed(fragment)
            self._locks.unlock(load.receipt)
            self._locks.unlock_host(load.host_receipt)
        return len(finished)

    def copied(self) -> int:
        """How many load-backs an unlimited poll would finish now."""
        return self._outstanding.done()

    def clear(self) -> None:
        """Forget all load-backs in flight, without unlocking: the tree is being dropped."""
        self._outstanding.clear()

    def _plan(self, anchor: Node) -> Plan:
        """What the path to ``anchor`` needs on the device and has on the host only."""
        full: list[Node] = []
        node = anchor
        while node.parent is not None and node.full.device is None:
            full.append(node)
            node = node.parent
        swa = [
            node
            for node in window_of(anchor, self._config.window)
            if _on_host_only(node, Component.SWA)
        ]
        mamba = [anchor] if _on_host_only(anchor, Component.MAMBA) else []
        lists = {Component.FULL: full[::-1], Component.SWA: swa[::-1], Component.MAMBA: mamba}
        return {component: nodes for component, nodes in lists.items() if nodes}

    def _bring(self, plan: Plan) -> list[Transfer]:
        """Give the nodes of a plan device slots; returns the transfers that fill them.

        There are none if the device has no room.
        """
        sources = {
            component: [_host(node, component) for node in nodes]
            for component, nodes in plan.items()
        }
        targets = self._allocate(
            {component: sum(map(len, slots)) for component, slots in sources.items()}
        )
        if targets is None:
            return []
        transfers = []
        for component, target in targets.items():
            self._put(plan[component], component, target)
            device = self._memory.device_pools[component]
            host = self._memory.host_pools[component]
            transfers.append(Transfer(host, np.concatenate(sources[component]), device, target))
        return transfers

    def _allocate(self, need: dict[Component, int]) -> dict[Component, Slots] | None:
        """Make room for so many device slots of each component, and take them.

        None, and none taken, if that is not possible. Evicts nothing if that cannot be enough.
        """
        short = [0, 0, 0]
        for component, count in need.items():
            short[component] = max(0, count - self._device[component].available)
            if short[component] > self._tree.evictable[component]:
                return None
        if any(short):
            self._evictor.evict(*short)
            # What is evictable need not be within reach: it may lie above a leaf that has to stay.
            if any(count > self._device[component].available for component, count in need.items()):
                return None
        return alloc_each(self._device, need)

    def _put(self, nodes: list[Node], component: Component, slots: Slots) -> None:
        """Hand ``slots`` out to ``nodes``, in order."""
        start = 0
        for node in nodes:
            end = start + len(_host(node, component))
            part = slots[start:end].copy()
            self._tree.put_device(node, component, part)
            if component is Component.SWA:
                assert node.full.device is not None
                self._memory.device.pair(node.full.device, part)
            start = end


def _on_host_only(node: Node, component: Component) -> bool:
    state = node.states[component]
    return state.device is None and state.host is not None


def _host(node: Node, component: Component) -> Slots:
    slots = node.states[component].host
    assert slots is not None
    return slots
