"""The page, the JSON and the chart of a campaign."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from radixproof.properties.power.result_page import as_json, found_before, headline, markdown
from radixproof.properties.power.scores import score_table

from .campaigns import BUDGET, CAMPAIGN, OTHER, SHALLOW, made


def test_the_page() -> None:
    failed = replace(made("machine", None), error="KeyError: 'x'")
    page = markdown(score_table([*CAMPAIGN, failed]), BUDGET)
    scores = "1/3, 600 steps, 0.5 s, 2 ops | error | 3/3, 20 steps, 0.5 s, 2 ops"
    assert f"| {SHALLOW} | LOCK | LOCK | {scores} |" in page
    assert f"| {OTHER} | PROGRESS | PROGRESS | 0/1 |  | 1/1, 10 steps, 0.5 s, 2 ops |" in page
    assert f"- {SHALLOW}, machine: KeyError: 'x'" in page


def test_the_json_says_what_was_found_before() -> None:
    text = as_json(score_table(CAMPAIGN), BUDGET)
    assert json.loads(text)["ratios"]["soak"]["median"] == 75.0
    assert found_before(text, ["soak"]) == {SHALLOW, OTHER}
    assert found_before(text, ["baseline", "machine"]) == set(), (
        "the baseline finds it with one seed of three"
    )
    for wrong in ("", "[]", '{"faults": {"x": {"soak": {}}}}'):
        with pytest.raises(ValueError, match="not the JSON of a campaign"):
            found_before(wrong, ["soak"])


def test_the_headline_says_what_the_ratio_stands_on() -> None:
    table = score_table(CAMPAIGN)
    text = headline(table)
    assert "in 75.0 times fewer steps than the baseline" in text
    assert "of which 1 that the baseline never finds" in text
    assert "Over the faults that both find, it is 50.0." in text
    assert "needs the drivers" in headline(score_table(CAMPAIGN[:3]))
