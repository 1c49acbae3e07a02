"""Commands on the store that are killed, or at work at the same time, as processes of their own.

pip is a fake here: it delivers a wheel of some hundred files.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from radixproof.impl.sglang import store

from ...releases import again
from .fake_pip import CONTENT, DIGEST, RECORD, TREE

VERSION = "0.5.13.post1"
COMMAND = """
import shutil, subprocess, sys, time
def pip(command, **_):
    into = next(word.removeprefix("--dest=") for word in command if word.startswith("--dest="))
    time.sleep(0.02)
    shutil.copy(wheel, into)
    return subprocess.CompletedProcess(command, 0, "", "")
wheel = sys.argv.pop(1)
subprocess.run = pip
import radixproof.impl.sglang.store as store
store.installed_version = lambda: None
from radixproof.properties.cli.main import main
print("begins", flush=True)
sys.exit(main())
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """As pip would deliver it."""
    members = [TREE, *(f"sglang/part_{number}.py" for number in range(400))]
    listing = [f"{member},sha256={DIGEST},{len(CONTENT)}\n" for member in members]
    with zipfile.ZipFile(tmp_path / "sglang-0.5.13.post1-py3-none-any.whl", "w") as archive:
        for member in members:
            archive.writestr(member, CONTENT)
        archive.writestr(RECORD, "".join(listing))
    return tmp_path / "sglang-0.5.13.post1-py3-none-any.whl"


def begun(wheel: Path, home: Path, *command: str) -> subprocess.Popen[str]:
    """A command on systems, as it begins."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(wheel), "systems", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"RADIXPROOF_HOME": str(home), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process


def in_the_store(home: Path) -> list[str]:
    return sorted(entry.name for entry in (home / "systems").glob("*sglang-*"))


@pytest.mark.slow
@pytest.mark.torture(all=100, share=4)
@pytest.mark.parametrize(
    ("command", "before"),
    [
        pytest.param("add", False, id="add"),
        again("add --force", True, id="force"),
        again("remove", True, id="remove"),
    ],
)
def test_a_command_that_is_killed_leaves_a_whole_release_or_none(
    command: str, before: bool, cases: range, wheel: Path, home: Path
) -> None:
    """After it the release is there as it was released, or it is not there at all; and what is left
    over is cleaned away by the next command.
    """
    begins = time.monotonic()
    begun(wheel, home, "add", f"sglang=={VERSION}").communicate(timeout=60)
    whole = time.monotonic() - begins
    if not before:
        store.remove(VERSION)
    seen = set()
    for number in cases:
        if before and not store.prepared():
            begun(wheel, home, "add", f"sglang=={VERSION}").communicate(timeout=60)
        process = begun(wheel, home, *command.split(), f"sglang=={VERSION}")
        time.sleep(random.Random(number).uniform(0, whole))
        process.kill()
        process.communicate(timeout=60)
        present = store.prepared()
        assert store.damaged() == {}
        if present:
            store.verify(VERSION)
        seen.add((tuple(present), len(in_the_store(home)) > len(present)))
        store.clean()
        assert in_the_store(home) == [f"sglang-{VERSION}"] * len(present)
        if not before and present:
            store.remove(VERSION)
    assert len(cases) < 100 or len(seen) > 1, "they were killed at different moments"


@pytest.mark.slow
@pytest.mark.parametrize("options", [pytest.param((), id="add"), again(("--force",), id="force")])
def test_several_processes_that_add_the_same_release_all_succeed(
    options: tuple[str, ...], wheel: Path, home: Path
) -> None:
    adding = [begun(wheel, home, "add", *options, f"sglang=={VERSION}") for _ in range(4)]
    for process in adding:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
    assert in_the_store(home) == [f"sglang-{VERSION}"]
    store.verify(VERSION)
