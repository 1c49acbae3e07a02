"""The files of a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radixproof.impl.recording.segments import NAMES, Segments


def test_a_full_file_is_followed_by_another_and_the_oldest_go(tmp_path: Path) -> None:
    segments = Segments(tmp_path, segment_bytes=20, most=2)
    for number in range(5):
        segments.write({"line": number})
        assert not segments.full
        segments.write({"and": number})
        assert segments.full
        segments.next()
    segments.close()
    files = sorted(tmp_path.glob(NAMES))
    assert [file.name for file in files] == ["trace-000005.jsonl", "trace-000006.jsonl"]
    assert [json.loads(line) for line in files[0].read_text().splitlines()] == [
        {"line": 4},
        {"and": 4},
    ]


def test_what_is_flushed_can_be_read(tmp_path: Path) -> None:
    segments = Segments(tmp_path, 1_000)
    segments.write({"line": 1})
    segments.flush()
    assert (tmp_path / "trace-000001.jsonl").read_text() == '{"line":1}\n'


def test_a_trace_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    Segments(tmp_path, 1_000).close()
    with pytest.raises(FileExistsError):
        Segments(tmp_path, 1_000)
