"""The corpus: files that fail where they should and nowhere else, and are replayed first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.impl.faults import FAULTS
from radixproof.impl.operations import Evict, History, HostLock, Insert, Match, RunCopies
from radixproof.impl.registry import find
from radixproof.impl.scope import Scope
from radixproof.impl.sglang import store
from radixproof.impl.sglang.names import version_in
from radixproof.impl.system import Unavailable
from radixproof.model.config import Component, Config
from radixproof.model.key import Key
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.histories import corpus
from radixproof.properties.histories.history_json import HistoryError, to_json
from radixproof.properties.power.compared_drivers import Driver
from radixproof.properties.results.result import Ending, SystemResult
from radixproof.properties.running.replaying import fits, replayed
from radixproof.properties.running.run import run_history
from radixproof.properties.search.budget import PROFILES, Budget
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search

from ...own_process import printed_by

FAULT = "fault:split-parent-not-backed-up"
FILE = "fault-split-parent-not-backed-up.json"
WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)
LOST = History(
    WINDOWED,
    (Insert(Key((1, 2)), evicted=1),),
    {"system": FAULT, "signature": "PROGRESS/never-backed-up"},
)
LARGEST = 4_096
"""Bytes of a file: what a person reads at a glance."""

ENTRIES = corpus.read(corpus.FOLDER)


# -- the corpus as it is -------------------------------------------------------------------------


def test_every_fault_has_an_entry() -> None:
    missing = sorted(set(FAULTS) - {entry.system.removeprefix("fault:") for entry in ENTRIES})
    assert not missing, "run: radixproof corpus update"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_has_its_name_and_does_not_fail_in_our_own_implementation(
    entry: corpus.Entry,
) -> None:
    assert entry.name == corpus.name_of(entry.system, entry.history.origin["signature"])
    assert run_history(find("radix"), entry.history) is None
    assert len(to_json(entry.history)) <= LARGEST


@pytest.mark.parametrize(
    "entry",
    [entry for entry in ENTRIES if entry.system.startswith("fault:")],
    ids=lambda entry: entry.name,
)
def test_an_entry_of_a_fault_fails_as_it_says(entry: corpus.Entry) -> None:
    verdict = run_history(find(entry.system), entry.history)
    assert verdict is not None
    assert verdict.breach.signature == entry.history.origin["signature"]


ON_RELEASES = sorted({entry.system for entry in ENTRIES if entry.system.startswith("sglang==")})
STILL_FAILING = """
import sys
from radixproof.impl.registry import find
from radixproof.properties.histories import corpus
from radixproof.properties.power.corpus_update import still_fails
target = find(sys.argv[1])
mine = [entry for entry in corpus.read(corpus.FOLDER) if entry.system == target.name]
print([entry.name for entry in mine if not still_fails(target, entry.history)])
"""


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.release
@pytest.mark.parametrize("system", ON_RELEASES)
def test_entries_of_sglang_fail_on_their_release_as_they_say(system: str) -> None:
    """In a process of its own, since a process runs one release."""
    try:
        store.locate(version_in(system))
    except Unavailable as error:
        pytest.skip(str(error))
    assert printed_by(STILL_FAILING, system) == "[]\n"


# -- files ---------------------------------------------------------------------------------------


def test_names_of_files() -> None:
    assert corpus.name_of(FAULT, "PROGRESS/never-backed-up") == "fault-split-parent-not-backed-up"
    assert (
        corpus.name_of("sglang==0.5.12.post1", "LOCK/swa-too-few")
        == "sglang-0-5-12-post1-lock-swa-too-few"
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert corpus.write(tmp_path / "new", LOST).name == FILE
    assert corpus.read(tmp_path / "new") == [corpus.Entry("fault-split-parent-not-backed-up", LOST)]
    assert corpus.read(tmp_path / "nowhere") == []


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(HistoryError, match=r"broken\.json: not JSON"):
        corpus.read(tmp_path)
    assert main(["corpus", "update", FAULT, "--folder", str(tmp_path)]) == USAGE
    assert "broken.json" in capsys.readouterr().err


# -- replaying -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "fitting"),
    [
        (Scope(), True),
        (Scope(components=(Component.FULL,)), False),
        (Scope(operations=(Insert, Evict)), False),
        (Scope(failing_copies=False), False),
    ],
)
def test_what_does_not_fit_is_skipped(scope: Scope, fitting: bool) -> None:
    history = replace(
        LOST, operations=(*LOST.operations, HostLock("h", Key((1,))), RunCopies(fail=True))
    )
    assert fits(history, scope) is fitting
    assert len([*replayed(replace(find("radix"), scope=scope), [history])]) == fitting


def test_a_search_replays_what_is_stored_first() -> None:
    found: list[Finding] = []

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            found.append(news)

    search(find(FAULT), 1, Budget(steps=0, examples=0), tell, [LOST])
    assert [(one.driver, one.at_step, one.history.operations) for one in found] == [
        ("corpus", 1, LOST.operations)
    ]


def test_what_is_stored_comes_on_top_of_the_budget() -> None:
    cold, after = (
        search(find("radix"), 1, Budget(steps=50, examples=0), lambda _: None, stored)
        for stored in ([], [LOST])
    )
    assert (after.steps, after.histories) == (cold.steps + 1, cold.histories + 1)


@pytest.mark.parametrize(("options", "replays"), [([], True), (["--cold"], False)])
def test_a_check_replays_the_corpus_unless_it_is_cold(
    options: list[str], replays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[str] = []

    def check(results: Sequence[SystemResult], *_: object) -> None:
        for result in results:
            folders.append(result.shard.corpus)
            result.ending = Ending.COMPLETE
            result.progress = Progress(0, 0, complete=True)

    monkeypatch.setattr("radixproof.properties.cli.console.check", check)
    monkeypatch.setitem(PROFILES, "dev", Budget(steps=0, examples=0))
    assert main(["check", FAULT, *options]) == CLEAN
    assert folders == [str(corpus.FOLDER) if replays else ""]


# -- updating ------------------------------------------------------------------------------------


def test_an_update_makes_what_is_missing_and_keeps_what_still_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update = ["corpus", "update", FAULT, "--folder", str(tmp_path)]
    assert main(update) == CLEAN
    assert capsys.readouterr().out == f"{FAULT}: wrote {FILE}\n"
    ((written,), text) = corpus.read(tmp_path), (tmp_path / FILE).read_text()
    assert written.history.operations == LOST.operations
    assert main(update) == CLEAN
    assert capsys.readouterr().out == f"{FAULT}: kept {FILE.removesuffix('.json')}\n"
    assert main([*update, "--all"]) == CLEAN
    assert (tmp_path / FILE).read_text() == text


def test_an_entry_that_does_not_fail_any_more_is_made_anew(tmp_path: Path) -> None:
    corpus.write(tmp_path, replace(LOST, operations=(Match(Key((1,))),)))
    assert main(["corpus", "update", FAULT, "--folder", str(tmp_path)]) == CLEAN
    assert corpus.read(tmp_path)[0].history.operations == LOST.operations


def test_an_update_names_the_bugs_it_has_nothing_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "radixproof.properties.power.corpus_update.BUDGET", Budget(steps=0, examples=0)
    )
    assert main(["corpus", "update", FAULT, "--folder", str(tmp_path)]) == CANNOT_RUN
    assert f"no history was found for: {FAULT}" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(Driver, "false_alarm", lambda *_: True)
    assert main(["corpus", "update", FAULT, "--folder", str(tmp_path)]) == CANNOT_RUN
    assert "PROGRESS/never-backed-up is a false alarm" in capsys.readouterr().out
    assert corpus.read(tmp_path) == []
    assert main(["corpus", "update", "fault:nothing"]) == USAGE


def test_a_whole_update_removes_entries_of_faults_that_are_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("radixproof.impl.faults.FAULTS", {})
    corpus.write(
        tmp_path, replace(LOST, origin={"system": "fault:long-gone", "signature": "OWN/full-lost"})
    )
    assert main(["corpus", "update", "--folder", str(tmp_path)]) == CLEAN
    assert "fault-long-gone: removed" in capsys.readouterr().out
    assert corpus.read(tmp_path) == []
