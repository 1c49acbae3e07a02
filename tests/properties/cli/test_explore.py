"""``radixproof explore``: what it says, what it keeps, and its exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from radixproof.impl.operations import History, Insert, Match
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.exploring import explorer
from radixproof.properties.exploring.expanding import Expanded
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.histories.history_json import to_json

from .in_this_process import lanes_stay

FAULT = "fault:split-parent-not-backed-up"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes_stay(monkeypatch)


def run(out: Path, *more: str, system: str = "radix") -> int:
    return main(["explore", system, "-j", "1", "--out", str(out), *more])


def test_a_scope_is_judged_to_its_depth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--depth", "1") == CLEAN
    printed = capsys.readouterr().out
    assert "radix, scope swa: all histories of up to 1 operation out of 35 are judged" in printed
    assert "(5 states, 15 transitions): nothing is wrong" in printed
    assert "never possible: unlock" in printed


def test_it_is_gone_on_with_only_if_asked_and_can_be_made_deeper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--depth", "1") == CLEAN
    (file,) = tmp_path.glob("radix-swa-*.jsonl")
    before = file.read_text()
    assert run(tmp_path, "--depth", "2") == USAGE
    assert "go on with --resume" in capsys.readouterr().err
    assert run(tmp_path, "--depth", "2", "--resume") == CLEAN
    assert "(31 states, 111 transitions)" in capsys.readouterr().out
    assert file.read_text().startswith(before)


def test_what_is_found_is_written_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, system=FAULT) == FOUND
    printed = capsys.readouterr().out
    assert f"PROGRESS/never-backed-up in {FAULT}" in printed
    assert "no history of up to 0 operations is wrong" in printed
    folder = tmp_path / "findings/fault-split-parent-not-backed-up/progress-never-backed-up-swa"
    assert (folder / "history.json").exists()


def test_what_is_known_is_passed_over_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.toml"
    known.write_text('[[finding]]\nsignature = "PROGRESS/never-backed-up"\nreason = "planted"\n')
    assert run(tmp_path, "--depth", "1", "--known", str(known), system=FAULT) == CLEAN
    assert (
        "PROGRESS/never-backed-up is known, and nothing is judged behind it: "
        in capsys.readouterr().out
    )


def test_a_scope_comes_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.json"
    file.write_text(to_json(History(Config(), (Insert(Key((7,))), Match(Key((7,)))))))
    assert run(tmp_path, "--scope", str(file), "--depth", "2") == CLEAN
    assert "all histories of up to 2 operations out of 2" in capsys.readouterr().out
    file.write_text("{")
    assert run(tmp_path, "--scope", str(file)) == USAGE
    assert "mine.json: not JSON" in capsys.readouterr().err
    file.write_text(to_json(History(Config(), ())))
    assert run(tmp_path, "--scope", str(file)) == USAGE
    assert "a scope has 1 to 256 different operations, got 0" in capsys.readouterr().err


def test_all_scopes_are_gone_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = {name: SCOPES[name] for name in ("full", "ranks")}
    monkeypatch.setattr("radixproof.properties.exploring.scopes.SCOPES", two)
    assert run(tmp_path, "--scope", "all", "--depth", "1") == CLEAN
    printed = capsys.readouterr().out
    assert "scope full:" in printed
    assert "scope ranks:" in printed
    monkeypatch.setattr("radixproof.properties.exploring.scopes.SLOW", {"full"})
    assert run(tmp_path / "quick", "--scope", "quick", "--depth", "1") == CLEAN
    printed = capsys.readouterr().out
    assert "scope full:" not in printed
    assert "scope ranks:" in printed


def test_scopes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--scopes"]) == CLEAN
    printed = capsys.readouterr().out
    assert printed.count("\n") == 2 * len(SCOPES)
    assert "swa: depth" in printed


def test_mistakes_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore"]) == USAGE
    assert "explore needs a SYSTEM" in capsys.readouterr().err
    assert run(tmp_path, "--scope", "swo") == USAGE
    assert "there is no scope 'swo', and no such file (scopes: full, " in capsys.readouterr().err
    assert run(tmp_path, system="radux") == USAGE


def test_an_exploration_that_is_cut_short_is_not_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, "--seconds", "0.000001") == CANNOT_RUN
    told = capsys.readouterr().err
    assert "time is up: all histories of up to 0 operations are judged" in told
    assert "go on with --resume" in told
    monkeypatch.setattr(explorer, "explore", partial(explorer.explore, most=3))
    assert run(tmp_path, "--depth", "2", "--resume") == CANNOT_RUN
    assert "there are more than 3 states: all histories of up to 0" in capsys.readouterr().err

    def interrupted(*_: object) -> Iterator[Expanded]:
        raise KeyboardInterrupt

    monkeypatch.setattr(explorer, "_expanded", interrupted)
    assert run(tmp_path / "new") == CANNOT_RUN
    assert "interrupted: all histories of up to 0 operations" in capsys.readouterr().err


def test_who_interrupts_ends_all_that_would_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Iterator[Expanded]:
        raise KeyboardInterrupt

    monkeypatch.setattr(explorer, "_expanded", interrupted)
    assert run(tmp_path, "--scope", "quick") == CANNOT_RUN
    assert capsys.readouterr().err.count("interrupted: ") == 1
