"""Files that commands write, and pages that they open."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.impl.system import Unavailable
from radixproof.properties.cli import output_file


def test_a_file_is_written_or_it_is_said_why_not(tmp_path: Path) -> None:
    output_file.write(tmp_path / "a", "text")
    assert (tmp_path / "a").read_text() == "text"
    with pytest.raises(Unavailable, match=r"cannot write .*/no/a: No such file or directory"):
        output_file.write(tmp_path / "no" / "a", "text")


def test_a_page_is_opened_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.chdir(tmp_path)
    output_file.show(Path("a page.html"))
    assert opened == [(tmp_path / "a page.html").as_uri()]
