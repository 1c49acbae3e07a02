"""Both cores of one release at once: one history, performed with either, and compared.

What only the core in Python shows is judged, but not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from radixproof.impl.observation import Event, NodeView, Observation, PerComponent
from radixproof.impl.replicas import Diverged, Replicas
from radixproof.impl.system import Complete, System
from radixproof.model.config import DEVICE, Pool


class CoresDiffer(Diverged):
    """The cores of one release do not do the same."""


class Shared(NamedTuple):
    """What both cores show of a cache."""

    nodes: list[tuple[Any, ...]]
    """Per node: its namespace, the segments down to it, its slots on the device, where it is on the
    host, and whether a backup of it is in flight.
    """
    free: tuple[int, ...]
    evictable: PerComponent | None
    protected: PerComponent | None
    events: list[Event]
    """Page by page, in no order."""


class Lockstep(Replicas):
    """A cache with the core in Python, and one with the core in Rust."""

    differ = CoresDiffer

    def __init__(self, python: System, rust: System) -> None:
        super().__init__([cast(Complete, python), cast(Complete, rust)])

    def called(self, number: int) -> str:
        return ("the Python core", "the Rust core")[number]

    def observe(self, whole: bool) -> Observation:
        """What the core in Python shows, which is more."""
        python, rust = (system.observe(True) for system in self.systems)
        here, there = shared(python), shared(rust)
        if here.nodes != there.nodes:
            self._same("nodes", [_only(here, there), _only(there, here)])
        self._same("free slots and sizes", [here[1:4], there[1:4]])
        if rust.events is not None:
            self._same("events", [here.events, there.events])
        return python

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        """On the host the cores may use other slots, and one of them does not show which."""
        return self.systems[0].read(pool, slots) if pool.on_host else super().read(pool, slots)


def shared(seen: Observation) -> Shared:
    """What can be compared."""
    paths: dict[int, tuple[Any, ...]] = {}
    for node in seen.nodes:  # parents come first
        paths[node.id] = (*paths.get(node.parent, ()), node.segment)
    nodes = sorted((_of_node(node, paths[node.id]) for node in seen.nodes), key=repr)
    events = sorted((one for event in seen.events or () for one in _pages(event)), key=repr)
    return Shared(nodes, tuple(seen.free or ()), seen.evictable, seen.protected, events)


def _only(some: Shared, others: Shared) -> list[tuple[Any, ...]]:
    return [node for node in some.nodes if node not in others.nodes]


def _pages(event: Event) -> Iterator[Event]:
    """What is removed may be said node by node, or of several nodes at once."""
    if event.kind != "removed":
        yield event
    for block in event.blocks if event.kind == "removed" else ():
        yield event._replace(blocks=(block,))


def _of_node(node: NodeView, path: tuple[Any, ...]) -> tuple[Any, ...]:
    on_host = tuple(slots is not None for slots in node.slots[len(DEVICE) :])
    return node.namespace, path, node.slots[: len(DEVICE)], on_host, node.pending
