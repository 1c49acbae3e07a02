"""Systems that hang or end the process: each is a finding, and the search goes on behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.operations import Evict, Insert
from radixproof.impl.system import Target, Unavailable
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.units import SOAK, Unit
from radixproof.properties.workers import guarded
from radixproof.properties.workers.lane import Done, Failed, News
from radixproof.properties.workers.searching import Explore, FindingReport
from radixproof.properties.workers.shard import SEARCH, Shard
from radixproof.properties.workers.side_by_side import search_all

from ...releases import AGAIN, again
from ..guarding import fatal

SHORT = Budget(steps=120, examples=1)


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fatal.ROOT)


def searched(
    of: Callable[[], Target], budget: Budget = SHORT, step_seconds: float = 2.0, jobs: int = 1
) -> tuple[Done | Failed, list[FindingReport]]:
    shard = Shard(fatal.name(of), SEARCH, 1, budget, "", "out", (), step_seconds)
    found: list[FindingReport] = []
    with closing(search_all([shard], jobs)) as events:
        for event in events:
            if not isinstance(event, News):
                return event, found
            if isinstance(event.news, FindingReport):
                found.append(event.news)
    raise AssertionError("it has an end")


@cache
def where_it_raises() -> tuple[Done | Failed, list[FindingReport]]:
    return searched(fatal.raises)


def operations(found: FindingReport) -> tuple[Any, ...]:
    return from_json(found.folder.history).operations


def without_names(done: Done) -> tuple[Progress, list[int]]:
    """The end of a search, and how often what is known was met, whatever its name."""
    progress = done.result.progress
    return replace(progress, passed_over=Counter()), [*progress.passed_over.values()]


@pytest.mark.parametrize(
    ("of", "signature", "said"),
    [
        (fatal.aborts, "NOCRASH/SIGABRT@Aborts.end", "it ended the process"),
        again(fatal.faults, "NOCRASH/SIGSEGV@Faults.end", "it ended the process"),
        again(fatal.leaves_at_once, "NOCRASH/exit-code-3@LeavesAtOnce.end", "with exit code 3"),
        (fatal.exits, "NOCRASH/SystemExit@Exits.end", "SystemExit in Exits.end: enough"),
        (fatal.interrupts, "NOCRASH/KeyboardInterrupt@Interrupts.end", "KeyboardInterrupt"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_ends_the_process_is_found_and_shrunk_and_searched_behind(
    of: Callable[[], Target], signature: str, said: str
) -> None:
    """As if it had raised there instead: the same steps, the same finding at the same step."""
    done, (finding,) = searched(of)
    assert finding.signature == signature
    assert said in " ".join(finding.folder.report.split())
    first, second, evict = operations(finding)
    assert isinstance(first, Insert)
    assert isinstance(second, Insert)
    assert evict == Evict(2)
    raised, (other,) = where_it_raises()
    assert isinstance(done, Done)
    assert isinstance(raised, Done)
    assert without_names(done) == without_names(raised)
    assert finding.at_step == other.at_step
    assert operations(other) == (first, second, evict)


@pytest.mark.slow
def test_what_does_not_come_back_is_found_and_shrunk() -> None:
    done, (finding,) = searched(fatal.waits, Budget(steps=20, examples=0), 0.5)
    assert isinstance(done, Done)
    assert finding.signature == "NOCRASH/hang@Adapter.match"
    assert "did not come back within 0.5 seconds" in " ".join(finding.folder.report.split())
    assert "Tree after" not in finding.folder.report
    assert len(operations(finding)) == 3
    assert "--step-seconds 0.5" in finding.folder.replay
    (test,) = (text for name, text in finding.folder.files.items() if name.endswith(".py"))
    assert test is not None
    assert "HISTORY, step_seconds=0.5)" in test


@AGAIN
def test_it_is_the_same_with_several_processes() -> None:
    few = Budget(steps=60, examples=0)
    alone, (found,) = searched(fatal.aborts, few)
    both, (other,) = searched(fatal.aborts, few, jobs=2)
    assert isinstance(alone, Done)
    assert isinstance(both, Done)
    assert both.result.progress == alone.result.progress
    assert replace(other, seconds=0.0) == replace(found, seconds=0.0)


def test_a_search_is_given_up_when_too_many_processes_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "MOST_DEATHS", 2)
    shard = Shard(fatal.name(fatal.aborts), SEARCH, 1, SHORT)
    units, known = tuple(Unit(SOAK, number) for number in range(60)), frozenset[str]()
    (*_, last) = guarded.guarded(Explore(shard, units, known, None), print)
    assert last.broken is not None
    job = Explore(shard, units, frozenset({last.broken.breach.signature}), None)
    with pytest.raises(
        Unavailable, match=r"ended its process, or hung, 2 times \(SIGABRT\): .* was given up"
    ):
        guarded.guarded(job, print)


def test_a_death_that_does_not_come_again_is_reported_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FATAL_FLAG", str(tmp_path / "flag"))
    done, (finding,) = searched(fatal.once_only)
    assert isinstance(done, Done)
    assert finding.signature == "REPEAT/SIGABRT@OnceOnly.end"
    words = " ".join(finding.folder.report.split())
    assert "in the process of the search, SIGABRT in OnceOnly.end" in words
    assert re.search(r"in one of its own, freed \d FULL\.", words)


def test_what_cannot_be_looked_at_is_the_systems_fault() -> None:
    _, (finding,) = searched(fatal.blind_afterwards)
    assert finding.signature == "NOCRASH/LookupError@BlindAfterwards.observe"


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (fatal.not_built, "first built, it ended the process (SIGABRT) in NotBuilt.__init__"),
        (fatal.not_found, "imported and first built, it ended the process (SIGABRT) in not_found"),
        (fatal.not_built_large, "could not be built with Config("),
        (fatal.closes_files, "cannot be run: it closed files that it had not opened"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_be_run_is_said_to_be_the_systems_fault(
    of: Callable[[], Target], said: str
) -> None:
    done, found = searched(of)
    assert isinstance(done, Failed)
    assert found == []
    assert fatal.name(of) in done.reason
    assert said in done.reason
    assert "radixproof itself" not in done.reason


def test_what_it_prints_and_leaves_running_disturbs_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    done, found = searched(fatal.chatters, Budget(steps=50, examples=0))
    assert isinstance(done, Done)
    assert found == []
    assert capfd.readouterr().out == ""
