"""Evictions of one history, on either tier."""

from __future__ import annotations

from collections.abc import Iterator

from radixproof.impl.operations import Evict, EvictHost, Operation, Refuse, WritingCheck
from radixproof.impl.premises import unavailable
from radixproof.model.config import HOST, Pool
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.nodes import is_device_leaf
from radixproof.model.specification.trie import Page
from radixproof.properties.generating.keys import Below
from radixproof.properties.generating.making import Making


class Evictions:
    """Makes the evictions of one history."""

    def __init__(self, making: Making) -> None:
        self.making, self.config = making, making.config
        refusable = unavailable(Refuse, making.config, making.scope) is None
        self.refusable = making.config.write_back and refusable

    def evicting(self, model: Cache, below: Below) -> Iterator[Operation]:
        """An eviction; where a leaf without a host copy hangs above host data, often one for which
        the host refuses that copy.
        """
        leaves = model.trie.recency_in[Pool.FULL]
        if self.refusable and any(map(_is_above_host_data, leaves)) and below(2):
            yield Refuse(Pool.FULL_HOST)
        yield self._evict(below)

    def demoting(self, model: Cache, below: Below) -> Iterator[Operation]:
        """Evict what is backed up, all of it or a little, so that it is on the host only."""
        if any(not copy.load for copy in model.copies.flying):
            yield WritingCheck(blocking=True)
        if any(model.trie.recency_in[Pool.FULL]):
            everything, amount = self.config.slots(Pool.FULL), self.making.amount
            yield Evict(everything if below(2) else amount(Pool.FULL, below))

    def on_host(self, model: Cache, below: Below) -> EvictHost:
        """An eviction on the host, mostly of a component of which something is there alone."""
        components = [
            component
            for component in self.config.components
            if model.trie.host_only[component] or not below(4)
        ] or self.config.components
        component = components[below(len(components))]
        return EvictHost(self.making.amount(HOST[component], below), component)

    def _evict(self, below: Below) -> Evict:
        windowed, states = self.config.window is not None, self.config.mamba_states
        amount = self.making.amount
        full = amount(Pool.FULL, below) if below(3) or not (windowed or states) else 0
        swa = (
            amount(Pool.SWA, below) if windowed and (not below(3) or (not full and below(3))) else 0
        )
        mamba = (1, 1, 2, states)[below(4)] if states and (not below(3) or not (full or swa)) else 0
        return Evict(full, swa, mamba)


def _is_above_host_data(page: Page) -> bool:
    return bool(page.children) and is_device_leaf(page) and not page.has(Pool.FULL_HOST)
