"""Campaigns on the command line: what they find, and that they can be killed and gone on with."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from radixproof.properties.campaigns.store import Store
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main

FAULT = "fault:split-parent-not-backed-up"


def campaign(out: Path, *more: str, steps: int = 300) -> int:
    arguments = ["--seeds", "2", "--steps", str(steps), "-j", "2", "--out", str(out)]
    return main(["campaign", FAULT, *arguments, *more])


def kept(out: Path) -> list[object]:
    """All that a store has, but for the seconds, and the folder in which findings lie."""
    base = sqlite3.connect(out / "campaign.sqlite")
    rows: list[object] = []
    for query in (
        "SELECT seed, system, steps, histories, failure FROM shard ORDER BY 1, 2",
        "SELECT seed, signature, at_step, operations, summary, history FROM finding ORDER BY 1, 2",
        "SELECT * FROM milestone ORDER BY 1, 2, 3",
    ):
        rows += base.execute(query).fetchall()
    base.close()
    return rows


@pytest.mark.slow
def test_it_finds_once_what_is_there_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert campaign(whole) == FOUND
    assert "PROGRESS/never-backed-up: 1 operation" in capsys.readouterr().out
    assert "PROGRESS/never-backed-up" in (whole / "campaign.html").read_text()
    assert list((whole / "findings").glob("*/progress-never-backed-up-*/report.html"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("radixproof.properties.campaigns.store.Store.finish", killed)
        assert campaign(parts) == FOUND

    def found_and_killed(store: Store, *what: Any) -> None:
        found(store, *what)
        raise KeyboardInterrupt

    found = Store.found
    with monkeypatch.context() as patched:
        patched.setattr(Store, "found", found_and_killed)
        assert campaign(tmp_path / "found") == FOUND, "whatever else has happened"
    assert campaign(parts) == USAGE
    assert "go on with --resume" in capsys.readouterr().err
    assert campaign(parts, "--resume") == FOUND
    assert kept(parts) == kept(whole)


@pytest.mark.slow
def test_what_was_not_searched_to_its_end_is_not_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--seeds", "1", "--steps", "300", "-j", "1", "--out", str(out)]
    assert main(["campaign", "radix", *arguments, "--seconds", "0.01"]) == CANNOT_RUN
    assert "Still to be run: 1 shard. " in capsys.readouterr().out
    assert main(["campaign", "radix", *arguments, "--resume"]) == CLEAN
    assert main(["campaign", "radix", *arguments, "--resume", "--steps", "7"]) == USAGE
    assert "is of another campaign" in capsys.readouterr().err
