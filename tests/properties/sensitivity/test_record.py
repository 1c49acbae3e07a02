"""The record of a campaign of sabotage: read as it was written, whatever interrupted it."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.properties.sensitivity.cells import MISSED, REPORTED, Result
from radixproof.properties.sensitivity.record import line, read
from radixproof.properties.sensitivity.scouting import scout
from radixproof.properties.workers.record import RecordError

FIRST, SECOND = scout(1, 0)[:2]
DONE = [Result(FIRST, REPORTED, "LOCK/full-too-few", 3), Result(SECOND, MISSED)]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "sabotages.jsonl"
    assert read(file) == []
    file.write_text("".join(map(line, DONE)))
    assert read(file) == DONE


def test_a_line_that_was_cut_short_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "sabotages.jsonl"
    file.write_text(line(DONE[0]) + line(DONE[1])[:-9])
    assert read(file) == DONE[:1]
    assert file.read_text() == line(DONE[0])


def test_a_line_that_is_no_sabotage_is_named(tmp_path: Path) -> None:
    file = tmp_path / "sabotages.jsonl"
    file.write_text(line(DONE[0]) + '{"verdict": "reported"}\n')
    with pytest.raises(RecordError, match=r"sabotages\.jsonl:2: not a sabotage"):
        read(file)
