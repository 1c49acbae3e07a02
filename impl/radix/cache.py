"""The cache: the operations that a scheduler calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from radixproof.impl.radix.backup import Backups
from radixproof.impl.radix.engine import CopyEngine
from radixproof.impl.radix.eviction import Evictor
from radixproof.impl.radix.insertion import Inserted, Inserter, Offer
from radixproof.impl.radix.locks import Locks, Receipt
from radixproof.impl.radix.matching import Match, match
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.pools import Geometry
from radixproof.impl.radix.tree import Tree
from radixproof.model.config import Component, Config


class RadixCache:
    """A prefix cache over a device and a host tier.

    Keys are token ids in a namespace; only whole pages of them are cached. Requests take device slots from ``memory.device`` and
    own them until they free them there or hand them to `insert`. Not safe for use by several threads.
    """

    def __init__(self, config: Config, engine: CopyEngine, geometry: Geometry | None = None, device: str = "cpu") -> None:
        self.config = config
        self.memory = Memory(config, geometry or Geometry(), torch.device(device))
        self.tree = Tree(config.page_size)
        self.locks = Locks(self.tree, config.window)
        self.evictor = Evictor(self.tree, self.memory)
        self.backups = Backups(self.tree, self.memory, self.locks, self.evictor, engine=engine, threshold=config.threshold)
        self.inserter = Inserter(self.tree, self.memory, self.backups, config.window)

    def match(self, tokens: Sequence[int], namespace: str = "") -> Match:
        """The longest cached prefix of a key. May split a node, and renews the recency of what it finds."""
        return match(self.tree, self.config.window, namespace, self._whole_pages(tokens))

    def insert(
        self, tokens: Sequence[int], slots: Sequence[int], namespace: str = "", protected: int = 0, evicted: int = 0
    ) -> Inserted:
        """Hand over the KV of a key: FULL ``slots``, one per token.

        The first ``protected`` slots came from a match of the key and are the tree's already. The peers of the first ``evicted``
        slots have been freed. Both are in tokens, whole pages. Slots beyond the last whole page stay with the caller, the others
        are no longer its own, unless ValueError is raised.
        """
        key = self._whole_pages(tokens)
        for name, length in (("protected", protected), ("evicted", evicted)):
            if length < 0 or length % self.config.page_size:
                raise ValueError(f"{name} must be whole pages of {self.config.page_size} tokens, got {length}")
        if len(slots) < len(key):
            raise ValueError(f"{len(key)} tokens to insert, but {len(slots)} slots")
        return self.inserter.insert(Offer(namespace, key, np.array(slots[: len(key)], dtype=np.int64), protected, evicted))

    def lock(self, node: Node) -> Receipt:
        """Keep the path to a node on the device: all of its FULL, and the last window of its SWA."""
        return self.locks.lock(node)

    def unlock(self, receipt: Receipt) -> None:
        """Give a receipt back. Raises `ReceiptError` if that has been done before."""
        self.locks.unlock(receipt)

    def evict(self, full: int, swa: int = 0) -> tuple[int, int]:
        """Free device slots, least recently used first; returns the FULL and SWA tokens freed, which may be fewer or more."""
        return self.evictor.evict(full, swa)

    def evict_host(self, tokens: int, component: Component = Component.FULL) -> int:
        """Free host slots of a component, least recently used first; returns the tokens freed, which may be fewer or more."""
        return self.evictor.evict_host(tokens, component)

    def writing_check(self, blocking: bool = False) -> int:
        """Acknowledge backups whose copies are complete, or wait for all; returns how many. To be called regularly."""
        return self.backups.acknowledge(blocking)

    def reset(self) -> None:
        """Forget everything and take back all host slots. Device slots are the caller's to take back: ``memory.device.clear()``."""
        self.backups.clear()
        self.tree.reset()
        self.memory.clear_host()

    def _whole_pages(self, tokens: Sequence[int]) -> tuple[int, ...]:
        return tuple(tokens[: self.config.floor(len(tokens))])
