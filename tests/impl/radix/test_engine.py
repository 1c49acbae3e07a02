"""Copy engines, and the order in which copies are acknowledged."""

from __future__ import annotations

import numpy as np
import torch

from radixproof.impl.radix.engine import ImmediateEngine, ScheduledEngine, Transfer
from radixproof.impl.radix.outstanding import InFlight, Outstanding
from radixproof.impl.radix.pools import Geometry, KVPool, Slots
from radixproof.impl.radix.tags import Tags


def slots(*ids: int) -> Slots:
    return np.array(ids, dtype=np.int64)


class Pair:
    """Two pools, of which the first holds tag 10 * n in slot n, and a scheduled engine."""

    def __init__(self) -> None:
        self.source, self.target = (KVPool(4, 1, Geometry(), torch.device("cpu")) for _ in range(2))
        Tags(self.source).write(slots(1, 2, 3, 4), np.array([10, 20, 30, 40], dtype=np.float32))
        self.engine = ScheduledEngine(ImmediateEngine())

    def transfer(self, *ids: int) -> list[Transfer]:
        return [Transfer(self.source, slots(*ids), self.target, slots(*ids))]

    def arrived(self) -> list[int]:
        return Tags(self.target).read(slots(1, 2, 3, 4))


def flights(pair: Pair, count: int) -> tuple[Outstanding[InFlight], list[InFlight]]:
    outstanding: Outstanding[InFlight] = Outstanding(pair.engine)
    entries = [
        InFlight(pair.engine.submit(pair.transfer(number)), []) for number in range(1, count + 1)
    ]
    for entry in entries:
        outstanding.add(entry)
    return outstanding, entries


def test_scheduled_copies_run_late_and_in_order() -> None:
    pair = Pair()
    first, second = (
        pair.engine.submit(pair.transfer(1)),
        pair.engine.submit([*pair.transfer(2), *pair.transfer(3)]),
    )
    assert (pair.engine.queued, pair.arrived()) == (2, [-1, -1, -1, -1])
    assert pair.engine.run(1) == 1
    assert (first.done, second.done, pair.arrived()) == (True, False, [10, -1, -1, -1])
    Tags(pair.source).write(slots(2), np.array([25], dtype=np.float32))
    pair.engine.wait()
    assert (second.done, pair.arrived()) == (True, [10, 25, 30, -1])
    assert pair.engine.run(5) == 0


def test_failed_copy_leaves_garbage_and_is_forgotten() -> None:
    pair = Pair()
    Tags(pair.target).write(slots(1, 2, 3), np.array([7, 8, 9], dtype=np.float32))
    copy = pair.engine.submit(pair.transfer(1, 2, 3))
    assert pair.engine.run(1, fail=True) == 1
    assert (copy.done, copy.failed, pair.engine.queued) == (False, True, 0)
    assert pair.arrived()[:3] == [-1, -1, 9]


def test_cleared_engine_copies_nothing() -> None:
    pair = Pair()
    pair.engine.submit(pair.transfer(1))
    pair.engine.clear()
    pair.engine.wait()
    assert pair.arrived() == [-1, -1, -1, -1]


def test_copies_are_acknowledged_from_the_front_up_to_a_limit() -> None:
    pair = Pair()
    outstanding, entries = flights(pair, 3)
    assert (outstanding.done(), outstanding.finish(blocking=False, limit=None)) == (0, [])
    pair.engine.run(2)
    assert outstanding.done() == 2
    assert outstanding.finish(blocking=False, limit=1) == entries[:1]
    assert outstanding.finish(blocking=False, limit=0) == []
    assert outstanding.finish(blocking=True, limit=None) == entries[1:]
    assert (
        len(outstanding),
        outstanding.done(),
        outstanding.finish(blocking=True, limit=None),
    ) == (0, 0, [])


def test_failed_copy_is_made_again_after_the_others_and_keeps_its_turn() -> None:
    pair = Pair()
    outstanding, entries = flights(pair, 3)
    pair.engine.run(1, fail=True)
    pair.engine.run(1)
    assert outstanding.done() == 0
    assert outstanding.finish(blocking=False, limit=None) == []
    assert pair.engine.queued == 2
    pair.engine.run(1)
    assert outstanding.finish(blocking=False, limit=None) == []
    assert pair.arrived() == [-1, 20, 30, -1]
    pair.engine.run(1)
    assert outstanding.finish(blocking=False, limit=None) == entries
    assert pair.arrived() == [10, 20, 30, -1]


def test_copies_are_made_again_in_the_order_in_which_they_failed() -> None:
    pair = Pair()
    outstanding, _ = flights(pair, 2)
    pair.engine.run(1, fail=True)
    assert outstanding.finish(blocking=False, limit=None) == []
    pair.engine.run(2, fail=True)
    assert outstanding.finish(blocking=False, limit=None) == []
    pair.engine.run(1)
    assert pair.arrived() == [-1, 20, -1, -1]


def test_blocking_check_makes_failed_copies_again_at_once() -> None:
    pair = Pair()
    outstanding, entries = flights(pair, 2)
    pair.engine.run(2, fail=True)
    assert outstanding.finish(blocking=True, limit=None) == entries
    assert pair.arrived() == [10, 20, -1, -1]
