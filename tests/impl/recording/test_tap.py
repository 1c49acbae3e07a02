"""The end of a recording in the server's process: it costs nothing, and nothing ends the server."""

from __future__ import annotations

import json
import os
import signal
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.recording import tap as tapping
from radixproof.impl.recording.notes import FORGET
from radixproof.impl.recording.tap import Tap, place_of, recording_folder

HEAD = {"radixproof": "trace", "config": {"page_size": 1, "bigram": False}}


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[Tap]:
    tap = Tap(tmp_path, HEAD, lambda: (1,))
    yield tap
    tap.close()


def evicted(tap: Tap, full: int) -> None:
    tap.note(("evict", None, (full, 0, 0), ((full, 0, 0),), tap.free(), None))


def lines(folder: Path) -> list[Any]:
    text = (folder / "trace-000001.jsonl").read_text()
    return [json.loads(line) for line in text.split("\n")[:-1]]


def waited_for(folder: Path, count: int) -> list[Any]:
    for _ in range(100):
        if (folder / "trace-000001.jsonl").exists() and len(lines(folder)) >= count:
            break
        time.sleep(0.1)
    return lines(folder)


def test_notes_are_written_while_the_server_goes_on(tap: Tap, tmp_path: Path) -> None:
    evicted(tap, 3)
    assert waited_for(tmp_path, 2)[1]["full"] == 3
    evicted(tap, 4)
    assert waited_for(tmp_path, 3)[2]["full"] == 4
    assert not tap.ended


def test_closing_writes_all(tap: Tap, tmp_path: Path) -> None:
    for number in range(5_000):
        evicted(tap, number)
    tap.close()
    assert [line["full"] for line in lines(tmp_path)[1:]] == [*range(5_000)]
    evicted(tap, 1)
    assert len(lines(tmp_path)) == 5_001, "nothing is noted any more"


def test_the_death_of_the_scribe_ends_the_recording_alone(tap: Tap, tmp_path: Path) -> None:
    waited_for(tmp_path, 1)
    os.kill(tap._scribe.pid, signal.SIGKILL)
    tap._scribe.wait()
    for _ in range(100):
        evicted(tap, 1)
        if tap.ended:
            break
        time.sleep(0.05)
    assert tap.ended == "the scribe has ended"


def test_notes_that_nobody_can_write_in_time_end_it(
    tap: Tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapping, "MOST_WAITING", 10)
    os.kill(tap._scribe.pid, signal.SIGSTOP)
    for _ in range(100):
        for _ in range(1_000):
            evicted(tap, 1)
        if tap.ended:
            break
        time.sleep(0.05)
    os.kill(tap._scribe.pid, signal.SIGCONT)
    assert tap.ended == "the notes come faster than they can be written"


def test_a_note_that_is_not_plain_ends_it(tap: Tap, tmp_path: Path) -> None:
    evicted(tap, 3)
    waited_for(tmp_path, 2)
    tap.note(("evict", None, (object(), 0, 0), ((0, 0, 0),), None, None))
    for _ in range(100):
        if tap.ended:
            break
        time.sleep(0.1)
    assert tap.ended.startswith("ValueError")
    assert len(lines(tmp_path)) == 2


def test_a_thread_that_cannot_go_on_ends_it(tap: Tap, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> bool:
        raise MemoryError

    monkeypatch.setattr(tap, "_hand_on", full)
    evicted(tap, 3)
    tap._thread.join(10)
    assert tap.ended.startswith("MemoryError")


def test_a_fork_does_not_write_into_it(tap: Tap, tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        evicted(tap, 1)
        os._exit(0 if tap.ended else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    evicted(tap, 2)
    tap.close()
    assert [line["full"] for line in lines(tmp_path)[1:]] == [2]


def test_a_fork_after_its_end_closes_nothing_of_others(tap: Tap) -> None:
    tap.close()
    pipe = os.pipe()
    child = os.fork()
    if not child:
        os._exit(0 if all(os.fstat(one) for one in pipe) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for one in pipe:
        os.close(one)


def test_only_new_tokens_of_a_request_are_noted(tap: Tap, monkeypatch: pytest.MonkeyPatch) -> None:
    def new(tokens: list[int]) -> array[int]:
        return array("q", tokens)

    assert tap.prompt([1, 2, 9], 2, "x", "a") == ("x", "a", 0, new([1, 2]), 2)
    assert tap.prompt([1, 2, 3], 3, "x", "a") == ("x", "a", 2, new([3]), 3)
    assert tap.prompt([1], 1, "x", "a") == ("x", "a", 1, new([]), 1)
    assert tap.prompt(array("i", [1, 2]), 2, "", None) == ("", None, 0, new([1, 2]), 2)
    assert tap.prompt([4, 5, 6, 7], 4, "x", "a") == ("x", "a", 0, new([4, 5, 6, 7]), 4), "another"
    tap.forget("a")
    assert tap.prompt([7, 8], 2, "x", "a") == ("x", "a", 0, new([7, 8]), 2)
    forgotten: list[Any] = []
    monkeypatch.setattr(tap, "note", forgotten.append)
    monkeypatch.setattr(tapping, "MOST_REQUESTS", 1)
    tap.prompt([1], 1, "", "b")
    assert forgotten == [(FORGET, "a")]
    assert tap.prompt([7, 8], 2, "x", "a")[2] == 0, "all of it again"


def test_each_recording_has_a_folder_of_its_own(tmp_path: Path) -> None:
    names = [recording_folder(tmp_path / "new").name for _ in range(2)]
    assert names == [f"{os.getpid()}-1", f"{os.getpid()}-2"]


def test_of_an_error_only_the_place_is_told() -> None:
    try:
        raise ValueError("tokens 1 2 3")
    except ValueError as error:
        place = place_of(error)
    assert place.startswith("test_tap.py:")
    assert place.endswith(" test_of_an_error_only_the_place_is_told")
    assert place_of(ValueError()) == ""


def test_what_is_free_is_counted_once_until_the_queue_is_emptied(tap: Tap) -> None:
    assert tap.free() == (1,)
    counts = [tap.free() for _ in range(50)]
    assert None in counts
    for _ in range(100):
        if tap.free() == (1,):
            return
        time.sleep(0.05)
    raise AssertionError("it is never counted again")
