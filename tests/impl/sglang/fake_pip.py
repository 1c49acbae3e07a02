"""What pip delivers, without pip: wheels as small as can be, and a store that they lie in."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

from radixproof.impl.sglang import store

TREE = "sglang/srt/mem_cache/unified_radix_cache.py"
RECORD = "sglang.dist-info/RECORD"
CONTENT = "x = 1\n"
DIGEST = "nia_NpkRxFwkPGhBR7I_yeHc_PJX0pmhxjIBam_NM_Q"
Pip = Callable[[list[str]], "subprocess.CompletedProcess[str]"]


def record(*members: str) -> str:
    """A wheel's list of its files, each with a content of six bytes."""
    lines = [f"{member},sha256={DIGEST},{len(CONTENT)}\n" for member in members]
    return "".join([*lines, f"{RECORD},,\n"])


def deliver(*members: str) -> Pip:
    """A pip that leaves a wheel with these members in the folder it is told."""

    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        folder = next(
            word.removeprefix("--dest=") for word in command if word.startswith("--dest=")
        )
        with zipfile.ZipFile(Path(folder, "sglang-0.5.13.post1-py3-none-any.whl"), "w") as wheel:
            for member in members:
                wheel.writestr(member, CONTENT)
            wheel.writestr(RECORD, record(*members))
        return subprocess.CompletedProcess(command, 0, "Saved a wheel", "")

    return pip


def fail(stderr: str) -> Pip:
    """A pip that says this, and fails."""
    return lambda command: subprocess.CompletedProcess(command, 1, "", stderr)


def prepare(home: Path, version: str) -> Path:
    """A release in the store, as small as can be."""
    folder = home / "systems" / f"sglang-{version}"
    (folder / TREE).parent.mkdir(parents=True)
    (folder / RECORD).parent.mkdir()
    (folder / TREE).write_text(CONTENT)
    (folder / RECORD).write_text(record(TREE))
    return folder


def nothing_in(home: Path) -> bool:
    """Whether the store is as empty as can be."""
    return list((home / "systems").iterdir()) == [] and store.prepared() == []
