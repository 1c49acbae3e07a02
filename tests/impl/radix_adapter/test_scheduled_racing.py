"""The state machine on copies that move at their own pace while everything else goes on.

A history still says when a copy counts as run, and what is seen depends on that alone; its bytes
move some time between its start and then, as streams and events allow. So what is not ordered
shows in content. On a GPU the streams are real; elsewhere they run when they are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest

from radixproof.impl.radix.engine import Flight, Landing, StreamEngine, Transfer, _land
from radixproof.impl.radix.pools import KVPool
from radixproof.impl.radix.pools import Slots as SlotArray
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.radix_adapter.scheduled import ScheduledEngine, ScheduledStreams
from radixproof.impl.radix_adapter.tags import Floats
from radixproof.impl.radix_adapter.target import target
from radixproof.impl.streams import BACKUP, FORWARD
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.properties.drivers.soak import one

from ..radix.moving import Real, Told, backups_do_not_wait, loads_do_not_wait

POISON = 4_000_000
"""No tag, as few histories have as many pages."""


class RacingEngine(ScheduledEngine):
    """Its copies start at once, and a history says when one has ended: then it is waited for."""

    _inner: StreamEngine[Any]

    def __init__(
        self,
        streams: ScheduledStreams,
        inner: StreamEngine[Any],
        pools: Mapping[KVPool, Pool],
        pass_time: Callable[[], None],
    ) -> None:
        super().__init__(streams, inner, pools)
        self._pass_time = pass_time

    def join(self) -> None:
        super().join()
        self._inner.join()

    def _enqueue(self, flight: Flight) -> None:
        super()._enqueue(flight)
        self._inner.submit(flight.copy.transfers)
        self._pass_time()

    def _start(self, flight: Flight) -> None:
        moving = self._inner._flying.popleft()
        moving.ended.synchronize()
        _land(moving)
        super()._start(flight)

    def _through(self, transfers: Sequence[Transfer]) -> Sequence[Landing]:
        return ()


class RacingSystem(RadixSystem):
    """Forward passes compute in a stream that is not waited for, either. Whoever is given slots
    that are free again writes to them: here poison, at once.
    """

    def __init__(self, config: Config, streams: Any) -> None:
        self._streams, self._at_once = streams, False
        super().__init__(config, streams.device)
        for pool, allocator in self.allocators.items():
            allocator.free = partial(self._free, pool, allocator.free)  # type: ignore[method-assign]

    def _free(self, pool: Pool, free: Callable[[SlotArray], None], slots: SlotArray) -> None:
        free(slots)
        write = partial(self._tags[pool].write, slots, np.full(len(slots), POISON, np.float32))
        if pool.on_host or self._at_once:
            write()
        else:
            self._streams.compute(write)

    def _engine(self, name: str) -> ScheduledEngine:
        names = {kv_pool: pool for pool, kv_pool in self.pools.items()}
        inner = self._streams.engines[0 if name == BACKUP else 1]
        streams = ScheduledStreams(self.forward, name)
        return RacingEngine(streams, inner, names, self._streams.pass_time)

    def _compute(self, pool: Pool, slots: SlotArray, content: Floats) -> None:
        self.forward.access(pool, slots.tolist(), writes=True, by=FORWARD)
        self._streams.compute(partial(self._tags[pool].write, slots, content))

    def copy_state(self, anchor: Any) -> int | None:
        """The cache copies it itself, after all that forward passes have been given to do."""
        self._streams.finish()
        self._at_once = True
        try:
            return super().copy_state(anchor)
        finally:
            self._at_once = False

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        self._streams.finish()
        return super().read(pool, slots)


def racing(streams: type[Any], seed: int, break_it: Callable[[Any], None]) -> Target:
    def build(config: Config) -> RacingSystem:
        made = streams(Random(f"racing {seed}"))
        break_it(made)
        return RacingSystem(config, made)

    return replace(target(streams.device), build=build)


def found(streams: type[Any], seed: int, break_it: Callable[[Any], None] = lambda _: None) -> str:
    """What is wrong in a history of the soak; RACE is not asked."""
    judged = one(racing(streams, seed, break_it), seed, 0, lambda name: name.startswith("RACE/"))
    return judged.breach.signature if judged.breach else ""


BROKEN = [backups_do_not_wait, loads_do_not_wait]


def signatures(streams: type[Any], break_it: Callable[[Any], None]) -> set[str]:
    return {found(streams, seed, break_it) for seed in range(40)} - {""}


@pytest.mark.parametrize("seed", range(12))
def test_what_moves_at_its_own_pace_is_never_seen_too_early_or_too_late(seed: int) -> None:
    assert found(Told, seed) == ""


@pytest.mark.parametrize("break_it", BROKEN)
def test_what_breaks_the_order_shows_in_content(break_it: Callable[[Any], None]) -> None:
    shown = signatures(Told, break_it)
    assert shown
    assert all(name.startswith("CONTENT/") for name in shown)


@pytest.mark.gpu
@pytest.mark.parametrize("seed", range(40))
def test_what_moves_in_streams_of_a_gpu_is_never_seen_too_early_or_too_late(seed: int) -> None:
    assert found(Real, seed) == ""


@pytest.mark.gpu
@pytest.mark.parametrize("break_it", BROKEN)
def test_what_breaks_the_order_shows_in_content_on_a_gpu(break_it: Callable[[Any], None]) -> None:
    assert signatures(Real, break_it)
