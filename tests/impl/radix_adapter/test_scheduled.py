"""Copies that run, or fail, when they are told to."""

from __future__ import annotations

import numpy as np

from radixproof.impl.radix_adapter.tags import Tags
from radixproof.impl.streams import BACKUP, COMPUTE, HOST, Access, Awaited, Recorded
from radixproof.model.config import Pool

from ..radix.slots import Pair, slots


def test_scheduled_copies_run_late_and_in_order() -> None:
    pair = Pair()
    first, second = (
        pair.engine.submit(pair.transfer(1)),
        pair.engine.submit([*pair.transfer(2), *pair.transfer(3)]),
    )
    assert (pair.engine.queued, pair.arrived()) == (2, [-1, -1, -1, -1])
    assert pair.engine.run(1) == 1
    assert (first.done, pair.arrived()) == (False, [10, -1, -1, -1])
    pair.engine.poll()
    assert (first.done, second.done) == (True, False)
    Tags(pair.source).write(slots(2), np.array([25], dtype=np.float32))
    pair.engine.wait()
    assert (second.done, pair.arrived()) == (True, [10, 25, 30, -1])
    assert pair.engine.run(5) == 0


def test_failed_copy_leaves_garbage_and_is_forgotten() -> None:
    pair = Pair()
    Tags(pair.target).write(slots(1, 2, 3), np.array([7, 8, 9], dtype=np.float32))
    copy = pair.engine.submit(pair.transfer(1, 2, 3))
    assert pair.engine.run(1, fail=True) == 1
    pair.engine.poll()
    assert (copy.done, copy.failed, pair.engine.queued) == (False, True, 0)
    assert pair.arrived()[:3] == [-1, -1, 9]


def test_a_cleared_engine_has_done_with_its_copies() -> None:
    pair = Pair()
    copy = pair.engine.submit(pair.transfer(1))
    pair.engine.clear()
    assert pair.arrived() == [10, -1, -1, -1]
    Tags(pair.target).write(slots(1), np.array([7], dtype=np.float32))
    pair.engine.wait()
    assert (copy.done, pair.arrived()) == (False, [7, -1, -1, -1])


def test_a_copy_comes_after_what_is_computed_before_it() -> None:
    pair = Pair()
    source = Tags(pair.source)
    pair.forward.submit(lambda: source.write(slots(1), np.array([15], dtype=np.float32)))
    pair.engine.submit(pair.transfer(1))
    pair.forward.submit(lambda: source.write(slots(1), np.array([16], dtype=np.float32)))
    assert pair.engine.run(1) == 1
    assert pair.arrived() == [15, -1, -1, -1]


def test_that_work_comes_after_copies_is_only_said() -> None:
    pair = Pair()
    pair.engine.submit(pair.transfer(1))
    pair.timeline.drain()
    pair.engine.join()
    assert pair.timeline.drain() == [Recorded(BACKUP, 3), Awaited(COMPUTE, 3)]
    pair.forward.run()
    assert pair.arrived() == [-1, -1, -1, -1]


def test_what_a_copy_touches_and_waits_for_is_written_down() -> None:
    pair = Pair()
    pair.engine.submit(pair.transfer(1, 2))
    pair.engine.wait()
    assert pair.timeline.drain() == [
        Recorded(COMPUTE, 1),
        Awaited(BACKUP, 1),
        Access(BACKUP, Pool.FULL, [1, 2], writes=False, by=BACKUP),
        Access(BACKUP, Pool.FULL_HOST, [1, 2], writes=True, by=BACKUP),
        Recorded(BACKUP, 2),
        Awaited(HOST, 2),
    ]
    assert pair.timeline.drain() == []
