"""Programs in processes of their own: what they print comes back, and nothing of them stays."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from . import own_process
from .own_process import completed, printed_by


def test_what_a_program_prints_comes_back() -> None:
    assert printed_by("import sys; print(sys.argv[1:], __name__)", "a", "b") == (
        "['a', 'b'] __main__\n"
    )


def test_each_has_a_process_of_its_own_in_which_no_release_is_imported() -> None:
    program = (
        "import os, sys; print(os.getpid(), 'sglang' in sys.modules); sys.modules['sglang'] = os"
    )
    first, second = printed_by(program).split(), printed_by(program).split()
    assert len({first[0], second[0], str(os.getpid())}) == 3
    assert first[1] == second[1] == "False"
    assert "sglang" not in sys.modules


def test_a_program_that_fails_is_an_error() -> None:
    with pytest.raises(AssertionError, match="exit code 1"):
        printed_by("1 / 0")


COMMAND = """
import os, sys, time
print(sys.argv[1:], os.getcwd(), os.environ["FROM_THE_TEST"], os.path.exists(__file__))
print("oh", file=sys.stderr)
time.sleep(float(sys.argv[1]))
sys.exit(3)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a_command.py").write_text(COMMAND)
    monkeypatch.setenv("FROM_THE_TEST", "yes")
    return tmp_path


def test_a_command_runs_in_its_folder_with_the_variables_of_the_test(folder: Path) -> None:
    ran = completed("a_command", "0", "b", cwd=folder)
    assert (ran.returncode, ran.stderr) == (3, "oh\n")
    assert ran.stdout == f"['0', 'b'] {folder} yes True\n"
    assert folder != Path.cwd()


def test_a_command_without_an_end_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_process, "SECONDS", 0.5)
    with pytest.raises(AssertionError, match=r"a_command did not end within 0\.5 seconds"):
        completed("a_command", "60", cwd=folder)
