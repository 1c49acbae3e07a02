"""The kernel that moves rows itself, run by Triton's interpreter, against the indexed copy."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("triton") is None, reason="needs Triton: make kernels installs it"
)

SCRIPT = Path(__file__).with_name("direct_and_indexed.py")


@pytest.mark.parametrize("layouts", list(product((False, True), repeat=2)))
def test_the_kernel_moves_what_an_indexed_copy_moves(layouts: tuple[bool, bool]) -> None:
    """In a process of its own: what interprets kernels is chosen before they are compiled."""
    ran = subprocess.run(
        [sys.executable, SCRIPT, *(str(int(page_first)) for page_first in layouts)],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["same"] * 4
