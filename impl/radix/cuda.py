"""The copy engine of CUDA machines: a stream of its own, events, and pinned staging memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from radixproof.impl.radix.engine import Copy, Transfer
from radixproof.impl.radix.pools import KVPool, Slots


@dataclass(slots=True, eq=False)
class _Flight:
    """A copy on its way."""

    copy: Copy
    ended: torch.cuda.Event
    landing: list[tuple[KVPool, Slots, torch.Tensor]] = field(default_factory=list)
    """What the host has to spread over target slots, once it has arrived: KV in pinned memory."""
    kept: list[torch.Tensor] = field(default_factory=list)
    """Tensors that the stream still uses."""


class CudaEngine:
    """Copies between a CUDA device and the host, in either direction, without stopping either.

    Scattered rows cannot be copied asynchronously: the slots of a transfer cross in one piece,
    through pinned staging memory. On the way to the host the device gathers, and the host spreads
    when it learns that the piece arrived, which is before the copy is done. On the way to the
    device the host gathers at `submit`, and the device spreads.

    Device work is ordered after everything the caller's current stream had been given at `submit`:
    that may still write what is copied, or use what was in the target slots. Of what the caller
    does afterwards nothing is ordered after a copy, unless it waits until the copy is done or calls
    `join`. Use one engine for each direction, or copies wait for each other.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._flying: deque[_Flight] = deque()

    def submit(self, transfers: Sequence[Transfer]) -> Copy:
        flight = _Flight(Copy(tuple(transfers)), torch.cuda.Event())  # type: ignore[no-untyped-call]
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            for transfer in transfers:
                if transfer.source.device.type == "cuda":
                    self._send_to_host(transfer, flight)
                else:
                    self._send_to_device(transfer, flight)
        flight.ended.record(self._stream)
        self._flying.append(flight)
        return flight.copy

    def join(self) -> None:
        """Let what the caller's current stream is given from now on wait for all copies so far.

        The caller itself does not wait.
        """
        torch.cuda.current_stream(self._device).wait_stream(self._stream)

    def poll(self) -> None:
        while self._flying and self._flying[0].ended.query():  # type: ignore[no-untyped-call]
            _land(self._flying.popleft())

    def wait(self) -> None:
        while self._flying:
            self._flying[0].ended.synchronize()
            _land(self._flying.popleft())

    def clear(self) -> None:
        self._stream.synchronize()
        self._flying.clear()

    def _send_to_host(self, transfer: Transfer, flight: _Flight) -> None:
        index = self._index(transfer.source_slots, flight)
        gathered = transfer.source.kv.index_select(2, index)
        staged = torch.empty(gathered.shape, dtype=gathered.dtype, pin_memory=True)
        staged.copy_(gathered, non_blocking=True)
        flight.landing.append((transfer.target, transfer.target_slots, staged))
        flight.kept.append(gathered)

    def _send_to_device(self, transfer: Transfer, flight: _Flight) -> None:
        index = self._index(transfer.target_slots, flight)
        staged = transfer.source.gather(transfer.source_slots).pin_memory()
        arrived = staged.to(self._device, non_blocking=True)
        transfer.target.kv.index_copy_(2, index, arrived)
        flight.kept += [staged, arrived]

    def _index(self, slots: Slots, flight: _Flight) -> torch.Tensor:
        """Slot ids on the device."""
        staged = torch.from_numpy(slots).pin_memory()
        index = staged.to(self._device, non_blocking=True)
        flight.kept += [staged, index]
        return index


def _land(flight: _Flight) -> None:
    for target, slots, kv in flight.landing:
        target.scatter(slots, kv)
    flight.copy.done = True
