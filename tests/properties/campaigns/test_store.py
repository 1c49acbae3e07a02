"""What is in the store, and that it is of one campaign."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.properties.campaigns.store import SCHEMA, Finished, Store, StoreError
from radixproof.properties.workers.shard import SEARCH, Shard

from ..results.made_up import BUDGET, finding, progress

SHARD = Shard("sys", SEARCH, 3, BUDGET)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "campaign.sqlite"


def test_shards_findings_and_milestones_are_kept(file: Path) -> None:
    with Store(file, "one") as store:
        store.found(SHARD, finding())
        store.finish(SHARD, progress(missing=2), 1.5)
        store.fail(replace(SHARD, seed=4), "no")
    with Store(file, "one") as store:
        assert store.shards() == [
            Finished(3, "sys", 1_003, 20, 1.5, ""),
            Finished(4, "sys", 0, 0, 0.0, "no"),
        ]
        (one,) = store.findings()
        assert (one.seed, one.system, one.signature) == (3, "sys", "PIN/full-replaced")
        assert (one.at_step, one.operations, one.folder) == (17, 2, "findings/sys/pin-3")
        met = store.milestones()["sys"]
        assert [*met.values()].count(0) == 2


def test_a_shard_that_is_run_again_replaces_what_it_had_found(file: Path) -> None:
    with Store(file, "one") as store:
        for _ in range(2):
            store.found(SHARD, finding())
        store.fail(SHARD, "no")
        store.finish(SHARD, progress(), 2.0)
        assert len(store.findings()) == 1
        assert [one.failure for one in store.shards()] == [""]


def test_the_store_of_another_campaign_is_refused(file: Path) -> None:
    with Store(file, "one"):
        pass
    with pytest.raises(StoreError, match="is of another campaign"):
        Store(file, "another")


def test_another_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("not a database" * 100)
    with pytest.raises(StoreError, match="is no store of a campaign"):
        Store(file, "one")
    assert file.read_text() == "not a database" * 100


def test_half_a_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "campaign.sqlite"
    base = sqlite3.connect(file)
    base.executescript(SCHEMA)
    base.close()
    with pytest.raises(StoreError, match="does not say which campaign it is of"):
        Store(file, "a campaign")


def test_a_store_is_made_as_a_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be killed while it makes one."""
    monkeypatch.setattr("radixproof.properties.campaigns.store.FORMAT", object())
    with pytest.raises(StoreError):
        Store(file, "one")
    monkeypatch.undo()
    with Store(file, "one") as store:
        assert store.shards() == []


def test_half_characters_are_written_out(file: Path) -> None:
    with Store(file, "one") as store:
        store.fail(SHARD, "no \udcff")
        (one,) = store.shards()
    assert one.failure == "no \\udcff"
