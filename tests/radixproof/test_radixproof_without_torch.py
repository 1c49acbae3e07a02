"""A pure-Python cache is checked where there is no torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..releases import AGAIN

ROOT = Path(__file__).resolve().parents[2]
BLOCKER = '''
import sys

class Blocker:
    """Nothing of these can be imported."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "numpy", "sglang"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
'''


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a user whose Python has no torch; in child processes neither."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "blocked").mkdir()
    (folder / "blocked" / "sitecustomize.py").write_text(BLOCKER)
    for file in (ROOT / "examples" / "own_cache").glob("toy_*.py"):
        shutil.copy(file, folder)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(folder / "blocked"), str(ROOT)))
    return subprocess.run(
        [sys.executable, "-P", "-m", "radixproof", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@AGAIN
def test_there_is_no_torch_here(bare: Path) -> None:
    ran = run(bare, "check", "radix")
    assert ran.returncode == 3
    assert "radixproof: radix needs torch and numpy, which are not installed: pip" in ran.stderr
    assert run(bare, "systems").returncode == 0
    assert run(bare, "faults").returncode == 3


@AGAIN
@pytest.mark.slow
def test_a_cache_is_checked_replayed_and_shrunk(bare: Path) -> None:
    found = run(bare, "check", "toy_bugs:split")
    assert found.returncode == 1, found.stderr
    assert "in toy_bugs:split" in found.stdout
    (first, *_) = sorted((bare / "findings" / "toy-bugs-split").glob("*/*.json"))
    command = next(line for line in found.stdout.splitlines() if line.startswith("Replay: "))
    assert command.endswith(" --system toy_bugs:split")
    named = (str(first), "--system", "toy_bugs:split")
    assert run(bare, "replay", *named).returncode == 1
    assert run(bare, "shrink", *named).returncode == 1
    assert run(bare, "replay", str(first), "--system", "toy_adapter:target").returncode == 0
    unnamed = run(bare, "replay", str(first))
    assert unnamed.returncode == 2
    assert "imported only if you name it: --system toy_bugs:split" in unnamed.stderr
