"""Files that are no histories: whatever a path can lead to is named, and none is waited for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from radixproof.impl.operations import History, Insert
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.histories import reading
from radixproof.properties.histories.history_json import HistoryError, to_json
from radixproof.properties.histories.reading import history_in

ONE = History(Config(), (Insert(Key((1, 2), "é")),), {"seed": "é"})


def refusal(file: Path) -> str:
    with pytest.raises(HistoryError) as refused:
        history_in(file)
    return str(refused.value)


def test_a_file_is_read_with_or_without_what_editors_add(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    for content in (
        to_json(ONE).encode(),
        to_json(ONE).encode("utf-8-sig"),
        to_json(ONE).replace("\n", "\r\n").encode(),
    ):
        file.write_bytes(content)
        assert history_in(file) == ONE


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot read {tmp_path}: it is a folder, not a file"
    assert refusal(Path(os.devnull)) == f"cannot read {os.devnull}: it is a device, not a file"
    assert refusal(tmp_path / "nothing") == (
        f"cannot read {tmp_path / 'nothing'}: No such file or directory"
    )
    assert "embedded null byte" in refusal(Path("a\0b"))


def test_nobody_waits_for_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").endswith("it is a pipe, not a file")


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        assert refusal(Path("s")).startswith("cannot read s: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret.json").touch(0o000)
    assert "Permission denied" in refusal(tmp_path / "secret.json")


def test_what_is_no_text_says_where_it_stops_to_be(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(to_json(ONE).encode("utf-16"))
    assert "not a text file (byte 0 is not UTF-8)" in refusal(tmp_path / "one.json")


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(10**12)
    assert refusal(tmp_path / "large.json").endswith(
        "it has 1,000,000,000,000 bytes, and 67,108,864 are the most that are read"
    )
    monkeypatch.setattr(reading, "MOST_BYTES", len(to_json(ONE).encode()))
    (tmp_path / "one.json").write_text(to_json(ONE), encoding="utf-8")
    assert history_in(tmp_path / "one.json") == ONE
