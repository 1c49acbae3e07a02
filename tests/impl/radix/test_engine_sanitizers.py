"""What sanitizers for CUDA say of our copies, on a GPU: torch's own, and NVIDIA's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("sanitized.py")
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.gpu


def watched(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )


def test_torch_sees_that_copies_and_forward_passes_are_ordered() -> None:
    ran = watched(sys.executable, str(SCRIPT), TORCH_CUDA_SANITIZER="1")
    assert ran.returncode == 0, ran.stderr


def test_torch_sees_a_backup_that_waits_for_nothing() -> None:
    ran = watched(sys.executable, str(SCRIPT), "--careless", TORCH_CUDA_SANITIZER="1")
    assert ran.returncode != 0
    assert "CSAN detected a possible data race" in ran.stderr


@pytest.mark.skipif(shutil.which("compute-sanitizer") is None, reason="needs compute-sanitizer")
@pytest.mark.parametrize("tool", ["memcheck", "racecheck"])
def test_nvidia_sees_nothing(tool: str) -> None:
    options = "--tool", tool, "--error-exitcode", "9"
    ran = watched("compute-sanitizer", *options, sys.executable, str(SCRIPT))
    assert ran.returncode == 0, ran.stdout + ran.stderr
