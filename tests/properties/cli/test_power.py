"""``radixproof power``: a campaign can be interrupted, resumed, and held against an earlier one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.properties.cli import power
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.power import trials
from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.power.result_page import as_json
from radixproof.properties.power.scores import score_table
from radixproof.properties.power.trial_record import line, read
from radixproof.properties.power.trials import TrialResult, fault_of, trial
from radixproof.properties.workers.shard import Shard

from ..power.campaigns import BUDGET, CAMPAIGN, OTHER, SHALLOW, made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Shard]:
    """Every trial is run in no time; returns those that were."""
    ran: list[Shard] = []

    def measure_quickly(one: Shard) -> TrialResult:
        ran.append(one)
        return replace(made(one.driver, 10, fault=fault_of(one)), trial=one)

    monkeypatch.setattr(trials, "measure", measure_quickly)
    return ran


def run(out: Path, *more: str) -> int:
    return main(
        [
            "power",
            "--faults",
            SHALLOW,
            f"fault:{OTHER}",
            "--drivers",
            "soak",
            "--jobs",
            "1",
            "--out",
            str(out),
            *more,
        ]
    )


def test_a_campaign_writes_its_table(
    tmp_path: Path, quick: list[Shard], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "new") == CLEAN
    assert len(quick) == len(read(tmp_path / "new" / "trials.jsonl")) == 6
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [
        "power.json",
        "power.md",
        "power.svg",
        "trials.jsonl",
    ]
    assert "6 of 6 trials" in capsys.readouterr().err


def test_a_trial_that_is_done_is_not_run_again(
    tmp_path: Path, quick: list[Shard], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--seeds", "1") == CLEAN
    assert run(tmp_path, "--seeds", "2") == USAGE
    assert "go on with --resume" in capsys.readouterr().err
    assert run(tmp_path, "--seeds", "2", "--resume") == CLEAN
    assert [one.seed for one in quick] == [1, 1, 2, 2]
    assert (
        json.loads((tmp_path / "power.json").read_text())["faults"][SHALLOW]["soak"]["seeds"] == 2
    )


def test_campaigns_of_several_drivers_add_up(tmp_path: Path, quick: list[Shard]) -> None:
    assert run(tmp_path, "--seeds", "2") == CLEAN
    assert (
        main(
            [
                "power",
                "--faults",
                SHALLOW,
                "--drivers",
                "baseline",
                "--seeds",
                "1",
                "--out",
                str(tmp_path),
                "--resume",
            ]
        )
        == CLEAN
    )
    row = json.loads((tmp_path / "power.json").read_text())["faults"][SHALLOW]
    assert {name: one["seeds"] for name, one in row.items()} == {"baseline": 1, "soak": 2}


def test_a_trial_that_failed_is_run_again(tmp_path: Path, quick: list[Shard]) -> None:
    failed = replace(
        made("soak", None), trial=trial(SHALLOW, "soak", 1, 50_000), error="OSError: gone"
    )
    (tmp_path / "trials.jsonl").write_text(line(failed))
    assert run(tmp_path, "--seeds", "1", "--resume") == CLEAN
    assert len(quick) == 2


def test_what_was_found_before_must_be_found_again(
    tmp_path: Path,
    quick: list[Shard],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = tmp_path / "expected.json"
    expected.write_text(as_json(score_table(CAMPAIGN), BUDGET))
    assert run(tmp_path / "found", "--expect", str(expected)) == CLEAN
    monkeypatch.setattr(
        trials, "measure", lambda one: TrialResult(one, 5 if fault_of(one) == OTHER else None, 0.1)
    )
    assert run(tmp_path / "missed", "--expect", str(expected)) == FOUND
    assert f"lists them as found: {SHALLOW}\n" in capsys.readouterr().out


def test_trials_that_cannot_be_run_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        trials, "measure", lambda one: TrialResult(one, None, 0.1, error="KeyError: 'x'")
    )
    assert run(tmp_path, "--seeds", "1") == CANNOT_RUN
    assert f"radixproof: {SHALLOW}, soak, seed 1: KeyError: 'x'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--faults", "nothing"], "no fault is called 'nothing' (known: "),
        (["--drivers", "luck"], "no driver is called 'luck' (known: baseline, corpus, "),
        (["--expect", "nowhere.json"], "cannot read nowhere.json"),
    ],
)
def test_mistakes_end_it_before_anything_is_run(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["power", "--out", str(tmp_path / "new"), *arguments]) == USAGE
    assert said in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments", [["--seeds", "0"], ["--jobs", "none"], ["--profile", "nightly"], ["--faults"]]
)
def test_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["power", *arguments])
    assert ended.value.code == USAGE


def test_an_interruption_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure_one(one: Shard) -> TrialResult:
        if one.seed > 1:
            raise KeyboardInterrupt
        return TrialResult(one, 10, 0.1)

    monkeypatch.setattr(trials, "measure", measure_one)
    assert run(tmp_path) == CANNOT_RUN
    said = capsys.readouterr().err
    assert (
        f"interrupted after 1 of 6 trials, kept in {tmp_path / 'trials.jsonl'}: go on with --resume"
        in said
    )
    assert len(read(tmp_path / "trials.jsonl")) == 1


def test_the_help_names_the_drivers_there_are() -> None:
    assert tuple(DRIVERS) == power.DRIVERS


def test_make_power_runs_all_drivers() -> None:
    makefile = Path(__file__).parents[3].joinpath("Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\npower: ")[2].partition("\n\n")[0]
    lists = re.findall("--drivers ([a-z ]+) --", recipe)
    assert sorted(" ".join(lists).split()) == sorted(DRIVERS)
