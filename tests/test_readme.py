"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from radixproof.properties.search.budget import PROFILES, Budget

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
INSTALLED = bool(entry_points(group="pytest11", name="radixproof"))
PLUGIN = [] if INSTALLED else ["-p", "radixproof.properties.testing.plugin"]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def block(with_text: str) -> str:
    (found,) = [block for block in BLOCKS if with_text in block]
    return str(found)


@pytest.mark.slow
def test_the_example_for_pytest_is_red_and_shows_what_is_shown_here(tmp_path: Path) -> None:
    # Where a variable says that this is continuous integration, Hypothesis ignores seeds by itself.
    ran = run(tmp_path, block(".TestCase"), "--hypothesis-seed=1", "--hypothesis-profile=default")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    shown = re.search(
        r"^```\n(PROGRESS/[^\n]* in fault:.*?)^```$", README, re.DOTALL | re.MULTILINE
    )
    assert shown is not None
    assert shown[1] in ran.stdout


@pytest.mark.slow
def test_the_check_of_one_line_is_green(tmp_path: Path) -> None:
    ran = run(tmp_path, block("radix_check"), "--radix-system=radix")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def run(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file with this source."""
    (folder / "test_example.py").write_text(source)
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-q", *arguments, "test_example.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_example_of_the_functions_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PROFILES, "dev", Budget(steps=1_500, examples=5))
    exec(block("radixproof.check("), {})
    assert "PROGRESS/never-backed-up in fault:split-parent" in capsys.readouterr().out
