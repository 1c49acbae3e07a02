"""What the killers share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from radixproof.impl import registry
from radixproof.model.config import Config
from radixproof.properties.power.compared_drivers import DRIVERS

SEED = 1


@pytest.fixture(autouse=True)
def imported() -> None:
    """What the cache imports is not counted."""
    registry.find("radix").build(Config())


@pytest.fixture
def soak(part_done: Callable[[], None]) -> Callable[[int], None]:
    """Has our own cache searched by the soak, for so many steps, which may report nothing."""

    def is_clean(wanted: int) -> None:
        histories, steps = DRIVERS["soak"].histories(registry.find("radix"), SEED), 0
        while steps < wanted:
            ran = next(histories)
            assert ran.breach is None
            steps += len(ran.history.operations)
            part_done()

    return is_clean
