"""Which Pythons are supported is said in several places, and the same in all of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from .pythons import OLDEST, pythons

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_package_and_the_makefile_name_the_same_versions() -> None:
    (listed,) = re.findall(r"^SUPPORTED := (.*)$", MAKEFILE, re.MULTILINE)
    named = [line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"]]
    assert sorted(listed.split()) == sorted(named)
    assert min(named) == f"3.{OLDEST}"
    assert PROJECT["project"]["requires-python"] == f">=3.{OLDEST}"
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py3{OLDEST}"
    oldest, newest = min(named), max(named)
    assert f"Python {oldest} to {newest}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_pythons_are_found_and_none_that_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = next(iter(pythons().values()))
    for name, text in (
        ("python3.40", f'#!/bin/sh\nexec {here} "$@"\n'),
        ("python3.41", "#!/bin/sh\nexit 127\n"),
        ("python3.42", "#!/bin/sh\necho 3 42\n"),
        ("python3.8", "#!/bin/sh\necho 3 8\n"),
        ("python3.x", "#!/bin/sh\necho 3 99\n"),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = pythons()
    assert found["3.42"] == tmp_path / "python3.42"
    assert len(found) == 2
