"""``radixproof sensitivity``: a campaign writes its table, and can be resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radixproof.properties.cli.exit_codes import CLEAN, USAGE
from radixproof.properties.cli.main import main


def run(out: Path, *more: str) -> int:
    arguments = ["--kinds", "stored-event-missing", "--histories", "5", "--limit", "1", "-j", "1"]
    return main(["sensitivity", *arguments, "--out", str(out), *more])


def test_a_part_of_the_table_is_written_and_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == CLEAN
    assert "are reported (100 %)" in capsys.readouterr().out
    page = (tmp_path / "sensitivity.md").read_text()
    assert "| `stored-event-missing` | 32 |" in page
    assert json.loads((tmp_path / "sensitivity.json").read_text())["format"] == 1
    lines = (tmp_path / "sabotages.jsonl").read_text()
    assert run(tmp_path) == USAGE
    assert "--resume" in capsys.readouterr().err
    assert run(tmp_path, "--resume") == CLEAN
    assert (tmp_path / "sabotages.jsonl").read_text() == lines


def test_a_kind_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sensitivity", "--kinds", "no-such"]) == USAGE
    assert "no kind of sabotage is called 'no-such'" in capsys.readouterr().err
