"""The table as a page: whole, escaped, and without anything from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from radixproof.properties.matrix.page import html

from ..results.made_up import finding, result
from .made_up import TABLE, not_here, table

PAGE = html(TABLE)
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Its tags are closed in order; what loads something is noted, and what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    reader.text = " ".join(reader.text.split())
    return reader


def test_it_needs_nothing_but_itself() -> None:
    reader = read(PAGE)
    assert not {"script", "img", "link", "iframe", "object"} & set(reader.tags)
    assert not re.search(r"@import|url\(|\son\w+=", PAGE)
    outside = [link for link in reader.links if not link.startswith("#") and "://" in link]
    assert all(link.startswith("https://github.com/sgl-project/sglang/") for link in outside)
    assert "sys/pin-3/summary.md" in reader.links


def test_it_says_of_every_system_what_was_found() -> None:
    text = read(PAGE).text
    assert "sglang==0.5.12.post1 3 findings, 1 new" in text
    assert "never-backed-up 2 op known #25065" in text
    assert "full-replaced 2 op new" in text
    assert "sglang==0.5.13.post1 not run not here: fetch it" in text
    assert "sys clean" in text
    assert "short nothing found in a short search" in text
    assert "1 of 33 known bugs found: B01" in text
    assert "33 known bugs, not searched" in text


def test_links_within_it_lead_somewhere() -> None:
    places = set(re.findall(r' id="([^"]+)"', PAGE))
    inside = {link[1:] for link in read(PAGE).links if link.startswith("#")}
    assert inside
    assert inside <= places


def test_what_comes_from_outside_is_text() -> None:
    evil = "<script>alert(1)</script>\"'&"
    page = html(
        table(
            result([finding(f"PIN/{evil}", summary=evil)], system=evil),
            not_here(system=f"{evil}2", reason=evil),
        )
    )
    reader = read(page)
    assert "script" not in reader.tags
    assert reader.text.count(evil) >= 5


def test_it_is_the_same_every_time() -> None:
    assert html(TABLE) == PAGE
