"""Slots, allocators and copies without a cache."""

from __future__ import annotations

import numpy as np
import torch

from radixproof.impl.radix.allocator import PageAllocator
from radixproof.impl.radix.device import DeviceSlots
from radixproof.impl.radix.engine import ImmediateEngine, Transfer
from radixproof.impl.radix.pools import Geometry, KVPool, Slots
from radixproof.impl.radix_adapter.scheduled import ScheduledEngine, ScheduledStreams
from radixproof.impl.radix_adapter.tags import Tags
from radixproof.impl.streams import BACKUP, COMPUTE, Stream, Timeline
from radixproof.model.config import Pool

CPU = torch.device("cpu")


def slots(*ids: int) -> Slots:
    return np.array(ids, dtype=np.int64)


def taken(allocator: PageAllocator, tokens: int) -> Slots:
    """Slots that an allocator has room for."""
    found = allocator.alloc(tokens)
    assert found is not None
    return found


def paired(allocator: type[PageAllocator] = PageAllocator) -> DeviceSlots:
    """Four pages of FULL and three of SWA, of two tokens each."""
    return DeviceSlots(allocator(4, 2), allocator(3, 2))


class Pair:
    """Two pools, of which the first holds tag 10 * n in slot n, and a scheduled engine."""

    def __init__(self) -> None:
        self.source, self.target = (KVPool(4, 1, Geometry(), CPU) for _ in range(2))
        Tags(self.source).write(slots(1, 2, 3, 4), np.array([10, 20, 30, 40], dtype=np.float32))
        self.timeline = Timeline()
        self.forward = Stream(COMPUTE, self.timeline)
        streams = ScheduledStreams(self.forward, BACKUP)
        names = {self.source: Pool.FULL, self.target: Pool.FULL_HOST}
        self.engine = ScheduledEngine(streams, ImmediateEngine(), names)

    def transfer(self, *ids: int) -> list[Transfer]:
        return [Transfer(self.source, slots(*ids), self.target, slots(*ids))]

    def arrived(self) -> list[int]:
        return Tags(self.target).read(slots(1, 2, 3, 4))
