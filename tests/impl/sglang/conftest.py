"""A store of releases in a folder of its own, and a pip that does what it is told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from radixproof.impl.sglang import store

from .fake_pip import Pip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(store, "installed_version", lambda: None)
    return tmp_path / "home"


@pytest.fixture
def use_pip(monkeypatch: pytest.MonkeyPatch) -> Callable[[Pip], list[list[str]]]:
    """Installs a fake pip; returns the list that its command lines are recorded in."""

    def use(pip: Pip) -> list[list[str]]:
        calls: list[list[str]] = []

        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            calls.append(command)
            return pip(command)

        monkeypatch.setattr(subprocess, "run", run)
        return calls

    return use
