"""What a campaign consists of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from radixproof.properties.campaigns.plan import Plan

PLAN = Plan(("radix", "other"), 5, 2, 1_000, {"other": ("PIN/full", "LOCK/full")})


def test_every_system_is_searched_with_every_seed() -> None:
    shards = PLAN.shards(Path("out"))
    asked = [(one.seed, one.system) for one in shards]
    assert asked == [(5, "radix"), (5, "other"), (6, "radix"), (6, "other")]
    assert {one.folder for one in shards} == {"out"}
    assert [one.known for one in shards[:2]] == [(), ("LOCK/full", "PIN/full")]
    assert {(one.budget.steps, one.budget.examples, one.budget.more) for one in shards} == {
        (1_000, 4, 0)
    }


def test_it_is_another_one_only_if_a_shard_would_find_something_else() -> None:
    assert replace(PLAN, seeds=9, first=1).description == PLAN.description
    assert replace(PLAN, steps=2).description != PLAN.description
    assert replace(PLAN, known={}).description != PLAN.description
