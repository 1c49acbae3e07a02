"""Bugs in copies of states: whose slot a request goes on with, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

MAMBA = Component.MAMBA


@fault(
    "family of B70, SGLang pull requests 16067, 21404: copies of states",
    "a request goes on with the state of its prefix itself, not with a copy of it",
    Property.OWN,
)
def state_not_copied(cache: RadixCache) -> None:
    copy = cache.copy_state

    def share(node: Node) -> int | None:
        if node.mamba.device is None:
            return copy(node)
        return int(node.mamba.device[0])

    cache.copy_state = share  # type: ignore[method-assign]


@fault(
    "family of B53, SGLang pull request 29819 and issue 29812: bytes that are not there yet",
    "a state with a host copy is copied from there, even before the backup has brought it",
    Property.CONTENT,
)
def state_copied_from_the_host(cache: RadixCache) -> None:
    copy = cache.copy_state

    def copy_from_host(node: Node) -> int | None:
        slot = copy(node)
        if slot is not None and node.mamba.host is not None:
            state = cache.memory.host_pools[MAMBA].gather(node.mamba.host)
            cache.memory.device_pools[MAMBA].scatter(np.array([slot], dtype=np.int64), state)
        return slot

    cache.copy_state = copy_from_host  # type: ignore[method-assign]


@fault(
    "family of B02, SGLang pull request 27038: the lock of a copy",
    "a state that cannot be copied for want of room stays locked",
    Property.LOCK,
)
def state_without_room_stays_locked(cache: RadixCache) -> None:
    copy = cache.copy_state

    def copy_or_keep(node: Node) -> int | None:
        slot = copy(node)
        if slot is None:
            cache.locks.lock(node)
        return slot

    cache.copy_state = copy_or_keep  # type: ignore[method-assign]


@fault(
    "family of B55, SGLang pull request 36713: room for states",
    "room for the copy of a state is made by evicting a leaf, which need not have one",
    Property.RECENCY,
)
def state_copy_evicts_a_leaf(cache: RadixCache) -> None:
    copy, evictor = cache.copy_state, cache.device_evictor
    evict = evictor.evict

    def evict_leaf(full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        return evict(1, 0, 0)

    def copy_after_a_leaf(node: Node) -> int | None:
        evictor.evict = evict_leaf  # type: ignore[method-assign]
        slot = copy(node)
        evictor.evict = evict  # type: ignore[method-assign]
        return slot

    cache.copy_state = copy_after_a_leaf  # type: ignore[method-assign]
