"""The benchmark of what checking costs runs: a figure is measured for each kind of cache."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "checking.py"


def test_it_measures_every_kind_of_cache() -> None:
    command = [sys.executable, str(BENCHMARK), "--steps", "20", "--nodes", "5"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    _, _, *rows = ran.stdout.splitlines()
    assert len(rows) >= 5
    assert all(float(row.strip("| ").split("|")[-1]) > 0 for row in rows), ran.stdout
