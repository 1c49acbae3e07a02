"""The killing suite: the soak of a `ci` search, on a cache whose core mutmut has changed somewhere.

mutmut runs it with pytest in a process for each mutant. A mutant that makes the soak report
anything, or hang, is killed.
"""

from __future__ import annotations

import signal
from types import FrameType

from radixproof.impl import registry
from radixproof.model.config import Config
from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.search.budget import PROFILES

SEED = 1
HANGS = 2.0
"""A history that takes so many seconds of processor time hangs: a hundred times what one takes."""


def test_the_soak_finds_nothing() -> None:
    radix = registry.find("radix")
    radix.build(Config())  # what it imports is not counted
    signal.signal(signal.SIGVTALRM, _hang)
    histories, steps = DRIVERS["soak"].histories(radix, SEED), 0
    try:
        while steps < PROFILES["ci"].steps:
            signal.setitimer(signal.ITIMER_VIRTUAL, HANGS)
            ran = next(histories)
            assert ran.breach is None
            steps += len(ran.history.operations)
    finally:
        signal.setitimer(
            signal.ITIMER_VIRTUAL, 0
        )  # mutmut also runs this in its own process, which goes on


def _hang(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError("no end in sight")
