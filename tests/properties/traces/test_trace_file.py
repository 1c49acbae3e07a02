"""Traces as they are read."""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.recording.notes import CALLS
from radixproof.impl.recording.scribe import Scribe
from radixproof.impl.recording.segments import Segments
from radixproof.properties.traces.rebuilding import rebuild
from radixproof.properties.traces.trace_file import CallLine, Head, KeyLine, TraceError, lines

from .told import CONFIG, HEAD, LOST, call, key, write

NAME = "trace-000001.jsonl"


def test_a_file_is_read_line_by_line(tmp_path: Path) -> None:
    head, first, *others = lines(write(tmp_path / NAME, *LOST))
    assert isinstance(head, Head)
    assert isinstance(first, KeyLine)
    assert all(isinstance(line, CallLine) for line in others)
    assert len(others) == len(LOST) - 1


def test_segments_are_read_in_their_order(tmp_path: Path) -> None:
    for number in (2, 10, 1):
        write(tmp_path / f"trace-{number:06}.jsonl", call("evict", full=number))
    read = [line.full for line in lines(tmp_path) if isinstance(line, CallLine)]
    assert read == [1, 2, 10]


def test_the_only_trace_in_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "77-1").mkdir()
    write(tmp_path / "77-1" / NAME, *LOST)
    assert len([*lines(tmp_path)]) == 1 + len(LOST)


def test_of_several_traces_one_has_to_be_named(tmp_path: Path) -> None:
    for name in ("77-1", "78-1"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / NAME, *LOST)
    with pytest.raises(TraceError, match=r"holds 2 traces \(77-1, 78-1\): name one"):
        [*lines(tmp_path)]


def test_a_folder_without_a_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="holds no trace"):
        [*lines(tmp_path)]


@pytest.mark.parametrize("torn", [1, 5, 30])
def test_the_last_line_of_all_may_be_torn(tmp_path: Path, torn: int) -> None:
    file = write(tmp_path / NAME, *LOST)
    file.write_bytes(file.read_bytes()[:-torn])
    assert len([*lines(tmp_path)]) == len(LOST)


def test_no_other_line_may(tmp_path: Path) -> None:
    file = write(tmp_path / NAME, *LOST)
    file.write_bytes(file.read_bytes()[:-1])
    write(tmp_path / "trace-000002.jsonl")
    with pytest.raises(TraceError, match=rf"{NAME}, line {1 + len(LOST)}: it does not end"):
        [*lines(tmp_path)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nonsense", "malformed|invalid"),
        ("[1]", "Expected `object`"),
        ('{"call":' * 100_000, "recursion|Expected `str`"),
        ('{"call": "dance"}', "there is no call 'dance'"),
        ('{"call": "evict", "best": -1}', "best"),
        ('{"call": "evict", "best": 99999999999}', "best"),
        (f'{{"call": "insert", "priority": 1{"0" * 400}}}', "priority|out of range"),
        (r'{"call": "match", "raised": "A\u001b[2K\nClean: nothing new"}', "raised"),
        (r'{"call": "match", "where": "a\n"}', "where"),
        ('{"call": "evict", "more": 1}', "unknown field `more`"),
        ('{"key": 1, "length": 1}', "missing required field `pages`"),
        ('{"call": "\udcff"}', "UTF-8|utf-8|Invalid"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    file = write(tmp_path / NAME, *LOST)
    with open(file, "ab") as end:
        end.write(line.encode("utf-8", "surrogateescape") + b"\n")
    with pytest.raises(TraceError, match=complaint) as caught:
        [*lines(tmp_path)]
    assert f"{NAME}, line {2 + len(LOST)}: " in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [{"window": "a"}, {"ranks": 3000}, {"bigram": "x"}, {"write_back": "no"}, {"host_pages": -1}],
)
def test_a_configuration_that_no_recording_has_is_refused(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    head = {**HEAD, "config": {**CONFIG, **config}}
    with pytest.raises(TraceError, match=rf"{NAME}, line 1: .*{next(iter(config))}"):
        [*lines(write(tmp_path / NAME, head=head))]


def test_whatever_is_noted_is_read(tmp_path: Path) -> None:
    """A call of each kind, as the scribe writes it."""
    given: dict[str, Any] = {
        "key": ("", "a", 0, array("q", [1, 2]).tobytes(), 2),
        "receipt": "7",
        "component": "swa",
        "state": True,
        "blocking": False,
        "name": "touch_prefix",
        "freed": (1, 0, 0),
    }
    segments = Segments(tmp_path, 10**6)
    scribe = Scribe(segments, {**HEAD, "config": {**CONFIG, "bigram": False}})
    for kind, noted in CALLS.items():
        known, came = (
            tuple(given.get(name, 1) for name in names) for names in (noted.given, noted.returned)
        )
        scribe.take((kind, "a", known, came, (3,), None))
    segments.close()
    read = [line for line in lines(tmp_path) if isinstance(line, CallLine)]
    assert [line.call for line in read] == [*CALLS]
    assert {line.request for line in read} == {"r1"}
    assert read[-1].name == "touch_prefix"
    assert rebuild(lines(tmp_path)).calls == len(CALLS)


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_is_refused(tmp_path: Path, version: int) -> None:
    with pytest.raises(TraceError, match="line 1: Invalid enum value"):
        [*lines(write(tmp_path / NAME, head={**HEAD, "version": version}))]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"cannot read .*gone\.jsonl: No such file"):
        [*lines(tmp_path / "gone.jsonl")]
    (tmp_path / NAME).mkdir()
    with pytest.raises(TraceError, match="is not a file"):
        [*lines(tmp_path)]


def test_a_line_without_an_end_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radixproof.properties.traces.trace_file.LONGEST_LINE", 1_000)
    file = write(tmp_path / NAME)
    with open(file, "a") as end:
        end.write(json.dumps(key(1, *range(100))))
    with pytest.raises(TraceError, match="line 2: it does not end"):
        [*lines(tmp_path)]
