"""A list of findings."""

from __future__ import annotations

from radixproof.properties.reporting.page.index import Listed, listing


def test_findings_are_listed_by_system_and_what_they_say_is_text() -> None:
    text = listing(
        [
            Listed("b", "PIN/full", "one <b>", 1, "b/pin/report.html"),
            Listed("a", "LOCK/full", "two", 2, "a/lock/report.html"),
            Listed("b", "OWN/lost", "three", 3, "b/own/report.html"),
        ]
    )
    assert "3 findings in 2 systems" in text
    order = [text.index(one) for one in ("<h2>b", "PIN/full", "OWN/lost", "<h2>a", "LOCK/full")]
    assert order == sorted(order)
    assert "one &lt;b&gt;" in text
    assert '<a href="a/lock/report.html">' in text
    assert "1 operation<" in text
