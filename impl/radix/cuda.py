"""The copy engine of CUDA machines: a stream of its own, events, and pinned staging memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from radixproof.impl.radix.engine import Transfer
from radixproof.impl.radix.pools import KVPool, Slots


@dataclass(frozen=True, slots=True)
class _Staged:
    """KV of one transfer on its way: ``kv``, pinned, is valid once the copy's event has happened."""

    kv: torch.Tensor
    target: KVPool
    target_slots: Slots


@dataclass(frozen=True, slots=True)
class _Copy:
    staged: list[_Staged]
    done: torch.cuda.Event
    kept: list[torch.Tensor]
    """Tensors that the stream still reads."""


class CudaEngine:
    """Copies from a CUDA device to the host, without stopping either.

    The slots of a transfer are gathered on the device and sent to staging memory in one piece, because scattered rows cannot be
    copied to the host asynchronously. The host spreads them over the target slots when it learns that they arrived, which is
    before it reports the copy. Device work is ordered after everything the caller's current stream had been given at `submit`.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._flying: deque[_Copy] = deque()

    def submit(self, transfers: Sequence[Transfer]) -> None:
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        staged: list[_Staged] = []
        kept: list[torch.Tensor] = []
        with torch.cuda.stream(self._stream):
            for source, source_slots, target, target_slots in transfers:
                index_host = torch.from_numpy(source_slots).pin_memory()
                index = index_host.to(self._device, non_blocking=True)
                gathered = source.kv.index_select(2, index)
                kv = torch.empty(gathered.shape, dtype=gathered.dtype, device="cpu", pin_memory=True)
                kv.copy_(gathered, non_blocking=True)
                staged.append(_Staged(kv, target, target_slots))
                kept += [index_host, index, gathered]
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record(self._stream)
        self._flying.append(_Copy(staged, done, kept))

    def poll(self) -> int:
        completed = 0
        while self._flying and self._flying[0].done.query():  # type: ignore[no-untyped-call]
            self._land(self._flying.popleft())
            completed += 1
        return completed

    def wait(self) -> int:
        completed = len(self._flying)
        while self._flying:
            self._flying[0].done.synchronize()
            self._land(self._flying.popleft())
        return completed

    def clear(self) -> None:
        self._stream.synchronize()
        self._flying.clear()

    @staticmethod
    def _land(copy: _Copy) -> None:
        for part in copy.staged:
            part.target.scatter(part.target_slots, part.kv)
