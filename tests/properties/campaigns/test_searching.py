"""A whole search as the work of a process: findings come with all of their files."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.registry import UnknownSystem
from radixproof.properties.campaigns.searching import (
    FindingReport,
    Searched,
    SearchNews,
    search_shard,
)
from radixproof.properties.campaigns.shard import SEARCH, Shard
from radixproof.properties.histories import corpus
from radixproof.properties.histories.history_json import HistoryError, from_json
from radixproof.properties.search.budget import Budget

FAULT = "fault:split-parent-not-backed-up"


def searched(folder: str = "", **changes: Any) -> tuple[Searched, list[FindingReport]]:
    budget = replace(Budget(steps=1_500, examples=0), **changes)
    shard = Shard(FAULT, SEARCH, 1, budget, folder, "out")
    told: list[SearchNews] = []
    done = search_shard(shard, told.append)
    return done, [news for news in told if isinstance(news, FindingReport)]


def test_a_finding_comes_with_its_files() -> None:
    done, findings = searched()
    assert done.progress.steps >= 1_500
    (finding,) = [one for one in findings if one.signature == "PROGRESS/never-backed-up"]
    folder = finding.folder
    assert folder.path == "out/fault-split-parent-not-backed-up/progress-never-backed-up-1"
    assert folder.written == [*folder.files]
    assert from_json(folder.history).origin["system"] == FAULT
    assert f"Replay: radixproof replay {folder.path}/history.json" in folder.report
    assert pickle.loads(pickle.dumps(finding)) == finding, "it is sent to another process"


def test_the_corpus_is_replayed_first() -> None:
    _, findings = searched(str(corpus.FOLDER), steps=0)
    assert {one.at_step for one in findings if "corpus" in one.folder.report}


def test_mistakes_are_those_of_the_pool_to_tell(tmp_path: Path) -> None:
    with pytest.raises(UnknownSystem):
        search_shard(Shard("nothing", SEARCH, 1, Budget(1, 0)), lambda _: None)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(HistoryError, match=r"broken\.json"):
        searched(str(tmp_path))
