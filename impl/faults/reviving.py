"""Bugs in reviving: what a node that has lost something gets back from an insert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Offer
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

FULL = Component.FULL


@fault(
    "family of B22, SGLang pull requests 32892, 33639: a copy of what came before",
    "a node that comes back to the device with an insert gives its host copy up",
    Property.PROGRESS,
)
def revived_node_loses_its_host_copy(cache: RadixCache) -> None:
    inserter, revive = cache.inserter, cache.inserter._revive

    def revive_alone(node: Node, offer: Offer) -> list[Node]:
        pieces = revive(node, offer)
        for piece in pieces:
            cache.memory.host[FULL].free(cache.tree.take_host(piece, FULL))
        return pieces

    inserter._revive = revive_alone  # type: ignore[method-assign]


@fault(
    "family of B11, SGLang pull requests 36135, 36381, 36646 and issue 36081",
    "a tombstone that is in use does not get its SWA back",
    Property.MATCH,
)
def tombstone_in_use_not_recovered(cache: RadixCache) -> None:
    inserter, recover = cache.inserter, cache.inserter._recover

    def recover_unused(node: Node, slots: Slots) -> None:
        if node.full.locks:
            cache.memory.device.free(slots)
        else:
            recover(node, slots)

    inserter._recover = recover_unused  # type: ignore[method-assign]


@fault(
    "family of B11, SGLang pull requests 36135, 36381, 36646: whose lock counts",
    "whether the FULL slots of a tombstone may be exchanged is asked of the lock of its window",
    Property.PIN,
)
def recovery_looks_at_the_window_lock(cache: RadixCache) -> None:
    inserter, recover = cache.inserter, cache.inserter._recover

    def recover_unlocked(node: Node, slots: Slots) -> None:
        locks = node.full.locks
        node.full.locks = node.swa.locks
        recover(node, slots)
        node.full.locks = locks

    inserter._recover = recover_unlocked  # type: ignore[method-assign]
