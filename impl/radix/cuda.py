"""Copies on CUDA machines: the streams of a device, and transfers through pinned staging memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch

from radixproof.impl.radix.engine import AnyEvent, Landing, StreamEngine, Transfer
from radixproof.impl.radix.pools import Slots

Way: TypeAlias = Callable[[torch.device, Transfer], Landing]
"""Submits a transfer between a CUDA device and the host to the current stream."""


class CudaStreams:
    """Implements `radixproof.impl.radix.engine.Streams` with those of a CUDA device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def new_stream(self) -> torch.cuda.Stream:
        return torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    def new_event(self) -> AnyEvent:
        return torch.cuda.Event()  # type: ignore[no-untyped-call]

    def compute(self) -> torch.cuda.Stream:
        return torch.cuda.current_stream(self._device)

    def submit(self, stream: torch.cuda.Stream, work: Callable[[], None]) -> None:
        with torch.cuda.stream(stream):
            work()


def cuda_engine(device: torch.device, way: Way | None = None) -> StreamEngine[torch.cuda.Stream]:
    """An engine for one direction. Its transfers go by a ``way``: `staged`, or that of
    `radixproof.impl.radix.direct`, which needs Triton.
    """
    chosen = way or staged

    def move(transfers: Sequence[Transfer]) -> list[Landing]:
        return [chosen(device, transfer) for transfer in transfers]

    return StreamEngine(CudaStreams(device), move)


def staged(device: torch.device, transfer: Transfer) -> Landing:
    """Submit a transfer between a CUDA device and the host to the current stream.

    Scattered rows cannot be copied asynchronously: the slots cross in one piece, through pinned
    staging memory. On the way to the host the device gathers, and the host spreads when it learns
    that the piece has arrived, which is before the copy is done. On the way to the device the host
    gathers now, and the device spreads.
    """
    if transfer.source.device.type == "cuda":
        index, kept = _index(transfer.source_slots, device)
        gathered = transfer.source.kv.index_select(2, index)
        landed = torch.empty(gathered.shape, dtype=gathered.dtype, pin_memory=True)
        landed.copy_(gathered, non_blocking=True)
        return _landing(
            lambda: transfer.target.scatter(transfer.target_slots, landed), *kept, gathered
        )
    index, kept = _index(transfer.target_slots, device)
    leaving = transfer.source.gather(transfer.source_slots).pin_memory()
    arrived = leaving.to(device, non_blocking=True)
    transfer.target.kv.index_copy_(2, index, arrived)
    return _landing(lambda: None, *kept, leaving, arrived)


def _landing(land: Landing, *kept: torch.Tensor) -> Landing:
    """What is done on arrival; until then the stream uses tensors that are ``kept``."""

    def landing(_: tuple[torch.Tensor, ...] = kept) -> None:
        land()

    return landing


def _index(slots: Slots, device: torch.device) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Slot ids on the device, and what has to be kept until they are used."""
    staging = torch.from_numpy(slots).pin_memory()
    index = staging.to(device, non_blocking=True)
    return index, (staging, index)
