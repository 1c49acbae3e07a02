"""The benchmark for a GPU runs, dry, and says without one what it lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARK), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_it_runs_on_a_cpu_and_writes_what_it_says(tmp_path: Path) -> None:
    ran = run("--dry", "--seconds", "0.1", "--out", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert found["where"].startswith("dry: a CPU")
    assert {(one["direction"], one["layout"]) for one in found["moved"]} == {
        (direction, layout)
        for direction in ("device to host", "host to device")
        for layout in ("layer-first", "page-first")
    }
    page = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert page.count("\n|") == 2 + len(found["moved"])
    chart = ElementTree.fromstring((tmp_path / "gpu.svg").read_text(encoding="utf-8"))
    assert len(chart.findall("{*}polyline")) == 4
    assert "checked steps a second, found: 0" in page


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where there is no CUDA device")
def test_without_a_gpu_it_measures_nothing() -> None:
    ran = run()
    assert ran.returncode == 3
    assert "sees no CUDA device" in ran.stderr
