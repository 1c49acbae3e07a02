"""Bugs in which host copies go together, whose turn it is, and how many go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS


@fault(
    "family of B16, SGLang pull request 28161: priorities in a cascade, on the host",
    "a node that loses its window on the host keeps its state there",
    Property.BACKUP,
)
def host_window_leaves_its_state(cache: RadixCache) -> None:
    evictor = cache.host_evictor
    evict, free, delete = evictor.evict, evictor._free, evictor.delete
    deleting: list[Node] = []

    def of_windows(wanted: int, component: Component) -> int:
        evicted = component

        def free_unless_taken_along(node: Node, component: Component, freed: list[int]) -> None:
            if evicted is not SWA or component is not MAMBA or node in deleting:
                free(node, component, freed)

        evictor._free = free_unless_taken_along  # type: ignore[method-assign]
        try:
            return evict(wanted, component)
        finally:
            evictor._free = free  # type: ignore[method-assign]

    def delete_all(leaf: Node, freed: list[int]) -> None:
        deleting.append(leaf)
        delete(leaf, freed)
        deleting.clear()

    evictor.evict = of_windows  # type: ignore[method-assign]
    evictor.delete = delete_all  # type: ignore[method-assign]


@fault(
    "B16, SGLang pull request 28161, on the host",
    "taking a state off an interior node on the host takes its window along",
    Property.PROGRESS,
)
def host_state_takes_the_window(cache: RadixCache) -> None:
    evictor, free = cache.host_evictor, cache.host_evictor._free

    def with_window(node: Node, component: Component, freed: list[int]) -> None:
        free(node, component, freed)
        alone = component is MAMBA and node not in cache.tree.host_leaves
        if alone and node.swa.host is not None and not node.swa.host_locks:
            free(node, SWA, freed)

    evictor._free = with_window  # type: ignore[method-assign]


@fault(
    "SGLang pull request 25068, on the host",
    "the parent of a host leaf that was deleted gets no turn in the same host eviction",
    Property.PROGRESS,
)
def host_parents_not_revisited(cache: RadixCache) -> None:
    evictor, order = cache.host_evictor, cache.eviction_order
    evict, take_turns = evictor.evict, order.take_turns

    def as_they_are(leaves: dict[Node, None]) -> Iterator[Node]:
        return iter(sorted(leaves, key=order.turn))

    def evict_those(wanted: int, component: Component) -> int:
        order.take_turns = as_they_are  # type: ignore[method-assign]
        try:
            return evict(wanted, component)
        finally:
            order.take_turns = take_turns  # type: ignore[method-assign]

    evictor.evict = evict_those  # type: ignore[method-assign]


@fault(
    "family of SGLang pull requests 4987 and 4989: when to stop",
    "a host eviction goes on until more is freed than was asked for",
    Property.PROGRESS,
)
def host_eviction_one_too_many(cache: RadixCache) -> None:
    evictor, evict = cache.host_evictor, cache.host_evictor.evict

    def more_than(wanted: int, component: Component) -> int:
        return evict(wanted + 1 if wanted else 0, component)

    evictor.evict = more_than  # type: ignore[method-assign]


@fault(
    "family of B73, SGLang pull request 33862: what is reclaimed",
    "reclaiming the FULL host copy of a node on the device takes that of its window along",
    Property.PROGRESS,
)
def duplicate_loses_its_window_too(cache: RadixCache) -> None:
    evictor, free = cache.host_evictor, cache.host_evictor._free

    def with_window(node: Node, component: Component, freed: list[int]) -> None:
        free(node, component, freed)
        if component is FULL and node.full.device is not None and node.swa.host is not None:
            free(node, SWA, freed)

    evictor._free = with_window  # type: ignore[method-assign]
