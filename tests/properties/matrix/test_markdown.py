"""The table as Markdown, which nothing in it can break."""

from __future__ import annotations

from radixproof.properties.matrix.markdown import markdown

from ..results.made_up import finding, result
from .made_up import TABLE, not_here, table

TEXT = markdown(TABLE)


def cells(text: str, system: str) -> dict[str, str]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    head = next(line for line in lines if line[0] == "system")
    row = next(line for line in lines if line[0] == system)
    return dict(zip(head, row, strict=True))


def test_a_finding_is_named_with_its_length_and_whether_it_is_known() -> None:
    row = cells(TEXT, "sglang==0.5.12.post1")
    assert row["PROGRESS"] == "never-backed-up (2), \\#25065"
    assert row["OWN"] == "lost (2), known"
    assert row["PIN"] == "full-replaced (2), **new**"
    assert row["result"] == "3 findings, 1 new"
    assert "- PIN/full-replaced: 2 operations, new; [sys/pin-3](sys/pin-3)\n" in TEXT


def test_what_was_not_run_is_not_clean() -> None:
    row = cells(TEXT, "sglang==0.5.13.post1")
    assert set(list(row.values())[1:-1]) == {"✗"}
    assert row["result"] == "not run"
    assert "not run: not here: fetch it" in TEXT


def test_clean_and_short_are_told_apart() -> None:
    assert cells(TEXT, "sys")["result"] == "clean"
    assert cells(TEXT, "sys")["PIN"] == "✓"
    assert cells(TEXT, "short")["PIN"] == "○"
    assert cells(TEXT, "short")["result"] == "nothing found in a short search"
    assert "- ○ nothing found, in a search too short" in TEXT
    assert "- ? " not in TEXT, "no sign is explained that is not there"


def test_known_bugs_are_counted_by_system() -> None:
    assert "| sglang==0.5.12.post1 | 33 | 1: B01 | B02, B03, " in TEXT
    assert "| sglang==0.5.13.post1 | 33 | not searched |  |" in TEXT
    assert "25065](https://github.com/sgl-project/sglang/issues/25065)" in TEXT


def test_nothing_breaks_out_of_its_cell() -> None:
    odd = table(result([finding("PIN/a|b<c>")], system="a|b\n<i>`x`"), not_here(reason="|<b>\n# x"))
    text = markdown(odd)
    assert "| a\\|b \\<i\\>\\`x\\` |" in text
    assert "a\\|b\\<c\\> (2)" in text
    assert "\\|\\<b\\> \\# x" in text
