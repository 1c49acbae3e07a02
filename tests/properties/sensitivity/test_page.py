"""The table of sabotage: what is below 100 % stands there, with its reason or without one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from radixproof.impl.sabotage.planting import KINDS
from radixproof.properties.sensitivity import naming
from radixproof.properties.sensitivity.cells import LATER, LEFT_OUT, MISSED, REPORTED, Result
from radixproof.properties.sensitivity.naming import Named, every_name
from radixproof.properties.sensitivity.page import as_json, headline, markdown
from radixproof.properties.sensitivity.scouting import scout
from radixproof.properties.sensitivity.table import Score, table

SEMANTICS = (Path(__file__).parents[3] / "docs" / "semantics.md").read_text(encoding="utf-8")
KIND = "lock-a-node-short"
ONE, OTHER, THIRD, FOURTH = [one for one in scout(1, 0) if one.kind == KIND][:4]
DONE = [
    Result(ONE, REPORTED, "LOCK/full-too-few", 2),
    Result(OTHER, MISSED),
    Result(THIRD, LATER, "PIN/full-evicted", 9),
    Result(FOURTH, LEFT_OUT),
]


def test_the_headline_counts_what_is_not_left_out() -> None:
    scores = table([KIND], DONE)
    text = headline(scores, DONE)
    assert "Of 3 sabotages 2 are reported (66.6 %); 1 more changed nothing" in text


def test_what_is_missed_is_listed_until_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = table([KIND], DONE)
    assert "### Not named yet" in markdown([KIND], scores, DONE, 50)
    named = (Named((KIND,), hole="nobody asks"),)
    monkeypatch.setattr(naming, "every_name", lambda: named)
    page = markdown([KIND], scores, DONE, 50)
    assert "### A hole: nobody asks" in page
    assert "Not named" not in page


def test_a_share_is_not_rounded_up_to_all() -> None:
    score = Score()
    for _ in range(2000):
        score.add(DONE[0])
    assert (score.share, score.soon, score.complete) == ("100 %", "2, 2", True)
    score.add(DONE[1])
    assert (score.share, score.complete) == ("99.9 %", False)


def test_an_empty_cell_counts_as_missed() -> None:
    assert not Score().complete
    assert Score().share == "none"


def test_the_data_has_every_cell() -> None:
    scores = table([KIND], DONE)
    cells = json.loads(as_json(scores))["cells"]
    assert len(cells) == len(scores)
    assert sum(one.get("missed", 0) for one in cells) == len(OTHER.cells)


def test_what_is_named_is_there_and_stands_in_the_document() -> None:
    text = " ".join(SEMANTICS.split())
    for named in every_name():
        assert set(named.kinds) <= set(KINDS)
        assert bool(named.sentence) != bool(named.hole)
        assert " ".join(named.sentence.split()) in text


def test_the_page_in_docs_is_of_these_kinds() -> None:
    page = SEMANTICS and (Path(__file__).parents[3] / "docs" / "sensitivity.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)` \| \d", page, re.M)) == set(KINDS)
