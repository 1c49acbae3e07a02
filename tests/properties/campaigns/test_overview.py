"""What a campaign has come to, and what is still to come."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.properties.campaigns.overview import overview
from radixproof.properties.campaigns.store import Store
from radixproof.properties.workers.shard import SEARCH, Shard

from ..results.made_up import BUDGET, finding, progress


def shard(seed: int, system: str = "sys") -> Shard:
    return Shard(system, SEARCH, seed, BUDGET)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three shards: one signature in all of them, and one in the last alone."""
    made = Store(tmp_path / "campaign.sqlite", "one")
    for seed in (1, 2, 3):
        made.found(shard(seed), finding("PIN/full", at_step=100 * seed))
        made.finish(shard(seed), progress(missing=seed), 60.0)
    made.found(shard(3), finding("OWN/lost", at_step=7))
    made.fail(shard(1, "broken"), "cannot be imported")
    return made


def test_findings_are_told_once_with_the_shards_that_had_them(store: Store) -> None:
    broken, one = overview(store)
    assert (broken.system, broken.shards, broken.failed) == ("broken", 0, ("cannot be imported",))
    assert (one.shards, one.steps, one.seconds) == (3, 3_009, 180.0)
    told = [(found.first.signature, found.first.seed, found.shards) for found in one.findings]
    assert told == [("PIN/full", 1, 3), ("OWN/lost", 3, 1)]
    assert one.curve == (100, 2_006 + 7)


def test_what_was_never_reached_is_what_no_shard_has_met(store: Store) -> None:
    _, one = overview(store)
    assert len(one.unreached) == 1


def test_what_is_to_come_is_what_was_seen_once(store: Store) -> None:
    broken, one = overview(store)
    assert one.to_come == pytest.approx(1 / 3)
    assert one.an_hour == pytest.approx(3600 / 180)
    assert broken.to_come == 1.0
