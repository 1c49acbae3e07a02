"""Observe a cache of SGLang as plain data. Nothing is judged here, and nothing is changed."""

from __future__ import annotations

from radixproof.impl.observation import Observation, Whole
from radixproof.impl.sglang.parts import Parts
from radixproof.model.config import Component


class View:
    """Observes one cache. Always whole: SGLang keeps no record of what has changed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def observe(self) -> Observation:
        core = self._parts.core
        nodes = core.nodes()
        whole = self._whole()
        full, swa, mamba, full_host, swa_host, mamba_host = map(len, whole.free)
        return Observation(
            nodes=nodes,
            removed=(),
            free=(full, swa, mamba, full_host, swa_host, mamba_host),
            evictable=core.evictable(),
            protected=core.protected(),
            whole=whole,
        )

    def _whole(self) -> Whole:
        core, device, host = self._parts.core, self._parts.device, self._parts.host
        full, swa, mamba = (
            device.components[component].free_slots() if component in device.components else ()
            for component in Component
        )
        full_host, swa_host, mamba_host = map(host.free_slots, Component)
        return Whole(
            free=(full, swa, mamba, full_host, swa_host, mamba_host),
            swa_of=self._swa_of(),
            device_leaves=core.leaves(on_host=False),
            host_leaves=core.leaves(on_host=True),
            lru_lists=(
                core.lru_list(Component.SWA, on_host=False),
                core.lru_list(Component.MAMBA, on_host=False),
                core.lru_list(Component.SWA, on_host=True),
                core.lru_list(Component.MAMBA, on_host=True),
            ),
        )

    def _swa_of(self) -> dict[int, int]:
        peers = self._parts.device.peers()
        if peers is None:
            return {}
        return {slot: peer for slot, peer in enumerate(peers.tolist()) if peer}
