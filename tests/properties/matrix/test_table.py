"""The table as data: what it says of a finding, and read as it was written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from radixproof.properties.matrix.cells import State
from radixproof.properties.matrix.table import LARGEST, TableError, as_json, read

from ..results.made_up import finding, progress, result
from .made_up import TABLE, bad, not_here, rows


def test_a_row_says_what_is_known_of_its_findings() -> None:
    (row,) = rows(bad())
    lost, gone, new = row.findings
    assert (lost.known, lost.upstream.rpartition("/")[2], lost.reason) == (True, "25065", "lost")
    assert (gone.known, gone.upstream, gone.reason) == (True, "", "gone")
    assert (new.known, new.upstream, new.reason) == (False, "", "")
    assert (row.new, row.complete, row.enough) == (1, True, True)
    assert (lost.label, lost.rule, lost.operations) == ("PROGRESS", "never-backed-up", 2)
    assert lost.folder == "sys/pin-3", "below the folder of the table"


def test_what_could_not_be_run_is_a_row_that_is_not_finished() -> None:
    (row,) = rows(not_here())
    assert (row.complete, row.enough, row.lacking) == (False, False, "not here: fetch it")
    assert set(row.cells.values()) == {State.NOT_RUN}


def test_a_search_that_saw_too_little_is_finished_and_not_enough() -> None:
    (row,) = rows(result(now=progress(99)))
    assert (row.complete, row.enough, row.new) == (True, False, 0)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    assert read(file) is None
    file.write_text(as_json(TABLE), encoding="utf-8")
    assert read(file) == TABLE


def test_nothing_in_it_depends_on_time(tmp_path: Path) -> None:
    slow = bad()
    slow.seconds *= 7
    slow.findings = [finding(one.signature, seconds=99.0) for one in slow.findings]
    assert rows(slow) == rows(bad())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no table of radixproof matrix"),
        ("[]", "is no table of radixproof matrix"),
        ("[" * 100_000, "is no table of radixproof matrix"),
        (as_json(TABLE).replace('"clean"', '"fine"'), "Invalid enum value 'fine'"),
        (as_json(TABLE).replace('"format": 1', '"format": 9'), "has format 9; this radixproof"),
        (as_json(TABLE).replace('"rows"', '"rose"'), "unknown field `rose`"),
        ("\0" * (LARGEST + 1), "the most that are read"),
    ],
    ids=["cut", "list", "nested", "cell", "format", "field", "size"],
)
def test_what_is_no_table_is_refused_in_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as refused:
        read(file)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="it is a folder, not a file"):
        read(tmp_path)


def test_the_names_of_its_fields_are_documented() -> None:
    """In docs/matrix.md, for those who read the JSON."""
    page = Path(__file__).parents[3] / "docs" / "matrix.md"
    text = page.read_text(encoding="utf-8").replace("\n", " ")
    kinds = [type(TABLE), type(TABLE.asked), type(TABLE.rows[0]), type(TABLE.bugs[0])]
    kinds.append(type(TABLE.rows[0].findings[0]))
    names = [field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)]
    assert [name for name in names if f"| `{name}` |" not in text] == []
    assert [state.value for state in State if f'"{state.value}"' not in text] == []
