"""The cache: the operations that a scheduler calls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from radixproof.impl.radix.backup import Backups
from radixproof.impl.radix.config import CacheConfig, Component
from radixproof.impl.radix.device_eviction import DeviceEvictor
from radixproof.impl.radix.engine import CopyEngine
from radixproof.impl.radix.events import Events
from radixproof.impl.radix.eviction_order import EvictionOrder
from radixproof.impl.radix.host_eviction import HostEvictor
from radixproof.impl.radix.host_insert import HostInserter
from radixproof.impl.radix.insertion import Inserted, Inserter, Offer
from radixproof.impl.radix.loading import Loader
from radixproof.impl.radix.locks import HostReceipt, Locks, Receipt
from radixproof.impl.radix.matching import Match, match
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node, Units
from radixproof.impl.radix.states import copy_state
from radixproof.impl.radix.tree import Listener, Tree


class Engines(NamedTuple):
    """Who copies from the device to the host, and who copies back."""

    backup: CopyEngine
    load: CopyEngine


class RadixCache:
    """A prefix cache over a device and, unless ``config`` has none, a host tier.

    Keys are token ids in a namespace, seen as pairs of neighbours if ``config.bigram``; only whole
    pages of them are cached, and lengths are in tokens, or pairs. Requests take device slots from
    ``memory.device`` and own them until they free them there or hand them to `insert`. Not safe for
    use by several threads.

    ``memory`` is of the shape that ``config`` asks for. ``events`` are told what can be found
    where, for a router; ``listener`` is told of every node that changes, for whoever keeps an image
    of the tree.
    """

    def __init__(
        self,
        config: CacheConfig,
        memory: Memory,
        engines: Engines,
        events: Events | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.config = config
        self.memory = memory
        self.tree = tree = Tree(config.page_size, events, listener)
        self.locks = Locks(tree, config)
        self.eviction_order = order = EvictionOrder(config.eviction_policy)
        self.host_evictor = HostEvictor(tree, memory, order, config.write_back)
        self.backups = Backups(
            tree, memory, self.locks, self.host_evictor, engine=engines.backup, config=config
        )
        write_back = self.backups if config.write_back else None
        self.device_evictor = DeviceEvictor(tree, memory, order, self.host_evictor, write_back)
        self.loader = Loader(
            tree, memory, self.locks, self.device_evictor, engine=engines.load, config=config
        )
        self.inserter = Inserter(tree, memory, self.backups, config.window)
        self.host_inserter = HostInserter(tree, memory, config.write_back)

    def match(self, tokens: Sequence[int], namespace: str = "") -> Match:
        """The longest cached prefix of a key.

        May split a node, and renews the recency of what it finds.
        """
        return match(self.tree, self.config, namespace, self._whole_pages(tokens))

    def copy_state(self, node: Node) -> int | None:
        """A MAMBA slot of the caller's own with a copy of the state of a node on the device.

        None if there is no room for one.
        """
        return copy_state(node, self.memory, self.locks, self.device_evictor)

    def insert(
        self,
        tokens: Sequence[int],
        slots: Sequence[int],
        namespace: str = "",
        protected: int = 0,
        evicted: int = 0,
        state: int | None = None,
        priority: int = 0,
        inserted: int = 0,
    ) -> Inserted:
        """Hand over the KV of a key: FULL ``slots``, one per token, and the MAMBA slot of its end.

        The first ``protected`` slots came from a match of the key and are the tree's already. The
        peers of the first ``evicted`` slots have been freed. Both are whole pages. Slots beyond the
        last whole page stay with the caller, and so does a state that is not taken; the others are
        no longer its own, unless ValueError is raised. A request that inserts a longer part of its
        key again says how much it has ``inserted`` before, which it has used but once.
        """
        key = self._whole_pages(tokens)
        for name, length in (("protected", protected), ("evicted", evicted)):
            if length < 0 or length % self.config.page_size:
                raise ValueError(
                    f"{name} must be whole pages of {self.config.page_size} tokens, got {length}"
                )
        if len(slots) < len(key):
            raise ValueError(f"{len(key)} tokens to insert, but {len(slots)} slots")
        if state is not None and not self.config.stateful:
            raise ValueError("a state to insert, but the cache has no MAMBA")
        full = np.array(slots[: len(key)], dtype=np.int64)
        return self.inserter.insert(
            Offer(namespace, key, full, protected, evicted, state, priority, inserted)
        )

    def insert_host(
        self,
        tokens: Sequence[int],
        slots: Sequence[int],
        namespace: str = "",
        start: int = 0,
        window: Sequence[int] = (),
        state: int | None = None,
    ) -> int:
        """Hand over KV of a key that was fetched to the host.

        ``slots`` are FULL host slots of the whole pages from ``start`` on, the end of a node;
        ``window`` are SWA host slots of the last tokens, in whole pages from ``start`` on at most,
        and ``state`` is a MAMBA host slot with the state of the end. Returns how many FULL slots
        are kept; what is not kept is freed.
        """
        full, swa = (np.array(some, dtype=np.int64) for some in (slots, window))
        mamba = np.array([] if state is None else [state], dtype=np.int64)
        units = self._whole_pages(tokens)
        return self.host_inserter.insert(namespace, units, full, start, swa, mamba)

    def lock(self, node: Node) -> Receipt:
        """Keep the path to a node on the device.

        That is all of its FULL, the last window of its SWA, and the state at its end.
        """
        return self.locks.lock(node)

    def unlock(self, receipt: Receipt) -> None:
        """Give a receipt back. Raises `ReceiptError` if that has been done before."""
        self.locks.unlock(receipt)

    def release_window(self, receipt: Receipt) -> None:
        """Give all but FULL of a receipt back early, at most once (semantics 6.4).

        Drops SWA that no one can use any more. Raises `ReceiptError` if that has been done before.
        """
        self.device_evictor.drop_windows(self.locks.release_window(receipt))

    def lock_host(self, node: Node) -> HostReceipt:
        """Keep the node on which a prefix ends, and the host copies of what is used there."""
        return self.locks.lock_host(node)

    def unlock_host(self, receipt: HostReceipt) -> None:
        """Give a receipt of `lock_host` back.

        Raises `ReceiptError` if that has been done before.
        """
        self.locks.unlock_host(receipt)

    def evict(self, full: int, swa: int = 0, mamba: int = 0) -> tuple[int, int, int]:
        """Free device slots; may free fewer or more than asked for.

        Returns the FULL and SWA tokens and the states freed.
        """
        return self.device_evictor.evict(full, swa, mamba)

    def evict_host(self, tokens: int, component: Component = Component.FULL) -> int:
        """Free host slots of a component; may free fewer or more than asked for.

        Returns the tokens (MAMBA: states) freed.
        """
        return self.host_evictor.evict(tokens, component)

    def load_back(self, node: Node, quota: int | None = None) -> int:
        """Start to bring the path to the best node of a match back to the device.

        Returns the FULL tokens that it loads: 0 if there is nothing to do, or no room, or if it
        would take more than ``quota`` FULL tokens.
        """
        return self.loader.load_back(node, quota)

    def writing_check(self, blocking: bool = False, limit: int | None = None) -> int:
        """Acknowledge backups whose copies are complete, ``limit`` at most, or wait for all.

        Returns how many. To be called regularly.
        """
        return self.backups.acknowledge(blocking, limit)

    def loading_check(self, blocking: bool = False, limit: int | None = None) -> int:
        """Acknowledge load-backs, likewise."""
        return self.loader.acknowledge(blocking, limit)

    def join_loads(self) -> None:
        """To be called before work is submitted that reads what a match has found: it is ordered
        after the load-backs in flight. The caller does not wait.
        """
        self.loader.join()

    def reset(self) -> None:
        """Forget everything and take back all host slots.

        Device slots are the caller's to take back: ``memory.device.clear()``.
        """
        self.backups.clear()
        self.loader.clear()
        self.tree.reset()
        self.memory.clear_host()

    def _whole_pages(self, tokens: Sequence[int]) -> Units:
        units = tuple(pairwise(tokens)) if self.config.bigram else tuple(tokens)
        return units[: self.config.floor(len(units))]
