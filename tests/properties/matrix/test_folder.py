"""The folder of a table: written as a whole, and gone on with."""

from __future__ import annotations

from pathlib import Path

from radixproof.properties.matrix.folder import PAGE, TABLE, TEXT, Folder, opened, table_in
from radixproof.properties.matrix.table import Asked
from radixproof.properties.reporting.finding_folder import FindingFolder, write_finding
from radixproof.properties.results.result import SystemResult

from ..results.made_up import finding, result
from .made_up import ASKED, KNOWN, TODAY, not_here


def again(out: Path, asked: Asked = ASKED) -> Folder:
    return opened(out, asked, table_in(out), KNOWN, TODAY)


def found(out: Path, system: str) -> SystemResult:
    """A system with a finding that is written."""
    files: dict[str, str | None] = {"history.json": "{}"}
    folder = FindingFolder(str(out / "findings" / system), files, "")
    write_finding(folder)
    return result([finding(folder=folder)], system=system)


def test_what_was_finished_is_kept_and_the_rest_is_not(tmp_path: Path) -> None:
    folder = again(tmp_path)
    results = [found(tmp_path, "one"), not_here("none"), result(system="two")]
    folder.write(folder.rows([one.system for one in results], results))
    assert {TABLE, TEXT, PAGE} <= {file.name for file in tmp_path.iterdir()}

    later = again(tmp_path)
    assert set(later.finished) == {"one", "two"}
    rows = later.rows(["two", "none"], [not_here("none")])
    assert [row.system for row in rows] == ["two", "none", "one"], "those asked for come first"
    assert rows[0] == folder.rows(["two"], [result(system="two")])[0]


def test_a_system_whose_finding_is_gone_is_not_finished(tmp_path: Path) -> None:
    folder = again(tmp_path)
    folder.write(folder.rows(["one"], [found(tmp_path, "one")]))
    (tmp_path / "findings" / "one" / "history.json").unlink()
    assert again(tmp_path).finished == {}


def test_it_has_the_bugs_that_its_systems_contain(tmp_path: Path) -> None:
    folder = again(tmp_path)
    for system, bug in (("sglang==0.5.13.post1", "B04"), ("sglang==0.5.23", "B72")):
        folder.write(folder.rows([system], [result(system=system)]))
        table = table_in(tmp_path)
        assert table is not None
        assert bug in {one.id for one in table.bugs}
        assert "B10" not in {one.id for one in table.bugs}
