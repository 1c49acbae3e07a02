"""Targets are named and listed without torch, which takes seconds to import."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from radixproof.impl import faults, operations, registry, system
assert all(fault.sentence for fault in faults.FAULTS.values())
assert registry.find("radix").summary
assert registry.find("fault:ack-keeps-lock").summary
assert len(registry.locally()) > len(faults.FAULTS)
print("torch" in sys.modules)
from radixproof.model.config import Config
registry.find("fault:ack-keeps-lock").build(Config())
print("torch" in sys.modules)
"""


def test_torch_is_imported_when_a_cache_is_built_and_not_before() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "True"]
