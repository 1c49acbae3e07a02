"""The examples for CI are what they claim: valid, and red or green when they should be."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from radixproof.impl.sglang import store
from radixproof.properties.cli.exit_codes import CLEAN, FOUND
from radixproof.properties.known.files import BUILTIN, load_known

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples" / "ci"
WORKFLOW = EXAMPLES / "radixproof.yml"
FAULT = "fault:split-parent-not-backed-up"


def commands() -> list[str]:
    """The commands of radixproof in the workflow, in order."""
    job = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]
    runs = [str(step["run"]) for step in job["steps"] if "run" in step]
    return [run for run in runs if run.startswith("radixproof ")]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command line of radixproof, run in a folder."""
    _, *arguments = shlex.split(command)
    return subprocess.run(
        [sys.executable, "-m", "radixproof", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_actionlint_finds_nothing_in_the_workflow() -> None:
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which("actionlint", path=places)
    if program is None:
        pytest.skip("actionlint is not installed: pip install -r requirements-actions.txt")
    ran = subprocess.run([program, str(WORKFLOW)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_workflow_fetches_what_it_checks() -> None:
    fetch, check = map(shlex.split, commands())
    assert fetch[:3] == ["radixproof", "systems", "add"]
    assert check[:3] == ["radixproof", "check", "radix"]
    assert fetch[3:] == [check[3]]
    known = [value for option, value in pairwise(check) if option == "--known"]
    assert known == [BUILTIN, "known.toml"]


def test_the_file_of_known_findings_shows_how_one_is_written(tmp_path: Path) -> None:
    file = EXAMPLES / "known.toml"
    assert load_known(file).entries == ()
    shown = file.read_text().partition("#\n")[2]
    written = tmp_path / "known.toml"
    written.write_text(shown.replace("# ", ""))
    (entry,) = load_known(written).entries
    assert entry.counts(date(2027, 6, 30))
    assert not entry.counts(date(2027, 7, 1))


def hook(file: Path) -> str:
    """The command line of a hook of pre-commit."""
    read: Any = yaml.safe_load(file.read_text())
    (one,) = read if isinstance(read, list) else read["repos"][0]["hooks"]
    assert one["pass_filenames"] is False
    return str(one["entry"])


@pytest.mark.gate
@pytest.mark.slow
@pytest.mark.parametrize(
    "entry",
    [
        hook(EXAMPLES / ".pre-commit-config.yaml"),
        f"{hook(ROOT / '.pre-commit-hooks.yaml')} toy_adapter:target",
    ],
    ids=["in this environment", "in one of its own"],
)
def test_a_hook_lets_a_good_commit_pass_and_no_bad_one(entry: str, tmp_path: Path) -> None:
    for file in (ROOT / "examples" / "own_cache").glob("toy_*.py"):
        shutil.copy(file, tmp_path)
    passed = run(entry, tmp_path)
    assert passed.returncode == CLEAN, passed.stdout + passed.stderr
    bad = entry.replace("toy_adapter:target", "toy_bugs:split")
    assert bad != entry
    refused = run(bad, tmp_path)
    assert refused.returncode == FOUND, refused.stdout + refused.stderr


# -- the gate: minutes, and only with --gate -------------------------------------------------------

Gate = Callable[[Callable[[str], str]], subprocess.CompletedProcess[str]]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Runs the commands of the workflow, each changed by a function; returns the last."""
    shutil.copy(EXAMPLES / "known.toml", tmp_path)

    def run_all(change: Callable[[str], str]) -> subprocess.CompletedProcess[str]:
        *before, check = map(change, commands())
        for command in before:
            assert run(command, tmp_path).returncode == CLEAN
        return run(check, tmp_path)

    return run_all


def passed_over(ran: subprocess.CompletedProcess[str]) -> int:
    """Known findings that were passed over, in a check that found nothing new besides."""
    said = re.search(r", nothing new, (\d+) known findings passed over \(", ran.stdout)
    assert said, ran.stdout
    return int(said[1])


@pytest.mark.gate
@pytest.mark.sglang
def test_the_gate_is_green(gate: Gate, tmp_path: Path) -> None:
    if not store.prepared():
        pytest.skip("no release of SGLang is prepared")
    ran = gate(lambda command: command)
    assert ran.returncode == CLEAN, ran.stdout + ran.stderr
    assert "radix: " in ran.stdout
    assert ", clean (" in ran.stdout
    assert passed_over(ran) > 30
    assert "stale" not in ran.stdout
    suites = ElementTree.parse(tmp_path / "radixproof.xml").getroot()
    assert [suite.attrib["failures"] + suite.attrib["errors"] for suite in suites] == ["00", "00"]


@pytest.mark.gate
@pytest.mark.sglang
def test_the_gate_is_red_with_a_planted_bug_in_the_place_of_radix(gate: Gate) -> None:
    def planted(command: str) -> str:
        return command.replace(" check radix sglang==0.5.19 ", f" check {FAULT} ")

    ran = gate(planted)
    assert ran.returncode == FOUND
    assert f"PROGRESS/never-backed-up in {FAULT}" in ran.stdout


@pytest.mark.gate
@pytest.mark.sglang
def test_the_gate_is_red_without_one_of_the_entries(gate: Gate, tmp_path: Path) -> None:
    head, *tables = (ROOT / "properties" / "known" / "sglang.toml").read_text().split("[[finding]]")
    kept = [table for table in tables if '"LOCK/swa-too-few"' not in table]
    assert len(kept) == len(tables) - 1
    (tmp_path / "all_but_one.toml").write_text("[[finding]]".join([head, *kept]))

    def forgetting(command: str) -> str:
        """In a short search: what is missing is in the corpus, which is replayed first."""
        command = command.replace("--profile ci", "--profile dev")
        command = command.replace(" check radix ", " check ")
        return command.replace(f"--known {BUILTIN}", "--known all_but_one.toml")

    ran = gate(forgetting)
    assert ran.returncode == FOUND
    assert "LOCK/swa-too-few in sglang==0.5.19" in ran.stdout
    assert ran.stdout.count(": finding ") == 1
