"""The entry that Python loads at its start."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from radixproof.properties.cli.exit_codes import CLEAN
from radixproof.properties.cli.main import main


def test_it_is_written_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    entry = tmp_path / "radixproof-recording.pth"
    assert main(["recording", "install"]) == CLEAN
    assert entry.exists()
    said = capsys.readouterr().out
    assert f"Written: {entry}\n" in said
    assert "RADIXPROOF_RECORD=FOLDER" in said
    assert main(["recording", "uninstall"]) == CLEAN
    assert not entry.exists()
