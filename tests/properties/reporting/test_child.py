"""Functions in processes of their own."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial

import pytest

from radixproof.properties.guarding.child import Died as Ended
from radixproof.properties.guarding.child import Returned
from radixproof.properties.guarding.child import in_child as guarded
from radixproof.properties.reporting import child
from radixproof.properties.reporting.child import Died, in_child


@pytest.fixture(params=[True, False], ids=["forked", "begun"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to get a process."""
    monkeypatch.setattr(child, "can_fork", lambda: request.param)


def test_what_it_returns_comes_back_from_another_process() -> None:
    assert in_child(os.getpid) != os.getpid()
    assert in_child(partial(divmod, 7, 2)) == (3, 1)


def test_what_it_prints_is_not_part_of_the_result() -> None:
    assert in_child(partial(print, "aloud", flush=True)) is None


def test_an_exception_has_no_result() -> None:
    assert in_child(partial(int, "x")) == Died(
        "raises ValueError: invalid literal for int() with base 10: 'x'"
    )


def test_the_death_of_the_process_is_no_harm() -> None:
    assert in_child(partial(os._exit, 3)) == Died("ends its process with exit code 3")


def test_a_function_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LIMIT", 1)
    assert in_child(partial(time.sleep, 60)) == Died("does not end within 1 seconds")


def helped() -> str:
    """It leaves a process running that has all of its files open."""
    if os.fork() == 0:
        os.closerange(0, 3)
        time.sleep(15)
        os._exit(0)
    return "done" * 100_000


def test_what_it_has_begun_itself_is_not_waited_for() -> None:
    began = time.monotonic()
    assert in_child(helped) == "done" * 100_000
    assert time.monotonic() - began < 12


def twice() -> str:
    os.fork()
    return "done" * 100_000


def test_one_that_goes_on_in_two_processes_has_one_result() -> None:
    assert in_child(twice) == "done" * 100_000


def deaf() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    helped()
    time.sleep(30)


def test_one_that_hears_no_signals_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LIMIT", 1)
    assert in_child(deaf) == Died("does not end within 1 seconds")


def without_streams() -> str | Died:
    """In a process whose standard files the system has closed, as objects and below."""
    sys.stdout.close()
    sys.stderr.close()
    os.closerange(0, 3)
    return in_child(partial("{}".format, "done"))


def test_it_can_be_begun_where_nothing_can_be_printed() -> None:
    ending = guarded(lambda _: without_streams())
    assert isinstance(ending, Returned)
    assert ending.value == "done"


def outlives() -> None:
    in_child(os.abort)
    os._exit(3)


def test_its_death_is_not_taken_for_that_of_the_process_that_began_it() -> None:
    ending = guarded(lambda _: outlives())
    assert isinstance(ending, Ended)
    assert ending.where == "outlives"
