"""A child is watched: how it ended is told, whatever it did, and it is gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radixproof.impl.operations import Evict, History, Insert, Match
from radixproof.impl.system import Target, Unavailable
from radixproof.model.key import Key
from radixproof.properties.generating.configs import plainest
from radixproof.properties.guarding.child import (
    Child,
    Died,
    FailedItself,
    Returned,
    Tell,
    in_child,
)
from radixproof.properties.running import journal
from radixproof.properties.running.journal import Doing
from radixproof.properties.running.run import run_history

from . import fatal

AB = Insert(Key((1, 2)))


def on(target: Callable[[], Target], *operations: Insert | Match | Evict) -> Callable[[Tell], str]:
    def work(_: Tell) -> str:
        made = target()
        return str(run_history(made, History(plainest(made.scope), operations)))

    return work


def test_it_returns_and_tells() -> None:
    told: list[int] = []

    def work(tell: Tell) -> int:
        for number in range(500):
            tell(number)
        return os.getpid()

    ending = in_child(work, told.append)
    assert isinstance(ending, Returned)
    assert ending.value != os.getpid()
    assert told == list(range(500))


def test_what_it_raises_is_raised_here(capfd: pytest.CaptureFixture[str]) -> None:
    def unavailable(_: Tell) -> None:
        raise Unavailable("it is not here")

    def fails(_: Tell) -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(Unavailable, match="it is not here"):
        in_child(unavailable)
    assert capfd.readouterr().err == ""
    with pytest.raises(FailedItself, match="ZeroDivisionError"):
        in_child(fails)
    assert "by zero" in capfd.readouterr().err


@pytest.mark.parametrize("of", [fatal.hangs, fatal.waits], ids=lambda of: of.__name__)
def test_one_that_hangs_is_ended(of: Callable[[], Target]) -> None:
    began = time.monotonic()
    ending = in_child(on(of, AB, Match(Key((1,))), Match(Key((1,)))), step_seconds=0.5)
    assert isinstance(ending, Died)
    assert (ending.error, ending.doing) == ("hang", Doing.STEP)
    assert ending.where.endswith(".match")
    assert ending.how == "did not come back within 0.5 seconds"
    assert ending.history is not None
    assert ending.history.operations == (AB, Match(Key((1,))), Match(Key((1,))))
    assert 0.4 < time.monotonic() - began < 20


def test_only_the_systems_own_time_is_counted() -> None:
    def work(_: Tell) -> str:
        time.sleep(0.6)
        return "done"

    ending = in_child(work, step_seconds=0.2)
    assert isinstance(ending, Returned)


def test_a_harness_that_hangs_is_not_the_systems_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radixproof.properties.guarding.last_words._OURS", (str(fatal.ROOT),))

    def stays(_: Tell) -> None:
        journal.current().looking()
        while True:
            pass

    with pytest.raises(FailedItself, match="no end within"):
        in_child(stays, step_seconds=0.3)


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """Even one that hangs, and even if the parent is killed."""
    if sys.platform != "linux":
        pytest.skip("only Linux ends the children of a process that is killed")
    program = (
        "import os, sys, time\n"
        "from radixproof.properties.guarding.child import in_child\n"
        "def work(tell):\n"
        "    tell(os.getpid())\n"
        "    while True: pass\n"
        "def told(pid):\n"
        "    print(pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "in_child(work, told)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == -9
    pid = int(ran.stdout)
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_one_in_a_child_of_ones_own() -> None:
    def outer(_: Tell) -> object:
        return in_child(on(fatal.aborts, AB, Insert(Key((3,))), Evict(2)))

    ending = in_child(outer)
    assert isinstance(ending, Returned)
    assert isinstance(ending.value, Died)
    assert ending.value.error == "SIGABRT"
    assert ending.value.where == "Aborts.end"


def test_one_that_has_closed_its_streams_says_what_it_can() -> None:
    def closes(_: Tell) -> object:
        sys.stdout.close()
        sys.stderr.close()
        return in_child(lambda _: "done")

    def fails(_: Tell) -> None:
        sys.stderr.close()
        raise ZeroDivisionError

    ending = in_child(closes)
    assert isinstance(ending, Returned)
    assert isinstance(ending.value, Returned)
    assert ending.value.value == "done"
    with pytest.raises(FailedItself, match="ZeroDivisionError"):
        in_child(fails)


def test_one_that_forks_and_goes_on_in_both_processes_is_followed_in_one(tmp_path: Path) -> None:
    behind = tmp_path / "pids"

    def work(tell: Tell) -> int:
        on(fatal.forks, AB, Match(Key((1,))), Match(Key((1,))))(tell)
        with behind.open("a") as file:
            file.write(f"{os.getpid()} ")
        time.sleep(0.3)  # until the other would have come as far
        return os.getpid()

    ending = in_child(work)
    assert isinstance(ending, Returned)
    assert behind.read_text() == f"{ending.value} "


def test_only_one_of_two_processes_takes_the_next_job() -> None:
    def forks(job: int, _: Tell) -> int:
        os.fork()
        return job

    child = Child(forks)
    try:
        endings = [child.do(job, print, 5.0) for job in range(20)]
    finally:
        child.end()
    assert [ending.value for ending in endings if isinstance(ending, Returned)] == [*range(20)]
