"""What a search needs done where its system is: units run, findings settled and written out."""

from __future__ import annotations

import pickle
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.registry import UnknownSystem
from radixproof.properties.histories import corpus
from radixproof.properties.histories.history_json import HistoryError, from_json
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.units import SOAK, Broken, Kept, Ran, Unit, Units
from radixproof.properties.workers.searching import (
    Examine,
    Examined,
    Explore,
    Open,
    Opened,
    Shrinking,
    work,
)
from radixproof.properties.workers.shard import SEARCH, Shard

FAULT = "fault:split-parent-not-backed-up"
SHARD = Shard(FAULT, SEARCH, 7, Budget(steps=1_500, examples=0), folder="out")
SIGNATURE = "PROGRESS/never-backed-up"


def told(job: Any) -> tuple[Any, list[Shrinking]]:
    """The result of a job, and its news."""
    news: list[Shrinking] = []
    return work(job, news.append), news


def explored(known: frozenset[str] = frozenset(), seconds: float | None = None) -> list[Ran]:
    units = tuple(Unit(SOAK, number) for number in range(30))
    done: list[Ran] = told(Explore(SHARD, units, known, seconds))[0]
    return done


def test_a_system_is_opened_with_what_is_stored_for_it() -> None:
    opened, _ = told(Open(replace(SHARD, corpus=str(corpus.FOLDER))))
    assert isinstance(opened, Opened)
    assert opened.scope.write_back
    assert opened.stored > 200


def test_units_are_run_up_to_the_first_that_breaks() -> None:
    *clean, last = explored()
    assert [ran.broken for ran in clean] == [None] * len(clean)
    assert last.broken is not None
    assert last.broken.breach.signature == SIGNATURE
    longer = explored(frozenset({SIGNATURE}))
    assert len(longer) > len(clean) + 1
    assert sum(ran.passed_over[SIGNATURE] for ran in longer) > 0


def test_units_that_come_too_late_are_left_out() -> None:
    assert explored(seconds=0.0) == []


def test_what_broke_when_time_was_up_does_not_count(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's code may have taken the end for an error, and have gone on with that."""

    def run(units: Units, unit: Unit, known: frozenset[str]) -> Ran:
        ends = unit.number == 2
        if ends:
            with suppress(BaseException):
                time.sleep(60)
        return Ran((Kept(1, broken if ends else None),), Counter())

    monkeypatch.setattr(Units, "run", run)
    assert [ran.broken for ran in explored(seconds=0.2)] == [None, None]


@pytest.fixture(scope="module")
def broken() -> Broken:
    found = explored()[-1].broken
    assert found is not None
    return found


def examined(broken: Broken, **changes: Any) -> tuple[Examined, list[Shrinking]]:
    job = Examine(SHARD, broken, frozenset(), SOAK, 123, None)
    done, news = told(replace(job, **changes))
    assert isinstance(done, Examined)
    return done, news


def test_a_finding_comes_with_its_files(broken: Broken) -> None:
    done, news = examined(broken)
    finding = done.report
    assert finding is not None
    assert finding.signature == done.settled.signature == SIGNATURE
    assert (finding.at_step, finding.operations, finding.shrunk) == (123, 1, True)
    folder = finding.folder
    assert folder.path == "out/fault-split-parent-not-backed-up/progress-never-backed-up-7"
    assert folder.written == [*folder.files]
    assert from_json(folder.history).origin["system"] == FAULT
    assert f"Replay: {folder.replay}\n" in folder.report
    assert pickle.loads(pickle.dumps(done)) == done, "it is sent to another process"
    assert news[0][0] == SIGNATURE


def test_a_finding_for_which_there_is_no_time_is_as_long_as_it_was(broken: Broken) -> None:
    finding = examined(broken, seconds=0.0)[0].report
    assert finding is not None
    assert not finding.shrunk
    assert 2 < finding.operations <= len(broken.history.operations)
    assert finding.signature == SIGNATURE


def test_what_follows_from_something_known_is_no_finding(broken: Broken) -> None:
    done, _ = examined(broken, known=frozenset({SIGNATURE}))
    assert done.report is None
    assert done.settled.signature is None
    assert done.settled.passed_over[SIGNATURE] > 0


def test_mistakes_are_those_of_the_lane_to_tell(tmp_path: Path) -> None:
    with pytest.raises(UnknownSystem):
        told(Open(replace(SHARD, system="nothing")))
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(HistoryError, match=r"broken\.json"):
        told(Open(replace(SHARD, corpus=str(tmp_path))))
