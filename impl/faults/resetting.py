"""Bugs in resetting: what outlives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache


@fault(
    "family of B67, SGLang pull request 16369: what is never given back",
    "host slots are still taken after a reset",
    Property.OWN_H,
)
def host_slots_survive_reset(cache: RadixCache) -> None:
    def keep() -> None:
        pass

    cache.memory.clear_host = keep  # type: ignore[method-assign]


@fault(
    "family of B79, SGLang issue 35270: sizes of an idle cache",
    "sizes are carried over a reset",
    Property.SIZE,
)
def sizes_survive_reset(cache: RadixCache) -> None:
    tree = cache.tree
    reset = tree.reset

    def keep_sizes() -> None:
        evictable = tree.evictable
        reset()
        tree.evictable = evictable

    tree.reset = keep_sizes  # type: ignore[method-assign]


@fault(
    "family of B47, SGLang pull request 22592: nodes that have been detached",
    "leaves that a reset has dropped stay evictable",
    Property.LEAF,
)
def leaves_survive_reset(cache: RadixCache) -> None:
    tree = cache.tree
    reset = tree.reset

    def keep_leaves() -> None:
        leaves = tree.device_leaves
        reset()
        tree.device_leaves = leaves

    tree.reset = keep_leaves  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 16747: what is never given back",
    "the tree outlives a reset of the pools",
    Property.MATCH,
)
def tree_survives_reset(cache: RadixCache) -> None:
    def keep() -> None:
        pass

    cache.tree.reset = keep  # type: ignore[method-assign]
