"""Which page shows what a check has found."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.impl.system import Unavailable
from radixproof.properties.cli.list_of_findings import write
from radixproof.properties.reporting.finding_folder import FindingFolder
from radixproof.properties.results.result import SystemResult

from ..results.made_up import finding, result


def found(out: Path, *signatures: str) -> SystemResult:
    folders = [FindingFolder(str(out / "sys" / one.replace("/", "-")), {}) for one in signatures]
    return result(
        [finding(one, folder=folder) for one, folder in zip(signatures, folders, strict=True)]
    )


def test_of_one_finding_it_is_its_own_page(tmp_path: Path) -> None:
    assert write([found(tmp_path)], tmp_path) is None
    one = found(tmp_path, "PIN/full")
    assert write([one], tmp_path) == Path(one.findings[0].folder.path, "report.html")


def test_of_several_it_is_a_list_with_links(tmp_path: Path) -> None:
    page = write([found(tmp_path, "PIN/full", "OWN/lost")], tmp_path)
    assert page == tmp_path / "index.html"
    text = page.read_text()
    assert text.index("PIN/full") < text.index("OWN/lost")
    assert text.count("report.html") == 2


def test_that_it_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot write"):
        write([found(tmp_path / "no", "PIN/full", "OWN/lost")], tmp_path / "no")
