"""Programs in a process that hashes strings otherwise: what they print must not depend on that."""

from __future__ import annotations

import os
import subprocess
import sys


def printed_with_other_hashes(program: str) -> str:
    """What a program prints in a process whose hashes of strings are not those of this one."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
