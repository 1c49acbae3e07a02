"""Templates are filled in strictly, and everything as text."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from radixproof.properties.reporting.page.templates import HERE, fill


def test_what_is_filled_in_is_text() -> None:
    page = fill(
        HERE / "page_of_findings.html.j2", {"systems": {"<i>": []}, "count": 0, "version": "1"}
    )
    assert "&lt;i&gt;" in page


def test_what_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        fill(HERE / "page_of_findings.html.j2", {"systems": {}})


def test_hidden_characters_are_named() -> None:
    parts = {"systems": {"a\u202eb\x07\n<": []}, "count": 0, "version": "1"}
    page = fill(HERE / "page_of_findings.html.j2", parts)
    assert "a\\u202eb\\u0007\n&lt;" in page
