"""Observe a cache of SGLang as plain data. Nothing is judged here, and nothing is changed."""

from __future__ import annotations

from typing import TypeAlias

from radixproof.impl.observation import Observation, Slots, Whole
from radixproof.impl.sglang.parts import Parts
from radixproof.model.config import Component

_Free: TypeAlias = tuple[Slots, Slots, Slots, Slots, Slots, Slots]


class View:
    """Observes one cache. Always whole: SGLang keeps no record of what has changed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def observe(self, anew: bool) -> Observation:
        """Nodes that are to be looked at ``anew`` are those that may have changed in place, too."""
        core = self._parts.core
        nodes = core.nodes(anew)
        free = self._free()
        full, swa, mamba, full_host, swa_host, mamba_host = map(len, free)
        return Observation(
            nodes=nodes,
            free=(full, swa, mamba, full_host, swa_host, mamba_host),
            evictable=core.evictable(),
            protected=core.protected(),
            whole=self._whole(free),
            events=None if self._parts.events is None else self._parts.events.drain(),
        )

    def _free(self) -> _Free:
        device, host = self._parts.device.components, self._parts.host
        full, swa, mamba = (
            device[component].free_slots() if component in device else () for component in Component
        )
        full_host, swa_host, mamba_host = map(host.free_slots, Component)
        return full, swa, mamba, full_host, swa_host, mamba_host

    def _whole(self, free: _Free) -> Whole:
        core = self._parts.core
        return Whole(
            free=free,
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
