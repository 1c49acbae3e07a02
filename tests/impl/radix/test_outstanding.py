"""The order in which copies are acknowledged, and failed ones made again."""

from __future__ import annotations

from radixproof.impl.radix.node import InFlight
from radixproof.impl.radix.outstanding import Outstanding

from .slots import Pair


def flights(pair: Pair, count: int) -> tuple[Outstanding[InFlight], list[InFlight]]:
    outstanding: Outstanding[InFlight] = Outstanding(pair.engine)
    entries = [
        InFlight(pair.engine.submit(pair.transfer(number)), []) for number in range(1, count + 1)
    ]
    for entry in entries:
        outstanding.add(entry)
    return outstanding, entries


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
