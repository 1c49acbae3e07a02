"""Programs in processes of their own: what they print comes back, and nothing of them stays."""

from __future__ import annotations

import os
import sys

import pytest

from .own_process import printed_by


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
