"""What kills mutants of our implementation: the soak of a `ci` search.

mutmut runs it with pytest in a process for each mutant. One that makes the soak report anything, or
hang, is killed.
"""

from __future__ import annotations

from radixproof.impl import registry
from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.search.budget import PROFILES

SEED = 1


def test_the_soak_finds_nothing() -> None:
    histories, steps = DRIVERS["soak"].histories(registry.find("radix"), SEED), 0
    while steps < PROFILES["ci"].steps:
        ran = next(histories)
        assert ran.breach is None
        steps += len(ran.history.operations)
