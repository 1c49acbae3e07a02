"""What kills mutants of our implementation: the soak of a `ci` search.

mutmut runs it with pytest in a process for each mutant. One that makes the soak report anything, or
hang, is killed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from radixproof.impl import registry
from radixproof.model.config import Config
from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.search.budget import PROFILES

SEED = 1


@pytest.fixture(autouse=True)
def imported() -> None:
    """What the cache imports is not counted."""
    registry.find("radix").build(Config())


def test_the_soak_finds_nothing(part_done: Callable[[], None]) -> None:
    histories, steps = DRIVERS["soak"].histories(registry.find("radix"), SEED), 0
    while steps < PROFILES["ci"].steps:
        ran = next(histories)
        assert ran.breach is None
        steps += len(ran.history.operations)
        part_done()
