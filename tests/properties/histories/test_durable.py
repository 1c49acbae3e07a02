"""What is written is there as a whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from radixproof.properties.histories import durable
from radixproof.properties.histories.durable import HIDDEN, make_ready, write_file, write_folder

OLD: dict[str, str | None] = {"one": "1" * 9_000, "two": "1" * 9_000, "three": "1"}
NEW: dict[str, str | None] = {"one": "2" * 9_000, "two": "2" * 9_000, "three": None}


def files(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir() if file.is_file()}


def written(texts: dict[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}


def hidden(folder: Path) -> list[Path]:
    return list(folder.rglob(f"{HIDDEN}*"))


# -- what is there afterwards ----------------------------------------------------------------------


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for text in ("first ü\n", "second, with half a character: \ud800"):
        write_file(file, text)
        assert file.read_bytes() == text.encode("utf-8", "backslashreplace")
    assert list(tmp_path.iterdir()) == [file]


def test_the_mode_of_a_file_is_kept_and_that_of_a_new_one_is_as_usual(tmp_path: Path) -> None:
    (usual := tmp_path / "usual").touch()
    write_file(tmp_path / "new", "text")
    write_folder(tmp_path / "folder", {"file": "text"})
    (tmp_path / "usual folder").mkdir()
    for new, same in (
        ("new", usual),
        ("folder/file", usual),
        ("folder", tmp_path / "usual folder"),
    ):
        assert (tmp_path / new).stat().st_mode == same.stat().st_mode
    usual.chmod(0o750)
    write_file(usual, "text")
    assert usual.stat().st_mode & 0o777 == 0o750


def test_a_link_stays_one(tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to("file")
    write_file(link, "text")
    assert link.is_symlink()
    assert (tmp_path / "file").read_text() == "text"


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    heard: list[str] = []
    listener = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    listener.start()
    write_file(pipe, "text")
    listener.join()
    assert heard == ["text"]
    assert pipe.is_fifo()


def test_a_folder_is_replaced_as_a_whole_but_for_what_somebody_else_put_there(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "above" / "folder"
    write_folder(folder, OLD)
    assert files(folder) == written(OLD)
    (folder / "__pycache__").mkdir()
    (folder / "my notes").write_text("mine")
    write_folder(folder, NEW)
    assert files(folder) == {**written(NEW), "my notes": "mine"}
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_is_replaced_also_where_two_cannot_trade_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "_traded", lambda *_: False)
    write_folder(tmp_path / "folder", OLD)
    write_folder(tmp_path / "folder", NEW)
    assert files(tmp_path / "folder") == written(NEW)
    assert not hidden(tmp_path)


def test_folders_trade_places_here(tmp_path: Path) -> None:
    """On Linux and macOS, whose file systems can."""
    for name in ("one", "other"):
        (tmp_path / name / name).mkdir(parents=True)
    assert durable._traded(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "one" / "other").is_dir()
    assert (tmp_path / "other" / "one").is_dir()
    assert not durable._traded(tmp_path / "one", tmp_path / "missing")


def test_what_cannot_be_written_raises_and_changes_nothing(tmp_path: Path) -> None:
    (in_the_way := tmp_path / "in the way").write_text("a file")
    attempts: list[Callable[[], None]] = [
        lambda: write_folder(in_the_way, OLD),
        lambda: write_folder(in_the_way / "below", OLD),
        lambda: write_file(in_the_way / "below", "text"),
        lambda: write_file(tmp_path / "no folder" / "file", "text"),
        lambda: write_file(tmp_path, "text"),
        lambda: make_ready(in_the_way),
    ]
    for attempt in attempts:
        with pytest.raises(OSError, match=r"Not a directory|Is a directory|No such|File exists"):
            attempt()
    assert list(tmp_path.iterdir()) == [in_the_way]
    assert in_the_way.read_text() == "a file"


# -- when the disk is full -------------------------------------------------------------------------


@pytest.fixture
def full_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the disk be full at the n-th time from now on that something is flushed to it."""
    flush = os.fsync

    def arrange(number: int) -> None:
        calls = iter(range(number))

        def refuse_once(handle: int) -> None:
            if next(calls, None) == number - 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            flush(handle)

        monkeypatch.setattr(os, "fsync", refuse_once)

    return arrange


FLUSHES = 3
"""Of a folder with two files, before it takes its place."""


@pytest.mark.parametrize("number", range(1, FLUSHES + 1))
def test_a_full_disk_leaves_the_folder_as_it_was(
    number: int, tmp_path: Path, full_at: Callable[[int], None]
) -> None:
    write_folder(tmp_path / "folder", OLD)
    full_at(number)
    with pytest.raises(OSError, match="No space left"):
        write_folder(tmp_path / "folder", NEW)
    assert files(tmp_path / "folder") == written(OLD)
    full_at(number)
    with pytest.raises(OSError, match="No space left"):
        write_folder(tmp_path / "another", NEW)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, full_at: Callable[[int], None]
) -> None:
    write_file(tmp_path / "file", "old")
    full_at(1)
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "file", "new")
    assert files(tmp_path) == {"file": "old"}


# -- when processes are killed ---------------------------------------------------------------------


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = [tmp_path / f"{HIDDEN}1" / "new", tmp_path / "below" / f"{HIDDEN}2"]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "file").touch()
    (tmp_path / ".hidden").mkdir()
    with durable._workplace(tmp_path / "below") as in_use:
        make_ready(tmp_path)
        assert in_use.is_dir()
        assert hidden(tmp_path) == [in_use]
    assert {entry.name for entry in tmp_path.iterdir()} == {"below", ".hidden"}


def test_somebody_who_sweeps_at_the_wrong_moment_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the moment when a hidden folder is made and the one when it is locked."""
    make, made = tempfile.mkdtemp, list[str]()

    def make_and_sweep(**options: Any) -> str:
        made.append(make(**options))
        if len(made) == 1:
            durable._sweep(tmp_path)
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_sweep)
    write_folder(tmp_path / "folder", OLD)
    assert len(made) == 2
    assert files(tmp_path / "folder") == written(OLD)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_it_is_written_but_nothing_is_swept(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    (left := tmp_path / f"{HIDDEN}1").mkdir()
    monkeypatch.setattr(fcntl, "flock", refuse)
    write_folder(tmp_path / "folder", OLD)
    assert files(tmp_path / "folder") == written(OLD)
    assert hidden(tmp_path) == [left]


def test_a_lock_that_somebody_else_has_on_the_folder_is_none_of_ours(tmp_path: Path) -> None:
    """As in ``flock findings radixproof check``."""
    handle = durable._lock(tmp_path)
    write_folder(tmp_path / "folder", OLD)
    make_ready(tmp_path)
    os.close(handle)
    assert files(tmp_path / "folder") == written(OLD)


WRITER = """
import sys
from pathlib import Path
from radixproof.properties.histories.durable import write_file, write_folder
for number in range(10**9):
    text = f"{number} " * 5_000
    write_folder(Path(sys.argv[1], "kept"), {"one": text, "two": text})
    write_folder(Path(sys.argv[1], f"new {number % 5}"), {"one": text, "two": text})
    write_file(Path(sys.argv[1], "kept", "three"), text)
    print(number, flush=True)
"""


def killed(folder: Path, number: int) -> int:
    """Kill a process that writes all the time at some moment; the last number that it printed."""
    chosen = random.Random(number)
    printed = chosen.randrange(3)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        last = [int(next(running.stdout)) for _ in range(printed)]
        time.sleep(chosen.uniform(0, 0.02 if printed else 0.2))
        running.kill()
        last += map(int, running.stdout.read().split())
    return max(last, default=-1)


@pytest.mark.torture(all=1000, share=20)
def test_a_kill_leaves_no_file_in_part_and_loses_nothing_that_was_told(
    cases: range, tmp_path: Path
) -> None:
    told = 0
    for number in cases:
        folder = tmp_path / str(number)
        folder.mkdir()
        last = killed(folder, number)
        told += last >= 0
        for entry in folder.glob("[!.]*"):
            texts = files(entry)
            assert texts["one"] == texts["two"]
            assert all(text and len(set(text.split())) == 1 for text in texts.values())
        assert last < 0 or int(files(folder / "kept")["three"].split()[0]) >= last
        make_ready(folder)
        assert not hidden(folder)
    assert told > len(cases) / 3, "lest nothing was ever written"
