"""Explorations on disk."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from radixproof.properties.exploring.expanding import Expanded
from radixproof.properties.exploring.record import line, read
from radixproof.properties.workers.record import RecordError

ONE = Expanded(
    b"\1\2",
    b"\xff" * 16,
    [3, 4],
    [(3, b"\0" * 16)],
    Counter({"A/b": 2}),
    milestones=Counter({"DUPLICATE": 1}),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    file.write_text(line(ONE) + line(Expanded(b"", b"")) + '{"path": [1')
    assert read(file) == [ONE, Expanded(b"", b"")]


@pytest.mark.parametrize("text", ["[]\n", line(ONE).replace("//", "()")])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "record.jsonl"
    file.write_text(text)
    with pytest.raises(RecordError, match=r"record\.jsonl:1: not a state of an exploration"):
        read(file)
