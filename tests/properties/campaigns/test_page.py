"""The page of a campaign."""

from __future__ import annotations

from pathlib import Path

from radixproof.properties.campaigns.overview import Distinct, Searched
from radixproof.properties.campaigns.page import html
from radixproof.properties.campaigns.store import Found


def test_it_tells_what_was_found_what_is_to_come_and_what_was_not_reached() -> None:
    first = Found(2, "a <b>", "PIN/full", 17, 2, "PIN/full: 2 operations\n    freed", "out/f/p-2")
    one = Searched(
        "a <b>", 4, ("no",), 4_000, 120.0, (Distinct(first, 1),), (1_017,), ("a key ends",)
    )
    none = Searched("c", 1, (), 1_000, 30.0, (), (), ())
    text = html([one, none], 3, Path("out"))
    assert "1 finding in 5,000 steps of 2 systems" in text
    assert "3 still to come" in text
    assert '<a href="f/p-2/report.html"><code>PIN/full</code></a>' in text
    assert "in 1 of 4 shards, first with seed 2 after 17 steps; 2 operations" in text
    assert (
        "another shard brings 0.25 new findings, another hour of one process at most 30.0" in text
    )
    assert "no estimate from one shard" in text
    assert "a key ends" in text
    assert "a &lt;b&gt;" in text
    assert "<svg" in text
    assert "a <b>" not in text


def test_without_findings_there_is_no_chart() -> None:
    assert "<svg" not in html([Searched("c", 1, (), 1_000, 30.0, (), (), ())], 0, Path("out"))


def test_a_folder_that_was_moved_has_its_findings_where_they_were() -> None:
    first = Found(2, "a", "PIN/full", 17, 2, "PIN/full", "out/findings/a/pin-2")
    one = Searched("a", 1, (), 1_000, 1.0, (Distinct(first, 1),), (17,), ())
    assert 'href="findings/a/pin-2/report.html"' in html([one], 0, Path("/elsewhere/moved"))
