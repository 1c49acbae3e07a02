"""The power of the harness: cells, their record, the table, and the command that makes them."""

from __future__ import annotations

import json
import multiprocessing
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from radixproof.impl.faults import FAULTS
from radixproof.properties.cli.main import CANNOT_RUN, CLEAN, FOUND, USAGE, main
from radixproof.properties.power import cells
from radixproof.properties.power.cells import Cell, Measured, all_cells, line, measure, record
from radixproof.properties.power.chart import chart
from radixproof.properties.power.scores import Ratio, Standing, firsts, ratio, standings
from radixproof.properties.power.tables import as_json, found_before, headline, markdown

SHALLOW, OTHER = "ack-keeps-lock", "split-parent-not-backed-up"
BUDGET = 1_000


def made(
    driver: str, steps: int | None, seed: int = 1, fault: str = SHALLOW, signature: str = "LOCK/a"
) -> Measured:
    """A cell as if it had been run."""
    cell = Cell(fault, driver, seed, BUDGET)
    return (
        Measured(cell, steps, 0.5, signature, 2) if steps is not None else Measured(cell, None, 2.0)
    )


CAMPAIGN = [
    *(made("baseline", steps, seed) for seed, steps in enumerate((None, 600, None), 1)),
    *(made("soak", steps, seed) for seed, steps in enumerate((40, 10, 20), 1)),
    *(made("baseline", None, fault=OTHER), made("soak", 10, fault=OTHER, signature="PROGRESS/b")),
]
"""A fault that the baseline finds with one seed of three, and one that it never finds."""


# -- cells ---------------------------------------------------------------------------------------------------------------------


def test_the_cells_of_a_campaign() -> None:
    planned = all_cells([SHALLOW, OTHER], ["soak", "corpus"], 3, BUDGET)
    assert len(planned) == 2 * (3 + 1), "no seed changes what a corpus finds"
    assert planned[:4] == [
        *(Cell(SHALLOW, "soak", seed, BUDGET) for seed in (1, 2, 3)),
        Cell(SHALLOW, "corpus", 1, BUDGET),
    ]


def test_a_cell_is_the_same_every_time() -> None:
    first, again = (measure(Cell(SHALLOW, "soak", 1, BUDGET)) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)
    assert first.property == "LOCK"
    assert first.steps is not None
    assert 0 < first.operations <= first.steps <= BUDGET


def test_a_cell_in_which_nothing_is_found() -> None:
    done = measure(Cell(SHALLOW, "soak", 1, 1))
    assert (done.steps, done.signature, done.operations, done.error) == (None, "", 0, "")


def test_a_cell_that_cannot_be_run_says_why() -> None:
    done = measure(Cell("nothing", "soak", 1, BUDGET))
    assert done.steps is None
    assert done.error.startswith("UnknownSystem: no fault is called 'nothing'")


def test_a_false_alarm_counts_as_nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        cells.registry, "find", lambda _, find=cells.registry.find: find(f"fault:{SHALLOW}")
    )
    done = measure(Cell(SHALLOW, "soak", 1, BUDGET))
    assert done.steps is None
    assert done.error.startswith("a false alarm: LOCK/")


# -- the record ----------------------------------------------------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    assert record(file) == []
    file.write_text("".join(map(line, CAMPAIGN)))
    assert record(file) == CAMPAIGN


def test_a_line_that_was_cut_short_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    file.write_text(line(CAMPAIGN[0]) + line(CAMPAIGN[1])[:-9])
    assert record(file) == CAMPAIGN[:1]
    with file.open("a") as stream:
        stream.write(line(CAMPAIGN[2]))
    assert record(file) == [CAMPAIGN[0], CAMPAIGN[2]]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"fault": "x", "driver": "soak", "seed": 1, "budget": 1, "more": 1}']
)
def test_a_line_that_is_no_cell_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    file.write_text(line(CAMPAIGN[0]) + text + "\n")
    with pytest.raises(cells.RecordError, match=r"cells\.jsonl:2: not a cell"):
        record(file)


# -- the table -----------------------------------------------------------------------------------------------------------------


def test_what_is_not_found_costs_the_whole_budget() -> None:
    table = standings(CAMPAIGN)
    assert table[SHALLOW]["baseline"] == Standing(
        3, 1, cost=1_000, steps=600, seconds=0.5, operations=2, first="LOCK"
    )
    assert table[SHALLOW]["soak"] == Standing(
        3, 3, cost=20, steps=20, seconds=0.5, operations=2, first="LOCK"
    )
    assert table[OTHER]["baseline"] == Standing(1, 0, cost=1_000)


def test_the_ratio_is_the_median_over_faults() -> None:
    table = standings(CAMPAIGN)
    assert ratio(table, "soak") == Ratio(75.0, 2, baseline_never=1, never=0, of_both=50.0)
    assert ratio(table, "machine") is None
    text = headline(table)
    assert "in 75.0 times fewer steps than the baseline" in text
    assert "of which 1 that the baseline never finds" in text
    assert "Over the faults that both find, it is 50.0." in text
    assert "needs the drivers" in headline(standings(CAMPAIGN[:3]))


def test_the_property_that_reports_first() -> None:
    assert firsts(standings(CAMPAIGN)) == {"LOCK": [SHALLOW], "PROGRESS": [OTHER]}
    assert firsts(standings(CAMPAIGN[:3])) == {}, "the baseline has no model to say which"


def test_the_page() -> None:
    failed = replace(made("machine", None), error="KeyError: 'x'")
    page = markdown(standings([*CAMPAIGN, failed]), BUDGET)
    assert (
        f"| {SHALLOW} | LOCK | LOCK | 1/3, 600 steps, 0.5 s, 2 ops | error | 3/3, 20 steps, 0.5 s, 2 ops |"
        in page
    )
    assert f"| {OTHER} | PROGRESS | PROGRESS | 0/1 |  | 1/1, 10 steps, 0.5 s, 2 ops |" in page
    assert f"- {SHALLOW}, machine: KeyError: 'x'" in page


def test_the_json_says_what_was_found_before() -> None:
    text = as_json(standings(CAMPAIGN), BUDGET)
    assert json.loads(text)["ratios"]["soak"]["median"] == 75.0
    assert found_before(text, ["soak"]) == {SHALLOW, OTHER}
    assert found_before(text, ["baseline", "machine"]) == set(), (
        "the baseline finds it with one seed of three"
    )
    for wrong in ("", "[]", '{"faults": {"x": {"soak": {}}}}'):
        with pytest.raises(ValueError, match="not the JSON of a campaign"):
            found_before(wrong, ["soak"])


def test_the_chart_rises_once_for_every_bug() -> None:
    root = ElementTree.fromstring(chart("A & B", {"soak": [1, 10, 100], "<none>": []}, 3, 1_000))
    paths = [
        path.get("d", "")
        for path in root.iter("{http://www.w3.org/2000/svg}path")
        if path.get("stroke-width") == "2"
    ]
    assert [path.count("V") for path in paths] == [3, 0]
    assert "<none>: 0" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


# -- the command ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Every cell is run in no time; returns those that were."""
    ran: list[Cell] = []

    def measure_quickly(cell: Cell) -> Measured:
        ran.append(cell)
        return replace(made(cell.driver, 10, fault=cell.fault), cell=cell)

    monkeypatch.setattr(cells, "measure", measure_quickly)
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
    tmp_path: Path, quick: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "new") == CLEAN
    assert len(quick) == len(record(tmp_path / "new" / "cells.jsonl")) == 6
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [
        "cells.jsonl",
        "power.json",
        "power.md",
        "power.svg",
    ]
    assert "6 of 6 cells" in capsys.readouterr().err


def test_a_cell_that_is_done_is_not_run_again(
    tmp_path: Path, quick: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--seeds", "1") == CLEAN
    assert run(tmp_path, "--seeds", "2") == USAGE
    assert "go on with --resume" in capsys.readouterr().err
    assert run(tmp_path, "--seeds", "2", "--resume") == CLEAN
    assert [cell.seed for cell in quick] == [1, 1, 2, 2]
    assert (
        json.loads((tmp_path / "power.json").read_text())["faults"][SHALLOW]["soak"]["seeds"] == 2
    )


def test_campaigns_of_several_drivers_add_up(tmp_path: Path, quick: list[Cell]) -> None:
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


def test_a_cell_that_failed_is_run_again(tmp_path: Path, quick: list[Cell]) -> None:
    failed = replace(
        made("soak", None), cell=Cell(SHALLOW, "soak", 1, 50_000), error="OSError: gone"
    )
    (tmp_path / "cells.jsonl").write_text(line(failed))
    assert run(tmp_path, "--seeds", "1", "--resume") == CLEAN
    assert len(quick) == 2


def test_what_was_found_before_must_be_found_again(
    tmp_path: Path,
    quick: list[Cell],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = tmp_path / "expected.json"
    expected.write_text(as_json(standings(CAMPAIGN), BUDGET))
    assert run(tmp_path / "found", "--expect", str(expected)) == CLEAN
    monkeypatch.setattr(
        cells, "measure", lambda cell: Measured(cell, 5 if cell.fault == OTHER else None, 0.1)
    )
    assert run(tmp_path / "missed", "--expect", str(expected)) == FOUND
    assert f"has them as found: {SHALLOW}\n" in capsys.readouterr().out


def test_cells_that_cannot_be_run_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        cells, "measure", lambda cell: Measured(cell, None, 0.1, error="KeyError: 'x'")
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
    def measure_one(cell: Cell) -> Measured:
        if cell.seed > 1:
            raise KeyboardInterrupt
        return Measured(cell, 10, 0.1)

    monkeypatch.setattr(cells, "measure", measure_one)
    assert run(tmp_path) == CANNOT_RUN
    said = capsys.readouterr().err
    assert (
        f"interrupted after 1 of 6 cells, kept in {tmp_path / 'cells.jsonl'}: go on with --resume"
        in said
    )
    assert len(record(tmp_path / "cells.jsonl")) == 1


def test_processes_of_its_own_end_when_it_is_broken_off() -> None:
    """One search is over at once, the other one would go on for very long."""
    short, long = Cell(SHALLOW, "soak", 1, 1), Cell(SHALLOW, "baseline", 1, 10**9)
    with closing(cells.measured([long, short], 2)) as results:
        assert next(results).cell == short
    assert multiprocessing.active_children() == []


def test_planted_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == CLEAN
    printed = capsys.readouterr().out
    fault = FAULTS[OTHER]
    for part in (
        fault.name,
        fault.record,
        fault.sentence,
        f"expected: {fault.sees.label}",
        f"{len(FAULTS)} planted faults",
    ):
        assert part in printed
