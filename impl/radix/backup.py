"""Backups: copies of nodes on the host, made behind the back of the computation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import attrgetter

from radixproof.impl.radix.allocator import alloc_each
from radixproof.impl.radix.config import CacheConfig, Component
from radixproof.impl.radix.engine import CopyEngine, Transfer
from radixproof.impl.radix.host_eviction import HostEvictor
from radixproof.impl.radix.locks import Locks, Receipt
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import InFlight, Node
from radixproof.impl.radix.outstanding import Outstanding
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.tree import Tree


@dataclass(slots=True, eq=False)
class Backup(InFlight):
    """A backup in flight: what a node had on the device only."""

    full: bool
    """Whether FULL is copied; otherwise the backup is a supplement."""
    receipt: Receipt | None
    """Keeps the source where it is; None where nothing can happen to it before the copy is done."""


class Backups:
    """Copies nodes to the host (semantics 8).

    That is what has been hit ``config.threshold`` times or, under write-back, what is evicted.
    Under write-through a node is backed up only below nodes that are, so that what is on the host
    can always be reached. Host slots are committed to the node at once; they hold its KV when the
    backup is acknowledged, and until then the node is locked.
    """

    def __init__(
        self,
        tree: Tree,
        memory: Memory,
        locks: Locks,
        evictor: HostEvictor,
        *,
        engine: CopyEngine,
        config: CacheConfig,
    ) -> None:
        self._tree = tree
        self._memory = memory
        self._locks = locks
        self._evictor = evictor
        self._components = config.components
        self._threshold = config.threshold if config.hosted and not config.write_back else math.inf
        self._engine = engine
        self._outstanding: Outstanding[Backup] = Outstanding(engine)

    @property
    def in_flight(self) -> int:
        """Backups that have not been acknowledged."""
        return len(self._outstanding)

    def hit(self, node: Node) -> None:
        """Count a use of a node on the device, and back it up if that is due.

        It is due when the node has been hit often enough and anything of it has no host copy. Where
        there is no room, nothing happens.
        """
        node.hits += 1
        if node.hits >= self._threshold and self._missing(node):
            self._back_up(node)

    def back_up_now(self, node: Node) -> bool:
        """Copy what a node has on the device only to the host, and wait for it.

        Without room for all of it nothing changes. The ancestors of the node need not be backed up.
        All other backups in flight are finished, too. Returns whether the node is backed now.
        """
        if self._missing(node) and self._start(node, lock=False):
            self.acknowledge(blocking=True)
        return node.backed

    def acknowledge(self, blocking: bool, limit: int | None = None) -> int:
        """Finish the backups whose copies are done, in order, or all of them after waiting.

        Returns how many. A poll finishes ``limit`` at most. Copies that failed are made again.
        """
        finished = self._outstanding.finish(blocking, limit)
        for backup in finished:
            self._finish(backup)
        return len(finished)

    def copied(self) -> int:
        """How many backups an unlimited poll would finish now."""
        return self._outstanding.done()

    def clear(self) -> None:
        """Forget all backups in flight, without unlocking: the tree is being dropped."""
        self._outstanding.clear()

    def _back_up(self, node: Node) -> None:
        """Back up each node on the way to ``node`` that has no copy, then ``node`` itself.

        Stops where the host has no room.
        """
        path = [node]
        above = node.parent
        while above is not None and not above.is_root and not above.backed:
            path.append(above)
            above = above.parent
        for part in reversed(path):
            if not self._start(part, lock=True):
                return

    def _missing(self, node: Node) -> dict[Component, Slots]:
        """The device slots of what a node has on the device only."""
        states = node.states
        return {
            component: slots
            for component in self._components
            if (slots := states[component].device) is not None and states[component].host is None
        }

    def _start(self, node: Node, lock: bool) -> bool:
        """Start a backup of what a node has on the device only.

        False, and no change, if there is no room for all of it.
        """
        sources = self._missing(node)
        targets = self._allocate({component: len(slots) for component, slots in sources.items()})
        if targets is None:
            return False
        transfers = []
        for component, target in targets.items():
            device = self._memory.device_pools[component]
            host = self._memory.host_pools[component]
            self._tree.put_host(node, component, target)
            transfers.append(Transfer(device, sources[component], host, target))
        receipt = self._locks.lock(node) if lock else None
        backup = Backup(self._engine.submit(transfers), [node], Component.FULL in sources, receipt)
        self._outstanding.add(backup)
        node.backups.append(backup)
        self._tree.changed(node)
        return True

    def _allocate(self, need: dict[Component, int]) -> dict[Component, Slots] | None:
        """Make room for so many host slots of each component, and take them.

        None, and none taken, if that is not possible.
        """
        return alloc_each(self._memory.host, need) if self._evictor.make_room(need) else None

    def _finish(self, backup: Backup) -> None:
        for fragment in backup.fragments:
            fragment.backups.remove(backup)
            self._tree.changed(fragment)
        if backup.receipt is not None:
            self._locks.unlock(backup.receipt)
        events = self._tree.events
        if events is not None and backup.full:
            for fragment in sorted(backup.fragments, key=attrgetter("end")):
                events.stored(fragment, on_host=True)
