"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from radixproof.properties.search.budget import PROFILES, Budget

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def block(with_text: str) -> str:
    (found,) = [block for block in BLOCKS if with_text in block]
    return str(found)


@pytest.mark.slow
def test_the_example_for_pytest_is_collected_and_passes(tmp_path: Path) -> None:
    file = tmp_path / "test_example.py"
    settings = (
        "from hypothesis import settings\n\n{}\nTestRadix.settings = settings(max_examples=5)\n"
    )
    file.write_text(settings.format(block(".TestCase")))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def test_the_example_of_the_functions_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PROFILES, "dev", Budget(steps=1_500, examples=5))
    exec(block("radixproof.check("), {})
    assert "PROGRESS/never-backed-up in fault:split-parent" in capsys.readouterr().out
