"""A matrix as its user meets it: what is written, what is resumed, and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.sglang.releases import all_names
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.search.budget import PROFILES, Budget
from radixproof.properties.workers import side_by_side

from ...releases import again

ROOT = Path(__file__).resolve().parents[3]
SYSTEMS = "tests.properties.workers.systems"
GOOD, BAD = f"{SYSTEMS}:target", f"{SYSTEMS}:broken"
NOT_HERE = "sglang==0.5.14"

Matrix = Callable[..., tuple[int, str]]


@pytest.fixture
def matrix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Matrix:
    """Runs a matrix with little to do; returns its exit code and what it printed."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(PROFILES, "dev", Budget(steps=500, examples=10, example_steps=10))
    monkeypatch.setitem(PROFILES, "ci", Budget(steps=1_500, examples=0, demand=100))

    def run(*arguments: str, out: Path = tmp_path / "out") -> tuple[int, str]:
        code = main(["matrix", *arguments, "--out", str(out)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def written(out: Path) -> dict[str, Any]:
    """The table, by system."""
    return {row["system"]: row for row in json.loads((out / "matrix.json").read_text())["rows"]}


def test_every_system_is_a_row_with_what_became_of_it(matrix: Matrix, tmp_path: Path) -> None:
    code, printed = matrix(GOOD, BAD, NOT_HERE, "--profile", "ci")
    assert code == FOUND
    rows = written(tmp_path / "out")
    assert list(rows) == [GOOD, BAD, NOT_HERE]
    assert rows[GOOD]["cells"]["PIN"] == "clean"
    assert "clean" not in rows[NOT_HERE]["cells"].values()
    assert "is not prepared on this machine" in rows[NOT_HERE]["lacking"]
    assert rows[BAD]["findings"]
    for finding in rows[BAD]["findings"]:
        folder = tmp_path / "out" / finding["folder"]
        assert {file.name for file in folder.iterdir()} == set(finding["files"])
        line = f"{finding['signature']} in {BAD}: {finding['operations']} operation"
        assert line in printed
    assert re.search(rf"^{re.escape(NOT_HERE)} +not run: SGLang 0\.5\.14 is not", printed, re.M)
    assert re.search(rf"^{re.escape(GOOD)} +clean$", printed, re.M)
    assert re.search(rf"^{re.escape(BAD)} +\d+ findings?, \d+ new", printed, re.M)


def test_known_findings_count_only_if_they_are_not_passed_over(
    matrix: Matrix, tmp_path: Path
) -> None:
    assert matrix(BAD)[0] == FOUND
    found = written(tmp_path / "out")[BAD]["findings"]
    file = tmp_path / "known.toml"
    entry = '[[finding]]\nsignature = "{}"\nreason = "it is so"\nupstream = 7\n'
    file.write_text("".join(entry.format(one["signature"]) for one in found))
    code, printed = matrix(BAD, "--known", str(file), "--resume")
    assert code == CLEAN
    assert f"{len(found)} finding" in printed
    assert "all known" in printed
    (row,) = written(tmp_path / "out").values()
    assert all(one["known"] and one["upstream"] == "#7" for one in row["findings"])
    assert matrix(BAD, "--known", "builtin", "--resume")[0] == FOUND


@pytest.mark.parametrize(
    ("systems", "code"),
    [((GOOD,), CLEAN), ((GOOD, NOT_HERE), CANNOT_RUN), ((BAD, NOT_HERE), FOUND)],
)
def test_exit_codes(systems: tuple[str, ...], code: int, matrix: Matrix) -> None:
    assert matrix(*systems)[0] == code


def test_a_system_that_there_is_not_ends_it_before_anything_is_run(
    matrix: Matrix, tmp_path: Path
) -> None:
    code, printed = matrix(GOOD, "sglung")
    assert code == USAGE
    assert "no system is called 'sglung'" in printed
    assert not (tmp_path / "out").exists()
    code, printed = matrix(GOOD, "sglang==0.4.0", f"sglang@{tmp_path}")
    assert code == CANNOT_RUN
    assert "sglang==0.4.0: not run: radixproof drives SGLang" in printed
    assert f"sglang@{tmp_path}: not run: there is no SGLang in" in printed


def test_without_names_it_is_about_all_releases(matrix: Matrix, tmp_path: Path) -> None:
    assert matrix("-j", "2")[0] == CANNOT_RUN
    assert list(written(tmp_path / "out")) == all_names()
    assert "sglang==0.5.23+rust" in all_names()
    assert "sglang==0.5.12.post1+rust" not in all_names()


# -- gone on with ----------------------------------------------------------------------------------


def test_what_is_finished_is_not_done_again_and_the_table_is_that_of_one_run(
    matrix: Matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it depend on the number of processes."""
    whole = matrix(BAD, GOOD, NOT_HERE, out=tmp_path / "whole")
    matrix(BAD, NOT_HERE, "-j", "3")
    asked: list[str] = []
    search_all = side_by_side.search_all

    def watched(shards: Any, *rest: Any) -> Any:
        asked.extend(shard.system for shard in shards)
        return search_all(shards, *rest)

    monkeypatch.setattr(side_by_side, "search_all", watched)
    code, printed = matrix(BAD, GOOD, NOT_HERE, "--resume", "-j", "2")
    assert asked == [GOOD, NOT_HERE]
    assert "1 of 3 systems finished before" in printed
    assert code == whole[0]
    one, other = (
        {file.relative_to(tmp_path / out): file for file in (tmp_path / out).rglob("*.*")}
        for out in ("whole", "out")
    )
    assert one.keys() == other.keys()
    for name in ("matrix.json", "matrix.md", "matrix.html"):
        assert one[Path(name)].read_bytes() == other[Path(name)].read_bytes()


def test_a_table_is_not_overwritten_nor_mixed_with_another(matrix: Matrix, tmp_path: Path) -> None:
    matrix(GOOD)
    before = (tmp_path / "out" / "matrix.json").read_bytes()
    code, printed = matrix(GOOD)
    assert code == USAGE
    assert "go on with --resume, or choose another folder" in printed
    code, printed = matrix(GOOD, "--resume", "--seed", "2")
    assert code == USAGE
    assert re.search(r"was made with radixproof \S+, profile dev .* seed 1, .*, not with", printed)
    assert (tmp_path / "out" / "matrix.json").read_bytes() == before
    (tmp_path / "out" / "matrix.json").write_text("{")
    code, printed = matrix(GOOD, "--resume")
    assert code == USAGE
    assert "is no table of radixproof matrix" in printed


SHORT = """
import sys
from radixproof.properties.cli.main import main
from radixproof.properties.search.budget import PROFILES, Budget
PROFILES["dev"] = Budget(steps=500, examples=10)
sys.exit(main())
"""
"""A command line whose searches are over soon."""


def started(out: Path, *systems: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SHORT, "matrix", *systems, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=os.environ
        | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )


@pytest.mark.slow
@pytest.mark.parametrize("by", [signal.SIGKILL, again(signal.SIGINT)])
def test_an_interruption_leaves_a_table_that_is_gone_on_with(
    by: signal.Signals, tmp_path: Path
) -> None:
    """Its second system never ends."""
    endless = f"{SYSTEMS}:endless"
    out = tmp_path / "out"
    with started(out, GOOD, endless, "--step-seconds", "100") as running:
        while not (out / "matrix.json").exists() or not written(out)[GOOD]["complete"]:
            assert running.poll() is None, running.communicate()[0]
            time.sleep(0.05)
        running.send_signal(by)
        printed = running.communicate(timeout=60)[0]
    rows = written(out)
    assert (rows[GOOD]["complete"], rows[endless]["complete"]) == (True, False)
    assert "clean" not in rows[endless]["cells"].values()
    if by == signal.SIGINT:
        assert running.returncode == CANNOT_RUN
        assert "interrupted: 1 of 2 systems finished, and kept in" in printed
        assert "Traceback" not in printed
    with started(out, GOOD, "--step-seconds", "100", "--resume") as later:
        said = later.communicate(timeout=60)[0]
    assert later.returncode == CLEAN
    assert "1 of 1 system finished before" in said
    assert list(written(out)) == [GOOD]
