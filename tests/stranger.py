"""What a stranger has: a wheel, an empty folder, and the tutorial, to be followed word for word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "docs" / "your-own-cache.md"
SOURCES = ("radixproof", "model", "impl", "properties", "corpus", "examples", "docs")
LETTERS = ("pyproject.toml", "README.md", "LICENSE")

SHOWN = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRESS = re.compile(r"^\S+: [\d,]+ of [\d,]+ steps.*$", re.MULTILINE)
END = "@@@ the end of a block @@@"


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of the tutorial, and what it says that they print."""

    commands: str
    printed: str


def blocks(text: str) -> list[Block]:
    """The blocks of a tutorial in order. Commands are followed by what they print, if by anything
    of interest.
    """
    found: list[Block] = []
    for kind, body in SHOWN.findall(text):
        if kind == "sh":
            found.append(Block(body, ""))
        elif kind == "text":
            found[-1] = Block(found[-1].commands, body)
    return found


def code(text: str) -> list[str]:
    return [body for kind, body in SHOWN.findall(text) if kind == "python"]


def build(folder: Path) -> Path:
    """A wheel of these sources, built from a copy, so that no file of an earlier build is in it."""
    copy = folder / "sources"
    for name in SOURCES:
        unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=unwanted)
    for name in LETTERS:
        shutil.copy(ROOT / name, copy)
    arguments = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(copy)]
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def follow(text: str, python: Path, wheel: Path, folder: Path) -> list[str]:
    """Run all commands of a tutorial in one shell, in an empty folder with a wheel in it, where
    ``python3`` is the given one. Returns what each block printed.
    """
    tools = folder / "tools"
    tools.mkdir()
    (tools / "python3").symlink_to(python)
    empty = folder / "empty"
    empty.mkdir()
    shutil.copy(wheel, empty)
    script = "".join(f"{block.commands}\necho '{END}'\n" for block in blocks(text))
    known = ("HOME", "LANG", "TMPDIR")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in known or name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    ran = subprocess.run(
        ["bash"],
        input=script,
        cwd=empty,
        env=kept | {"PATH": f"{tools}{os.pathsep}{os.defpath}", "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return PROGRESS.sub("", ran.stdout).split(f"{END}\n")[:-1]


def missing(promised: str, printed: str) -> str | None:
    """The first line that a tutorial promises and that does not come, in that order.

    ``...`` in it stands for anything, and other lines may come in between.
    """
    lines = iter(printed.splitlines())
    for line in promised.splitlines():
        pattern = ".*".join(map(re.escape, line.split("...")))
        if not any(re.fullmatch(pattern, other.rstrip()) for other in lines):
            return line
    return None
