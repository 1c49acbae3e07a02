"""Copies in a stream of their own, on streams that run when they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from radixproof.impl.radix.engine import ImmediateEngine, Landing, StreamEngine, Transfer
from radixproof.impl.radix_adapter.scheduled import ScheduledStreams
from radixproof.impl.streams import BACKUP, COMPUTE, Stream

from .slots import Pair, slots


class Device:
    """A compute stream, an engine, and what was done in which order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.compute = Stream(COMPUTE)
        self.engine = StreamEngine(ScheduledStreams(self.compute, BACKUP), self._move)

    def does(self, what: str) -> Callable[[], None]:
        return lambda: self.done.append(what)

    def _move(self, transfers: Sequence[Transfer]) -> Sequence[Landing]:
        ids = [int(transfer.source_slots[0]) for transfer in transfers]
        self.done += [f"copy {one}" for one in ids]
        return [self.does(f"land {one}") for one in ids]


@pytest.fixture
def device() -> Device:
    return Device()


def test_a_copy_comes_after_what_the_device_was_given_before_it_and_not_after_the_rest(
    device: Device,
) -> None:
    pair = Pair()
    device.compute.submit(device.does("computed"))
    copy = device.engine.submit([*pair.transfer(1), *pair.transfer(2)])
    device.compute.submit(device.does("computed later"))
    assert device.done == []
    device.engine.wait()
    assert device.done == ["computed", "copy 1", "copy 2", "land 1", "land 2"]
    assert (copy.done, copy.failed) == (True, False)


def test_nothing_is_done_before_the_host_knows_it(device: Device) -> None:
    pair = Pair()
    first, second = (device.engine.submit(pair.transfer(number)) for number in (1, 2))
    device.engine.poll()
    assert not first.done
    device.engine._flying[0].ended.synchronize()
    assert not first.done
    device.engine.poll()
    assert (first.done, second.done) == (True, False)
    assert device.done == ["copy 1", "land 1"]


def test_work_that_joins_comes_after_all_copies_so_far(device: Device) -> None:
    pair = Pair()
    device.engine.submit(pair.transfer(1))
    device.engine.join()
    device.compute.submit(device.does("computed"))
    device.compute.synchronize()
    assert device.done == ["copy 1", "computed"]


def test_what_is_forgotten_has_been_waited_for(device: Device) -> None:
    copy = device.engine.submit(Pair().transfer(1))
    device.engine.clear()
    device.engine.poll()
    assert (device.done, copy.done) == (["copy 1"], False)


def test_an_engine_of_a_cpu_copies_at_once() -> None:
    pair, engine = Pair(), ImmediateEngine()
    copy = engine.submit([Transfer(pair.source, slots(1, 2), pair.target, slots(3, 4))])
    for ask in (engine.poll, engine.wait, engine.join, engine.clear):
        ask()
    assert (copy.done, pair.arrived()) == (True, [-1, -1, 10, 20])
