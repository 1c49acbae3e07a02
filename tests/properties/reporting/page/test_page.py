"""The page of a finding: what is on it, that all is text, and how it looks in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from radixproof.impl.operations import Evict, History, Insert, Lock, Match, WritingCheck
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.histories import corpus
from radixproof.properties.histories.reading import history_in
from radixproof.properties.performing.outcomes import Crashed
from radixproof.properties.reporting.narrate import narrate
from radixproof.properties.reporting.page.page import STEPS, account, html, paragraphs

FAULT = "fault:split-parent-not-backed-up"
SWA = Config(window=1, swa_pages=8, swa_host_pages=16)
LOST = History(SWA, (Insert(Key((1, 2)), evicted=1), Evict(1)))
HOSTILE = (
    '</title></style><script>document.title="run"</script><img src=x onerror=document.title="run">'
)
VOID = {"meta", "rect", "path", "use", "img"}
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


def page(target: Target, history: History, replay: str = "radixproof replay FILE") -> str:
    return html(account(target, history, narrate(target, history, None), replay))


class Tags(HTMLParser):
    """Raises if tags are not closed in order; collects them, and the text of each."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        found = dict(attrs)
        if "id" in found:
            self.ids.append(str(found["id"]))
        if "href" in found:
            self.links.append(str(found["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return tags


def test_it_says_what_was_wrong_where_and_by_which_rule() -> None:
    text = page(find(FAULT), LOST)
    tags = parsed(text)
    said = " ".join(data for _, data in tags.texts)
    assert "PROGRESS/never-backed-up in fault:split-parent-not-backed-up" in said
    assert "the host had room for it, but it was not backed up." in said
    assert "Rule 8.2: Ancestors first" in said
    assert "By the rules (one of several trees, where they leave a choice)" in said
    assert "not on host" in said
    assert tags.ids.count("s1") == 1
    assert "s2" not in tags.ids  # the breach ends it


def test_whatever_is_pointed_at_is_there_and_nothing_else_is_loaded() -> None:
    tags = parsed(page(find(FAULT), LOST))
    assert len(set(tags.ids)) == len(tags.ids)
    assert {link.removeprefix("#") for link in tags.links} <= {*tags.ids}
    assert not {"link", "img", "iframe"}.intersection(tags.seen)


def test_each_shape_is_drawn_once_and_a_tree_that_stays_is_not_repeated() -> None:
    operations = (
        Insert(Key((1,))),
        WritingCheck(blocking=True),
        Match(Key((1,))),
        Insert(Key((2,))),
    )
    text = page(find("radix"), History(SWA, operations))
    assert text.count("The tree stays as it is.") == 1
    assert text.count('aria-label="The tree after step') == 3
    shapes = re.findall(r'<g id="b\d+">(.*?)</g>', text, re.DOTALL)
    assert len(set(shapes)) == len(shapes)


def test_of_a_long_history_the_last_steps_are_drawn() -> None:
    operations = tuple(Match(Key((1,))) for _ in range(STEPS + 20))
    text = page(find("radix"), History(SWA, (Insert(Key((1,))), *operations)))
    assert f"Only the last {STEPS} of {STEPS + 21} steps are drawn." in text
    assert f'id="s{STEPS + 21}"' in text
    assert '<ol start="22">' in text


def test_a_rule_is_in_paragraphs_with_its_marks() -> None:
    assert paragraphs("A *b*\nc `d_e`.\n\n- **F** g\n- h") == [
        [("span", "A "), ("em", "b"), ("span", " c "), ("code", "d_e"), ("span", ".")],
        [("span", "- "), ("strong", "F"), ("span", " g")],
        [("span", "- h")],
    ]


def hostile() -> str:
    """A page in which names, namespaces and the command are full of tags."""
    target = replace(find(FAULT), name=HOSTILE)
    history = History(
        SWA, (Insert(Key((1, 2), HOSTILE), evicted=1), Lock(HOSTILE, Key((1,), "&lt;")))
    )
    return page(target, history, HOSTILE)


def test_what_comes_from_outside_is_text() -> None:
    tags = parsed(hostile())
    assert tags.seen.count("script") == 1
    assert "img" not in tags.seen
    assert any(HOSTILE in text for _, text in tags.texts)


@pytest.mark.browser
@needs_chromium
def test_no_script_of_another_runs_in_a_browser(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(hostile())
    shown = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert "<title>run" not in shown
    assert "By the rules" in shown


def test_where_nobody_could_look_it_says_so() -> None:
    target = find("radix")
    history = History(SWA, (Insert(Key((1,))), Match(Key((1,)))))
    told = narrate(target, history, None)
    fatal = Crashed("Aborted", "", "the process", fatal=True)
    crash = Breach(Property.NOCRASH, "Aborted", "match [1]: it has ended the process")
    (first, (match, _)) = told.steps
    ended = replace(told, steps=(first, (match, fatal)), breach=crash)
    text = html(account(target, history, ended))
    assert "nobody could look at the tree" in text
    assert "The tree stays as it is." not in text
    assert "Aborted in the process</span>" in text


def test_where_ranks_differ_nobody_is_said_to_hold_a_lock() -> None:
    target = find("fault:ranks-poll-alone")
    history = history_in(corpus.FOLDER / "fault-ranks-poll-alone.json")
    text = page(target, history)
    assert "RANK/diverged" in text
    assert "should be by" not in text
