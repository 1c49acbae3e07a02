"""Nothing outlives the process that started it, also if that is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from radixproof.properties.guarding.lifeline import end_with_parent

PARENT = """
import multiprocessing, sys, time
from {module} import child
if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=child, args=(sys.argv[1],))
    process.start()
    time.sleep(600)
"""
CHILD = """
import ctypes, time
from radixproof.properties.guarding.lifeline import end_with_parent

def child(how):
    end_with_parent()
    print("begins", flush=True)
    if how == "waits":
        time.sleep(600)
    if how == "keeps the interpreter":
        ctypes.PyDLL(None).sleep(600)
    while True:
        pass
"""


@pytest.mark.parametrize(
    "how",
    [
        "waits",
        "computes",
        pytest.param(
            "keeps the interpreter",
            marks=pytest.mark.skipif(
                sys.platform != "linux", reason="elsewhere a hang in C lets no thread run"
            ),
        ),
    ],
)
def test_a_child_ends_when_its_parent_is_killed(how: str, tmp_path: Path) -> None:
    """Its output is closed only when the last process has ended that could write to it."""
    (tmp_path / "the_child.py").write_text(CHILD)
    (tmp_path / "parent.py").write_text(PARENT.format(module="the_child"))
    with subprocess.Popen(
        [sys.executable, "parent.py", how], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert next(running.stdout) == "begins\n"
        running.kill()
        rest, _ = running.communicate(timeout=60)
        assert rest == ""


def test_a_process_that_nobody_started_goes_on() -> None:
    before = threading.active_count()
    end_with_parent()
    assert threading.active_count() == before, "nothing follows a parent that there is not"
