"""Backups: copies of nodes on the host, made behind the back of the computation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from radixproof.impl.radix.engine import CopyEngine, Transfer
from radixproof.impl.radix.eviction import Evictor
from radixproof.impl.radix.locks import Locks, Receipt
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.tree import Tree
from radixproof.model.config import Component


@dataclass(slots=True, eq=False)
class Backup:
    """A copy in flight, the lock that keeps its source where it is, and the nodes that its source has been split into."""

    receipt: Receipt
    fragments: list[Node]


class Backups:
    """Write-through: a node is backed up when it has been hit ``threshold`` times (semantics 8).

    A node is backed up only below nodes that are, so that what is on the host can always be reached. Host slots are committed to
    the node at once; they hold its KV when the backup is acknowledged, and until then the node is locked.
    """

    def __init__(self, tree: Tree, memory: Memory, locks: Locks, evictor: Evictor, *, engine: CopyEngine, threshold: int) -> None:
        self._tree = tree
        self._memory = memory
        self._locks = locks
        self._evictor = evictor
        self._engine = engine
        self._threshold = threshold
        self._in_flight: deque[Backup] = deque()

    @property
    def in_flight(self) -> int:
        """Backups that have not been acknowledged."""
        return len(self._in_flight)

    def hit(self, node: Node) -> None:
        """Count a use of a node on the device; back it up if it has earned it and there is room."""
        node.hits += 1
        if node.hits >= self._threshold and not node.backed:
            self.back_up(node)

    def back_up(self, node: Node) -> bool:
        """Start a backup of each node on the way to ``node`` that has none, then of ``node``; stops where the host has no room."""
        path = []
        current: Node | None = node
        while current is not None and not current.is_root and not current.backed:
            path.append(current)
            current = current.parent
        return all(self._start(current) for current in reversed(path))

    def acknowledge(self, blocking: bool) -> int:
        """Finish the backups whose copies are complete, in order, or all of them after waiting; returns how many."""
        completed = self._engine.wait() if blocking else self._engine.poll()
        for _ in range(completed):
            backup = self._in_flight.popleft()
            for fragment in backup.fragments:
                fragment.pending = None
                self._tree.changed(fragment)
            self._locks.unlock(backup.receipt)
        return completed

    def clear(self) -> None:
        """Forget all backups in flight, without unlocking: the tree is being dropped."""
        self._engine.clear()
        self._in_flight.clear()

    def _start(self, node: Node) -> bool:
        components = [component for component in Component if node.states[component].device is not None]
        if not self._make_room(components, len(node.segment)):
            return False
        transfers = []
        for component in components:
            device, host = self._memory.tiers[component]
            source = node.states[component].device
            target = self._memory.host[component].alloc(len(node.segment))
            assert source is not None
            assert target is not None
            self._tree.put_host(node, component, target)
            transfers.append(Transfer(device, source, host, target))
        node.pending = Backup(self._locks.lock(node), [node])
        self._in_flight.append(node.pending)
        self._tree.changed(node)
        self._engine.submit(transfers)
        return True

    def _make_room(self, components: list[Component], tokens: int) -> bool:
        """Make room for ``tokens`` tokens of each component on the host. Evicts nothing unless there can be room for all."""
        host = self._memory.host
        for component in components:
            short = tokens - host[component].available
            if short > 0 and self._evictor.reclaimable(component) < short:
                return False
        for component in components:
            short = tokens - host[component].available
            if short > 0:
                self._evictor.evict_host(short, component)
        return True
