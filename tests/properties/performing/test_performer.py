"""The performer: what it asks of a system, and nothing that a model would have to tell it."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from radixproof.impl.operations import (
    OPERATIONS,
    Arrive,
    Evict,
    EvictHost,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Prefill,
    Reset,
    Unlock,
)
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config, Pool
from radixproof.properties.performing.outcomes import Crashed, Done, Freed, Skipped
from radixproof.properties.performing.performer import PERFORM, Performer
from radixproof.properties.performing.step import Step

from ..deeds import AB, ABC, PLAIN, SETTLE, WINDOWED, B, C
from ..promised import promised


@pytest.fixture
def performer(radix: Target) -> Callable[[Config], Performer]:
    return lambda config: Performer(radix, config)


def done(performer: Performer, *operations: Operation) -> list[Step]:
    """The parts of the last of these operations."""
    return [list(performer.perform(operation)) for operation in operations][-1]


def test_every_kind_of_operation_has_a_way_to_be_performed() -> None:
    assert set(PERFORM) == set(OPERATIONS)


def test_a_system_that_is_done_with_is_freed_at_once(
    performer: Callable[[Config], Performer],
) -> None:
    performer(PLAIN).close()  # what it imports may keep those who imported it
    gc.disable()
    try:
        one = performer(PLAIN)
        done(one, Insert(AB), Match(AB))
        system = weakref.ref(one.system)
        one.close()
        del one
        assert system() is None
    finally:
        gc.enable()


def test_a_cache_is_reset_under_its_copies_and_not_under_its_locks(
    performer: Callable[[Config], Performer],
) -> None:
    one = performer(PLAIN)
    (step,) = done(one, Insert(AB), Lock("r", AB), Reset())
    assert step.outcome == Skipped("the cache is not idle")
    (step,) = done(one, Unlock("r"), Reset())
    assert step.outcome == Done()
    assert one.system.in_flight() == 0
    (step,) = done(one, Insert(AB), SETTLE, Evict(2), LoadBack(AB), Reset())
    assert step.outcome == Done()
    assert one.system.in_flight() == 0


def test_room_is_made_as_the_allocator_counts(performer: Callable[[Config], Performer]) -> None:
    """Not as it should count: an engine knows nothing else."""
    one = performer(Config(device_pages=4))
    done(one, Insert(B), Insert(C), SETTLE, Arrive("q", ABC))
    assert done(one, Prefill("q", 1))[0].outcome == Done(1)
    system: Any = one.system
    available = system.available
    system.available = lambda pool: available(pool) - (pool is Pool.FULL)
    evicted = done(one, Prefill("q", 1))[0]
    assert (evicted.operation, evicted.outcome) == (Evict(1), Freed(1))


def test_what_the_system_raises_ends_the_operation(
    performer: Callable[[Config], Performer],
) -> None:
    one = performer(WINDOWED)
    system: Any = one.system
    system.insert = lambda *arguments: 1 // 0
    *_, last = done(one, Arrive("q", ABC), Prefill("q", 1))
    assert last.operation == Prefill("q", 1)
    assert isinstance(last.outcome, Crashed)
    assert last.outcome.error == "ZeroDivisionError"


PROGRAM = """
import sys
import weakref
import radixproof.properties.performing.performer
print([name for name in sys.modules
       if name.startswith(("radixproof.model.specification", "radixproof.model.following"))
       or name.startswith("radixproof.properties.judging")])
"""


def test_it_knows_no_model_and_no_judge() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("operation", "config"),
    [
        (Evict(1, 1, 1), PLAIN),
        (Evict(1, 1, 1), WINDOWED),
        (Insert(ABC, priority=3), PLAIN),
        (Insert(ABC, state=True), PLAIN),
        (EvictHost(1, Component.SWA), PLAIN),
    ],
    ids=str,
)
def test_nothing_is_asked_that_a_system_of_this_configuration_need_not_know(
    radix: Target, operation: Operation, config: Config
) -> None:
    performer = Performer(promised(radix), config)
    parts = done(performer, Insert(AB), operation)
    assert not any(isinstance(part.outcome, Crashed) for part in parts)
