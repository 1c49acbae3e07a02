"""Transfers by a kernel that reads and writes pinned host memory itself, in one launch a transfer.

It needs Triton, which comes with the CUDA builds of torch; importing this module imports it. With
``TRITON_INTERPRET=1`` in the environment it runs on a CPU, slowly, for tests.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from radixproof.impl.radix.engine import Landing, Transfer
from radixproof.impl.radix.pools import KVPool, Slots

BLOCK = 1024
"""Most elements that a program moves at once."""


@triton.jit  # type: ignore[untyped-decorator]
def _move_rows(  # type: ignore[no-untyped-def]
    source,
    target,
    source_slots,
    target_slots,
    row,
    source_plane,
    source_row,
    target_plane,
    target_row,
    BLOCK: tl.constexpr,
):
    """Row ``source_slots[i]`` of every plane of the source to ``target_slots[i]`` of the target.

    A row is ``row`` elements; from one plane, and from one row, to the next it is so many as the
    other numbers say. One program moves up to ``BLOCK`` elements of one row.
    """
    at = tl.program_id(0)
    plane = tl.program_id(1).to(tl.int64)
    element = tl.program_id(2) * BLOCK + tl.arange(0, BLOCK)
    here = source + plane * source_plane + tl.load(source_slots + at) * source_row + element
    there = target + plane * target_plane + tl.load(target_slots + at) * target_row + element
    tl.store(there, tl.load(here, mask=element < row), mask=element < row)


def direct(device: torch.device, transfer: Transfer) -> Landing:
    """Submit a transfer between two pools to the current stream of a device, which reaches both:
    the pool on the host is pinned.

    Returns what keeps the indices alive until the copy has ended: nothing is left to do then.
    """
    source, target = transfer.source.kv, transfer.target.kv
    read, written = _index(transfer.source_slots, device), _index(transfer.target_slots, device)
    row, planes = _row(transfer.source), source.shape[0] * source.shape[1]
    block = min(BLOCK, triton.next_power_of_2(row))
    grid = (len(transfer.source_slots), planes, triton.cdiv(row, block))
    strides = source.stride(1), source.stride(2), target.stride(1), target.stride(2)
    _move_rows[grid](source, target, read, written, row, *strides, BLOCK=block)

    def landing(_: tuple[torch.Tensor, ...] = (read, written)) -> None:
        pass

    return landing


def _row(pool: KVPool) -> int:
    """Elements of one slot in one plane: heads times dim."""
    return pool.kv.shape[3] * pool.kv.shape[4]


def _index(slots: Slots, device: torch.device) -> torch.Tensor:
    index = torch.from_numpy(slots)
    return index if device.type == "cpu" else index.pin_memory().to(device, non_blocking=True)
