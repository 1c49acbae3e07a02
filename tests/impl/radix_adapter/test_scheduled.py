"""Copies that run, or fail, when they are told to."""

from __future__ import annotations

import numpy as np

from radixproof.impl.radix_adapter.tags import Tags

from ..radix.slots import Pair, slots


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
