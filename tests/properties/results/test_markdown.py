"""The summary of a job, in Markdown that nothing in a report can break out of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from radixproof.properties.results.markdown import LONGEST, markdown
from radixproof.properties.results.result import Ending

from .made_up import KNOWN, REPLAY, finding, progress, result


def test_every_system_is_a_row() -> None:
    rows = [
        row for row in markdown([result(), result([finding()])]).splitlines() if "| ci |" in row
    ]
    assert [row.split(" | ")[1] for row in rows] == ["clean", "1 finding"]
    assert rows[0].startswith("| sys | clean | 1,003 | ")


def test_a_finding_has_its_report_and_how_to_replay_it() -> None:
    text = markdown([result([finding()])])
    assert "### PIN/full-replaced in sys\n" in text
    assert f"```text\n{finding().folder.report}```\n" in text
    assert f"```text\n{REPLAY}\n```\n" in text


def test_what_was_passed_over_or_is_stale_is_said() -> None:
    other = replace(KNOWN, signature="LEAF/x")
    now = progress(passed_over=Counter({KNOWN.signature: 5}))
    text = markdown([result(now=now, known=[KNOWN, other])])
    assert "- `LOCK/swa-too-few`, met 5 times: it takes too many\n" in text
    assert "`LEAF/x` did not occur in sys any more: stale in known.toml\n" in text


def test_what_is_lacking_is_said() -> None:
    text = markdown([result(now=progress(complete=False), ending=Ending.TIME)])
    assert "sys was not searched enough: the time was up after 1,003 of 1,000 steps" in text


def test_a_report_cannot_end_its_fence_and_a_name_is_no_markup() -> None:
    odd = finding(report="a\n```\n# b\n````\n", summary="<b>`x`|y\nz")
    text = markdown([result([odd], system="a|b<c>*")])
    assert "`````text\na\n```\n# b\n````\n`````\n" in text
    assert "\\<b\\>\\`x\\`\\|y z" in text
    assert "| a\\|b\\<c\\>\\* | 1 finding |" in text


def test_a_very_long_report_is_cut() -> None:
    text = markdown([result([finding(report="x" * 2 * LONGEST)])])
    assert len(text) < LONGEST + 2_000
    assert "[...]" in text
