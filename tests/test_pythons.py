"""The core on every supported Python of this machine: from the wheel, without torch.

It is run by `make pythons` only: each Python gets an environment of its own, with pinned versions.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .pythons import pythons
from .stranger import ROOT, TUTORIAL, blocks, follow, missing

CORE = (
    "tests/model",
    "tests/radixproof/test_checking.py",
    "tests/radixproof/test_radixproof.py",
    "tests/radixproof/test_radixproof_without_torch.py",
    "tests/examples/own_cache",
    "tests/properties/accepting",
    "tests/properties/histories/test_history_json.py",
    "tests/properties/histories/test_history_json_fuzz.py",
    "tests/impl/test_premises.py",
    "tests/impl/test_scope.py",
    "tests/impl/test_system.py",
)
"""Tests that need no torch: the model, the public surface, and caches in plain Python."""

PYTHONS = pythons()


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> Path:
    return PYTHONS[request.param]


def test_the_core_passes_its_tests(python: Path, wheel: Path, tmp_path: Path) -> None:
    subprocess.run([str(python), "-m", "venv", str(tmp_path)], check=True)
    tools = tmp_path / "bin"
    pinned = ["--constraint", str(ROOT / "requirements.txt")]
    wanted = [str(wheel), "pytest", "pytest-xdist"]
    pip = [str(tools / "python"), "-m", "pip", "install", "--quiet", *pinned, *wanted]
    subprocess.run(pip, check=True)
    where = [str(tools / "python"), "-I", "-c", "import radixproof; print(radixproof.__file__)"]
    assert str(tmp_path) in subprocess.check_output(where, text=True)
    ran = subprocess.run(
        [str(tools / "pytest"), "-q", "-p", "no:cacheprovider", *CORE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-10_000:] + ran.stderr
    passed = re.search(r"^(\d+) passed", ran.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 1_000


def test_the_tutorial_can_be_followed(python: Path, wheel: Path, tmp_path: Path) -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    for block, printed in zip(blocks(text), follow(text, python, wheel, tmp_path), strict=True):
        assert missing(block.printed, printed) is None, block.commands + printed
