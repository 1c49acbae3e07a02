"""What kills mutants of our implementation: the soak of a `ci` search.

mutmut runs it with pytest in a process for each mutant. One that makes the soak report anything, or
hang, is killed.
"""

from __future__ import annotations

from collections.abc import Callable

from radixproof.properties.search.budget import PROFILES


def test_the_soak_finds_nothing(soak: Callable[[int], None]) -> None:
    soak(PROFILES["ci"].steps)
