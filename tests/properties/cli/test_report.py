"""A history as a page, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.impl.operations import Evict, History, Insert
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.histories.history_json import to_json

FAULT = "fault:split-parent-not-backed-up"
LOST = History(
    Config(window=1, swa_pages=8, swa_host_pages=16), (Insert(Key((1, 2)), evicted=1), Evict(1))
)


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    file = tmp_path / "lost.json"
    file.write_text(to_json(LOST))
    return file


def test_the_page_is_written_beside_the_history(
    lost: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(lost), "--system", FAULT]) == FOUND
    page = lost.with_suffix(".html")
    said = f"{FAULT}: PROGRESS/never-backed-up. Written to {page}\n"
    assert capsys.readouterr().out == said
    assert f"radixproof replay lost.json --system {FAULT}" in page.read_text()


def test_a_page_is_also_made_where_nothing_is_wrong_and_is_opened_if_asked_for(
    lost: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    out = tmp_path / "a page.html"
    assert main(["report", str(lost), "--out", str(out), "--open"]) == CLEAN
    assert capsys.readouterr().out == f"radix: nothing is wrong. Written to {out}\n"
    assert opened == [out.as_uri()]


def test_what_cannot_be_read_written_or_run_is_said(
    lost: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path / "none.json")]) == USAGE
    nowhere = tmp_path / "no" / "page.html"
    assert main(["report", str(lost), "--out", str(nowhere)]) == CANNOT_RUN
    assert f"cannot write {nowhere}" in capsys.readouterr().err
