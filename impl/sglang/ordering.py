"""What orders the accesses to the slots of one cache (semantics 17.9): its streams, which write
down what is submitted to them, and the stream of forward passes, which a scheduler has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from radixproof.impl.sglang.copies import Event, Stream
from radixproof.impl.sglang.parts import Parts
from radixproof.impl.streams import (
    BACKUP,
    COMPUTE,
    FETCH,
    FORWARD,
    HOST,
    LOAD,
    Access,
    Awaited,
    Entry,
    Timeline,
)
from radixproof.model.config import DEVICE, Component, Pool
from radixproof.model.config import HOST as ON_HOST


class Order:
    """The streams of one cache, and what is submitted to them."""

    def __init__(self, parts: Parts, window: int | None) -> None:
        self._timeline = Timeline()
        self._device = parts.device
        self._window = window
        self.forward = Stream()
        """That of forward passes."""
        self.forward.tell(COMPUTE, self._timeline, {})
        pools = dict(_buffers(parts))
        for name, stream in _streams(parts.tree.cache_controller):
            stream.tell(name, self._timeline, pools)

    def drain(self) -> list[Entry]:
        """What was submitted since the last call."""
        return self._timeline.drain()

    def computes(self, slots: Sequence[int]) -> None:
        """The forward pass that is submitted next fills FULL ``slots``, and the SWA slots that are
        their peers now.
        """
        self.forward.access(Pool.FULL, slots, writes=True, by=FORWARD)
        self.forward.access(Pool.SWA, self._peers(slots), writes=True, by=FORWARD)

    def computes_state(self, slot: int) -> None:
        """The forward pass that is submitted next fills the slot of a state."""
        self.forward.access(Pool.MAMBA, [slot], writes=True, by=FORWARD)

    def attends(self, slots: Sequence[int], loads: Sequence[Event]) -> None:
        """The forward pass that is submitted next reads the KV of these FULL slots. Before that it
        waits for the ``loads`` in flight, layer by layer, as the scheduler has told it.
        """
        for event in loads:
            self._timeline.note(Awaited(COMPUTE, event.number))
        self.forward.access(Pool.FULL, slots, writes=False, by=FORWARD)
        if self._window is not None:
            peers = self._peers(slots[-self._window :])
            self.forward.access(Pool.SWA, peers, writes=False, by=FORWARD)

    def fetched(self, pool: Pool, slots: Sequence[int]) -> None:
        """Slots of the host were filled with what storage has."""
        if slots:
            self._timeline.note(Access(HOST, pool, slots, writes=True, by=FETCH))

    def _peers(self, slots: Sequence[int]) -> list[int]:
        peers = self._device.peers()
        if peers is None or not slots:
            return []
        return [peer for peer in peers[list(slots)].tolist() if peer > 0]


def _streams(controller: Any) -> Iterator[tuple[str, Stream]]:
    """The streams of copies; from 0.5.18 on a part of the controller has them."""
    if controller is None:
        return
    engine = getattr(controller, "l2_transfer_engine", None)
    if engine is None:
        yield from ((BACKUP, controller.write_stream), (LOAD, controller.load_stream))
    else:
        yield from ((BACKUP, engine.device_to_host_stream), (LOAD, engine.host_to_device_stream))


def _buffers(parts: Parts) -> Iterator[tuple[int, Pool]]:
    """The addresses by which copies name what they move, of keys alone: a layer of the device, a
    buffer of the host. Of states, those of the recurrence.
    """
    for component, memory in parts.device.components.items():
        host = parts.host.pools.get(component)
        if component is Component.MAMBA:
            layers, buffer = memory.pool.mamba_cache.temporal, host and host.temporal_buffer
        else:
            layers, buffer = memory.pool.k_buffer, host and host.kv_buffer
        yield from ((layer.data_ptr(), DEVICE[component]) for layer in layers)
        if buffer is not None:
            yield buffer.data_ptr(), ON_HOST[component]
