"""Scores: what is not found costs the whole budget, and medians are over faults."""

from __future__ import annotations

from radixproof.properties.power.scores import Ratio, Score, firsts, ratio, score_table

from .campaigns import CAMPAIGN, OTHER, SHALLOW


def test_what_is_not_found_costs_the_whole_budget() -> None:
    table = score_table(CAMPAIGN)
    assert table[SHALLOW]["baseline"] == Score(
        3, 1, cost=1_000, steps=600, seconds=0.5, operations=2, first="LOCK"
    )
    assert table[SHALLOW]["soak"] == Score(
        3, 3, cost=20, steps=20, seconds=0.5, operations=2, first="LOCK"
    )
    assert table[OTHER]["baseline"] == Score(1, 0, cost=1_000)


def test_the_ratio_is_the_median_over_faults() -> None:
    table = score_table(CAMPAIGN)
    assert ratio(table, "soak") == Ratio(75.0, 2, baseline_never=1, never=0, of_both=50.0)
    assert ratio(table, "machine") is None


def test_the_property_that_reports_first() -> None:
    assert firsts(score_table(CAMPAIGN)) == {"LOCK": [SHALLOW], "PROGRESS": [OTHER]}
    assert firsts(score_table(CAMPAIGN[:3])) == {}, "the baseline has no model to say which"
