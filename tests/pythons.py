"""The Pythons of this machine that radixproof supports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST = 11
"""Of Python 3."""


def pythons() -> dict[str, Path]:
    """Per version, as ``3.12``, an interpreter: this one, or else the first that runs."""
    found = {f"3.{sys.version_info.minor}": Path(sys.executable).resolve()}
    for candidate in (*_on_the_path(), *_of_pyenv()):
        version = _version(candidate)
        if version is not None and version not in found:
            found[version] = candidate
    return dict(sorted(found.items(), key=lambda each: int(each[0].removeprefix("3."))))


def _on_the_path() -> Iterator[Path]:
    """Whatever is called ``python3.11``, ``python3.12`` and so on."""
    for folder in filter(None, os.environ.get("PATH", "").split(os.pathsep)):
        for path in sorted(Path(folder).glob("python3.*")):
            if re.fullmatch(r"python3\.\d+", path.name):
                yield path


def _of_pyenv() -> Iterator[Path]:
    """Those that pyenv has installed, whether or not one of them is chosen here."""
    pyenv = shutil.which("pyenv")
    if pyenv is not None:
        for version in _printed(pyenv, "versions", "--bare").split():
            prefix = _printed(pyenv, "prefix", version).strip()
            if prefix:
                yield Path(prefix) / "bin" / "python"


def _version(python: Path) -> str | None:
    """Its version if it runs, is supported, and can make environments."""
    code = "import ensurepip, venv, sys; print(*sys.version_info[:2])"
    version = _printed(str(python), "-c", code).split()
    supported = version[:1] == ["3"] and int(version[1]) >= OLDEST
    return ".".join(version) if supported else None


def _printed(*command: str) -> str:
    """What a command prints; nothing if it fails, as a shim does that stands for no Python."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return ran.stdout if ran.returncode == 0 else ""
