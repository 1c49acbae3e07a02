"""Observe a cache of SGLang as plain data. Nothing is judged here, and nothing is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from radixproof.impl.observation import NodeView, Observation, PerPool, Slots, Whole
from radixproof.impl.sglang.parts import Parts
from radixproof.model.config import Component

_Free: TypeAlias = tuple[Slots, Slots, Slots, Slots, Slots, Slots]


class View:
    """Observes one cache.

    SGLang keeps no record of what has changed: all nodes are looked at, and those are told that are
    others than was told last.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._told: dict[int, NodeView] = {}
        """What all nodes were when changes were told; nothing, if all was told since."""
        self._met: set[int] = set()
        """Nodes that were in any observation since then."""

    def observe(self, whole: bool) -> Observation:
        core = self._parts.core
        nodes = core.nodes(whole)
        seen = Observation(
            nodes=nodes,
            free=self._free_counts(),
            evictable=core.evictable(),
            protected=core.protected(),
            events=None if self._parts.events is None else self._parts.events.drain(),
        )
        return self._all(seen) if whole else self._changes(seen)

    def _all(self, seen: Observation) -> Observation:
        self._told.clear()
        self._met.update(view.id for view in seen.nodes)
        return replace(seen, whole=self._whole())

    def _changes(self, seen: Observation) -> Observation:
        told, self._told = self._told, {view.id: view for view in seen.nodes}
        gone = sorted(self._met.difference(self._told))
        self._met = {*self._told}
        changed = tuple([view for view in seen.nodes if told.get(view.id) != view])
        return replace(seen, nodes=changed, removed=tuple(gone))

    def _free(self) -> _Free:
        device, host = self._parts.device.components, self._parts.host
        full, swa, mamba = (
            device[component].free_slots() if component in device else () for component in Component
        )
        full_host, swa_host, mamba_host = map(host.free_slots, Component)
        return full, swa, mamba, full_host, swa_host, mamba_host

    def _free_counts(self) -> PerPool:
        device, host = self._parts.device.components, self._parts.host
        full, swa, mamba = (
            device[component].free_count() if component in device else 0 for component in Component
        )
        full_host, swa_host, mamba_host = map(host.free_count, Component)
        return full, swa, mamba, full_host, swa_host, mamba_host

    def _whole(self) -> Whole:
        core = self._parts.core
        return Whole(
            free=self._free(),
            swa_of=self._swa_of(),
            device_leaves=core.leaves(on_host=False),
            host_leaves=core.leaves(on_host=True),
            lru_lists=core.lru_lists(),
        )

    def _swa_of(self) -> dict[int, int]:
        peers = self._parts.device.peers()
        if peers is None:
            return {}
        return {slot: peer for slot, peer in enumerate(peers.tolist()) if peer}
