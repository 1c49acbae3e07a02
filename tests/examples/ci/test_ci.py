"""The examples for CI are what they claim: valid, and red or green when they should be."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from radixproof.impl.sglang import store
from radixproof.properties.cli.exit_codes import CLEAN, FOUND
from radixproof.properties.known.entry import Entry
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
    assert check[check.index("--known") + 1] == "known.toml"


def test_the_known_findings_are_those_of_our_own_list() -> None:
    theirs = load_known(EXAMPLES / "known.toml").entries
    assert {_words(entry) for entry in theirs} <= {
        _words(entry) for entry in load_known(BUILTIN).entries
    }


def _words(entry: Entry) -> tuple[str, ...]:
    return entry.signature, entry.reason, entry.releases, entry.upstream


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


@pytest.mark.gate
@pytest.mark.sglang
def test_the_gate_is_green(gate: Gate, tmp_path: Path) -> None:
    if not store.prepared():
        pytest.skip("no release of SGLang is prepared")
    started = time.monotonic()
    ran = gate(lambda command: command)
    took = time.monotonic() - started
    assert ran.returncode == CLEAN, ran.stdout + ran.stderr
    assert "radix: " in ran.stdout
    assert ", clean (" in ran.stdout
    assert ", nothing new, 35 known findings passed over (" in ran.stdout
    assert "stale" not in ran.stdout
    suites = ElementTree.parse(tmp_path / "radixproof.xml").getroot()
    assert [suite.attrib["failures"] + suite.attrib["errors"] for suite in suites] == ["00", "00"]
    assert took < 180, f"it took {took:.0f} s"


@pytest.mark.gate
@pytest.mark.sglang
def test_the_gate_is_red_with_a_planted_bug_in_the_place_of_radix(gate: Gate) -> None:
    ran = gate(lambda command: command.replace(" radix ", f" {FAULT} "))
    assert ran.returncode == FOUND
    assert f"PROGRESS/never-backed-up in {FAULT}" in ran.stdout
    assert ", nothing new, 35 known findings passed over (" in ran.stdout


@pytest.mark.gate
@pytest.mark.sglang
def test_the_gate_is_red_without_one_of_the_entries(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    head, *tables = file.read_text().split("[[finding]]")
    kept = [table for table in tables if "LOCK/swa-too-few" not in table]
    assert len(kept) == len(tables) - 1
    file.write_text("[[finding]]".join([head, *kept]))
    ran = gate(lambda command: command)
    assert ran.returncode == FOUND
    assert "LOCK/swa-too-few in sglang==0.5.19" in ran.stdout
    assert ran.stdout.count(": finding ") == 1
