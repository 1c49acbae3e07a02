"""The benchmark of planted bugs in small scopes runs: one that is found, and one that is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "small_scopes.py"


@pytest.mark.slow
def test_it_names_a_scope_or_none(tmp_path: Path) -> None:
    page = tmp_path / "found.md"
    faults = ("ack-keeps-lock", "free-pages-ordered-by-own-copies")
    command = [sys.executable, str(BENCHMARK), "--faults", *faults, "--out", str(page)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "2 of 2: Row(" in ran.stderr
    title, _, says, _, _, _, found, missed = page.read_text(encoding="utf-8").splitlines()
    assert title == "# Planted bugs in small scopes"
    assert says.startswith("1 of 2 planted bugs (50.0%) are found in the 141 scopes")
    assert found.startswith("| ack-keeps-lock | ")
    assert missed.startswith("| free-pages-ordered-by-own-copies | not found |  | ")
