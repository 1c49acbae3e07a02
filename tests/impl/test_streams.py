"""Streams and events that run when they are told."""

from __future__ import annotations

from functools import partial

from radixproof.impl.streams import (
    COMPUTE,
    FORWARD,
    HOST,
    LOAD,
    Access,
    Awaited,
    Event,
    Recorded,
    Stream,
    Timeline,
)
from radixproof.model.config import Pool


def test_work_waits_in_its_stream() -> None:
    done: list[int] = []
    stream = Stream()
    for number in range(3):
        stream.submit(partial(done.append, number))
    assert done == []
    assert stream.advance()
    assert done == [0]
    stream.run()
    assert done == [0, 1, 2]
    assert not stream.advance()
    Stream(immediate=True).submit(lambda: done.append(3))
    assert done == [0, 1, 2, 3]


def test_an_event_is_reached_with_what_is_before_it() -> None:
    done: list[int] = []
    stream, event = Stream(), Event()
    assert event.query()
    event.synchronize()
    stream.submit(lambda: done.append(1))
    event.record(stream)
    stream.submit(lambda: done.append(2))
    assert not event.query()
    event.synchronize()
    assert (event.query(), done) == (True, [1])


def test_a_stream_that_waits_lets_the_other_run_first() -> None:
    done: list[str] = []
    forward, copies = Stream(), Stream()
    forward.submit(lambda: done.append("forward"))
    copies.wait_stream(forward)
    copies.submit(lambda: done.append("copy"))
    copies.run()
    assert done == ["forward", "copy"]


def test_everything_that_orders_is_written_down_and_the_harness_is_not() -> None:
    timeline = Timeline()
    compute, loads = Stream(COMPUTE, timeline), Stream(LOAD, timeline)
    compute.access(Pool.FULL, [1], writes=True, by=FORWARD)
    compute.access(Pool.FULL, [], writes=True, by=FORWARD)
    event = Event()
    event.record(compute)
    event.wait(loads)
    assert not event.query()
    event.reach()
    assert event.reached
    compute.run()
    assert timeline.drain() == [
        Access(COMPUTE, Pool.FULL, [1], True, FORWARD),
        Recorded(COMPUTE, 1),
        Awaited(LOAD, 1),
    ]
    assert event.query()
    compute.synchronize()
    compute.expect(loads)
    assert timeline.drain() == [
        Awaited(HOST, 1),
        Recorded(COMPUTE, 2),
        Awaited(HOST, 2),
        Recorded(LOAD, 3),
        Awaited(COMPUTE, 3),
    ]
