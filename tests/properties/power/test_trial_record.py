"""The record of a campaign: read as it was written, whatever interrupted it."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.properties.power.trial_record import line, read
from radixproof.properties.workers.record import RecordError

from .campaigns import CAMPAIGN


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    assert read(file) == []
    file.write_text("".join(map(line, CAMPAIGN)))
    assert read(file) == CAMPAIGN


def test_a_line_that_was_cut_short_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    file.write_text(line(CAMPAIGN[0]) + line(CAMPAIGN[1])[:-9])
    assert read(file) == CAMPAIGN[:1]
    with file.open("a") as stream:
        stream.write(line(CAMPAIGN[2]))
    assert read(file) == [CAMPAIGN[0], CAMPAIGN[2]]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"fault": "x", "driver": "soak", "seed": 1, "budget": 1, "more": 1}']
)
def test_a_line_that_is_no_trial_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    file.write_text(line(CAMPAIGN[0]) + text + "\n")
    with pytest.raises(RecordError, match=r"trials\.jsonl:2: not a trial"):
        read(file)
