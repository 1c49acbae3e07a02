"""Notes become lines, whatever ends them."""

from __future__ import annotations

import io
import json
import marshal
import os
import resource
import subprocess
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.recording.notes import FLUSH, FORGET, HEAD, Note
from radixproof.impl.recording.scribe import MEGABYTES, write_all
from radixproof.impl.recording.segments import NAMES, Segments

HEADED: Note = (HEAD, {"radixproof": "trace", "config": {"page_size": 2, "bigram": False}})


def prompt(
    tokens: Sequence[int], request: str | None = None, start: int = 0, namespace: str = ""
) -> Note:
    new = array("q", tokens[start:]).tobytes()
    return namespace, request, start, new, len(tokens)


def match(key: Note, request: str | None = None) -> Note:
    return "match", request, (key,), (0, 0, 1, 1), None, None


def written(folder: Path, notes: bytes, size: int = 10**6) -> list[list[dict[str, Any]]]:
    """The lines of each segment."""
    write_all(io.BytesIO(notes), Segments(folder, size))
    return [
        [json.loads(line) for line in file.read_text().splitlines()]
        for file in sorted(folder.glob(NAMES))
    ]


def noted(*notes: Note) -> bytes:
    return b"".join(map(marshal.dumps, (HEADED, *notes)))


def test_a_key_is_written_once_and_then_referred_to(tmp_path: Path) -> None:
    (lines,) = written(tmp_path, noted(match(prompt([1, 2, 3])), match(prompt([1, 2, 3]))))
    assert lines[0] == HEADED[1]
    assert [line.get("call") for line in lines[1:]] == [None, "match", "match"]
    assert len(lines[1]["pages"]) == 16, "one whole page"
    assert lines[1]["length"] == 3
    assert lines[2] == lines[3] == {
        "call": "match", "key": 1, "device": 0, "best": 0, "node": 1, "best_node": 1,
    }  # fmt: skip


def test_of_a_request_only_new_tokens_are_needed(tmp_path: Path) -> None:
    longer = [1, 2, 3, 4, 5]
    notes = noted(
        match(prompt([1, 2, 3], "a"), "a"),
        match(prompt(longer, "a", start=3), "a"),
        match(prompt(longer[:2], "a", start=2), "a"),
        (FORGET, "a"),
        match(prompt([7, 8], "a"), "a"),
        match(prompt(longer)),
    )
    (lines,) = written(tmp_path, notes)
    keys = {line["key"]: line for line in lines if "length" in line}
    assert keys[2]["of"] == 1
    assert keys[2]["shared"] == 1
    assert keys[3]["pages"] == "", "its one page is that of the second"
    assert keys[4].keys().isdisjoint({"of", "shared"}), "another request of the same name"
    calls = [line for line in lines if "call" in line]
    assert [call["key"] for call in calls] == [1, 2, 3, 4, 2]
    assert [call.get("request") for call in calls] == ["r1", "r1", "r1", "r2", None]


def test_namespaces_have_pseudonyms(tmp_path: Path) -> None:
    keys = [prompt([1, 2], namespace=name) for name in ("", "lora of a customer", "")]
    (lines,) = written(tmp_path, noted(*map(match, keys)))
    assert [line.get("namespace") for line in lines if "length" in line] == [None, "n1"]
    assert "customer" not in json.dumps(lines)


def test_what_raised_is_told_by_type_and_place(tmp_path: Path) -> None:
    note = "match", None, (prompt([1, 2]),), None, None, ("KeyError", "cache.py:7 find")
    (lines,) = written(tmp_path, noted(note))
    assert lines[-1] == {
        "call": "match", "key": 1, "raised": "KeyError", "where": "cache.py:7 find",
    }  # fmt: skip


def test_each_segment_can_be_read_alone(tmp_path: Path) -> None:
    segments = written(
        tmp_path, noted(*(match(prompt([1, 2], "a"), "a") for _ in range(9))), size=300
    )
    assert len(segments) > 2
    for lines in segments:
        assert lines[0] == HEADED[1]
        calls = [line for line in lines if "call" in line]
        assert not calls or "length" in lines[1], "the key is written again"


@pytest.mark.parametrize("torn", [1, 10, 30])
def test_notes_may_end_in_the_middle(tmp_path: Path, torn: int) -> None:
    notes = noted(match(prompt([1, 2])), (FLUSH,), match(prompt([3, 4])))
    (lines,) = written(tmp_path, notes[:-torn])
    assert [line.get("call") for line in lines[1:]] == [None, "match"]


def test_a_full_disk_ends_the_scribe_and_leaves_what_was_written(tmp_path: Path) -> None:
    notes = noted(*(match(prompt([number, number])) for number in range(5_000)))

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    ran = subprocess.run(
        [sys.executable, "-m", "radixproof.impl.recording.scribe", str(tmp_path)],
        input=notes,
        capture_output=True,
        preexec_fn=small_disk,
        check=False,
    )
    assert ran.returncode == 1
    assert b"records nothing more" in ran.stderr
    *whole, torn = (tmp_path / "trace-000001.jsonl").read_text().split("\n")
    assert len(whole) > 50
    assert all(json.loads(line) for line in whole)
    assert len(torn) < 200


def test_a_size_that_is_no_number_of_bytes_is_said(tmp_path: Path) -> None:
    for size in ("inf", "much"):
        ran = subprocess.run(
            [sys.executable, "-m", "radixproof.impl.recording.scribe", str(tmp_path)],
            env={**os.environ, MEGABYTES: size},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 1
        assert ran.stderr.startswith("radixproof records nothing more: ")
        assert ran.stderr.count("\n") == 1
