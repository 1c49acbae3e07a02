"""The folder of a finding: its own, complete, and runnable as it lies there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.impl.operations import History, Insert
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.cli.exit_codes import FOUND
from radixproof.properties.cli.main import main
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.reporting import regression_test
from radixproof.properties.reporting.finding_folder import folder_of, write_finding
from radixproof.properties.running.run import run_history
from radixproof.properties.search.finding import Finding

from ...own_process import completed

FAULT = "fault:split-parent-not-backed-up"
LOST = History(Config(window=1, swa_pages=8, swa_host_pages=16), (Insert(Key((1, 2)), evicted=1),))


def finding(target: Target, seed: int = 1) -> Finding:
    verdict = run_history(target, LOST)
    assert verdict is not None
    return Finding(LOST, verdict, seed, "soak", 10, LOST)


@pytest.fixture(scope="module")
def faulty() -> Target:
    return find(FAULT)


def test_everything_of_a_finding_is_in_its_folder(faulty: Target, tmp_path: Path) -> None:
    found = folder_of(faulty, finding(faulty), tmp_path, known="number 7")
    path = tmp_path / "fault-split-parent-not-backed-up" / "progress-never-backed-up-1"
    assert not path.exists(), "it is written only when that is asked for"
    assert write_finding(found) == path
    texts = {file.name: file.read_text() for file in path.iterdir()}
    assert texts == found.files
    assert sorted(found.written) == sorted(texts)
    assert found.report == texts["report.txt"]
    assert "**Known as** number 7." in texts["summary.md"]
    history = from_json(texts["history.json"])
    assert history.operations == LOST.operations
    assert history.origin == {
        "system": FAULT,
        "seed": "1",
        "driver": "soak",
        "signature": "PROGRESS/never-backed-up",
    }


def test_the_commands_in_the_report_are_right(
    faulty: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = folder_of(faulty, finding(faulty), tmp_path)
    write_finding(found)
    replay, test = found.report.splitlines()[-2:]
    assert main(replay.removeprefix("Replay: radixproof ").split()) == FOUND
    assert "PROGRESS/never-backed-up in" in capsys.readouterr().out
    assert Path(test.removeprefix("Test:   pytest ")).is_file()


def test_no_other_finding_overwrites_it_and_the_same_one_replaces_it(
    faulty: Target, tmp_path: Path
) -> None:
    paths = []
    for seed, mark in ((1, None), (2, None), (1, "tests/test_mine.py::TestMine")):
        paths.append(write_finding(folder_of(faulty, finding(faulty, seed), tmp_path, mark)))
    assert len({*paths}) == 3
    (paths[0] / "summary.md").write_text("as an older version wrote it")
    again = folder_of(faulty, finding(faulty), tmp_path)
    assert write_finding(again) == paths[0]
    assert {file.name: file.read_text() for file in paths[0].iterdir()} == again.files
    assert len(list(tmp_path.rglob("test_*.py"))) == 3


IMPORTED = """
from radixproof.impl.registry import find
def one():
    return find("fault:split-parent-not-backed-up")
other = one
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_pytest_collects_and_runs_the_tests_of_all_findings(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two seeds, and of systems that differ in what a slug leaves out."""
    (tmp_path / "a_cache.py").write_text(IMPORTED)
    monkeypatch.syspath_prepend(tmp_path)
    for name in (FAULT, "a_cache:one", "a_cache:other"):
        for seed in (1, 2):
            write_finding(folder_of(find(name), finding(find(name), seed), tmp_path / "findings"))
    ran = completed("pytest", "-q", "--import-mode", mode, "findings", cwd=tmp_path)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "6 failed" in ran.stdout
    assert ran.stdout.count("not backed up") >= 6


def test_a_system_of_ones_own_is_named_in_the_commands(
    faulty: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "your_cache.py").write_text(IMPORTED)
    monkeypatch.syspath_prepend(tmp_path)
    target = find("your_cache:one")
    found = folder_of(target, finding(target), "out")
    assert found.path == "out/your-cache-one/progress-never-backed-up-1"
    for text in found.files["report.txt"], found.files["summary.md"]:
        assert "history.json --system your_cache:one\n" in str(text)


def test_a_target_that_only_a_program_has_comes_without_a_test(faulty: Target) -> None:
    made = replace(faulty, name="made here")
    found = folder_of(made, finding(made), "out")
    why = "none that stands alone: it would have to find the system by its name"
    assert f"Test:   {why}\n" in found.report
    assert "history.json --system MODULE:ATTRIBUTE\n" in found.report
    assert found.written == ["history.json", "report.txt", "summary.md", "report.html"]


def test_a_finding_whose_test_cannot_be_written_says_so_and_has_none(
    faulty: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_finding(folder_of(faulty, finding(faulty), tmp_path))

    def refuse(*_: object) -> str:
        raise regression_test.NoStandaloneTest("no test here has bigram keys")

    monkeypatch.setattr(regression_test, "source_of_test", refuse)
    found = folder_of(faulty, finding(faulty), tmp_path)
    assert "Test:   none that stands alone: no test here has bigram keys\n" in found.report
    said = "There is no test that stands alone: `no test here has bigram keys`."
    assert said in str(found.files["summary.md"])
    write_finding(found)
    assert {file.name for file in path.iterdir()} == {*found.written}
    assert found.written == ["history.json", "report.txt", "summary.md", "report.html"]
