"""Work that knows nothing of time is left when its time is up, and not otherwise."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import pytest

from radixproof.properties.workers.alarm import TimeIsUp, do_within


def test_endless_work_is_left() -> None:
    rounds = 0

    def endless() -> None:
        nonlocal rounds
        while True:
            rounds += 1

    started = time.monotonic()
    assert not do_within(0.05, endless)
    assert rounds > 0
    assert time.monotonic() - started < 5


def test_who_catches_everything_is_asked_again() -> None:
    caught: list[BaseException] = []

    def stubborn() -> None:
        while True:
            try:
                time.sleep(60)
            except BaseException as error:
                caught.append(error)
                if len(caught) == 2:
                    raise

    do_within(0.01, stubborn)
    assert [type(error) for error in caught] == [TimeIsUp, TimeIsUp]


def test_who_takes_it_for_an_error_of_its_own_has_not_been_left_alone() -> None:
    def mistaken() -> None:
        with suppress(BaseException):
            time.sleep(60)

    assert not do_within(0.01, mistaken)


def test_there_may_be_no_time_at_all() -> None:
    done = list[int]()

    def work() -> None:
        time.sleep(5)
        done.append(1)

    do_within(0.0, work)
    assert done == []


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_work_that_ends_before_is_done_and_nothing_is_left_behind(seconds: float | None) -> None:
    before, done = signal.getsignal(signal.SIGALRM), list[int]()
    assert do_within(seconds, lambda: done.append(1))
    assert done == [1]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_errors_are_not_hidden() -> None:
    def wrong() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        do_within(60.0, wrong)
