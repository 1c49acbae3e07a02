"""Prefetches: what is taken for them, and given back, however they end (semantics 10.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from radixproof.impl.operations import (
    EndPrefetch,
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    Match,
    Operation,
    Prefetch,
    Refuse,
    Reset,
    Unlock,
)
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.outcomes import Done, Locked, Matched, Skipped
from radixproof.properties.performing.performer import Performer
from radixproof.properties.performing.step import Step
from radixproof.properties.running.run import Run

from ..deeds import AB, ABC, PLAIN, SETTLE, WRITE_BACK, A

OTHER = Key((9, 8))
LOCK = "f's lock"
PAGED = Config(page_size=2)


class Host:
    """A cache whose prefetches are performed, with its free host slots."""

    def __init__(self, target: Target, config: Config) -> None:
        self.performer = Performer(target, config)
        self.ledger = self.performer.ledger

    def does(self, *operations: Operation) -> list[Step]:
        """The parts of the last of these operations."""
        return [list(self.performer.perform(operation)) for operation in operations][-1]

    @property
    def free(self) -> int:
        return self.performer.system.available(Pool.FULL_HOST)

    @property
    def held(self) -> int:
        """Slots that are neither free nor the tree's."""
        return len(self.ledger.rows[Pool.FULL_HOST])


@pytest.fixture
def host(radix: Target) -> Callable[[Config], Host]:
    return lambda config: Host(radix, config)


Start = Callable[..., Host]


def acts(steps: list[Step]) -> list[object]:
    return [step.operation for step in steps]


def test_the_prefix_is_locked_and_slots_are_taken_for_the_rest(host: Start) -> None:
    one = host(PLAIN)
    steps = one.does(Insert(A), SETTLE, Prefetch("f", ABC))
    assert acts(steps) == [HostLock(LOCK, ABC), Prefetch("f", ABC)]
    assert [step.outcome for step in steps] == [Locked(1), Done(2)]
    assert (one.held, one.free) == (2, 13)


def test_what_has_come_is_handed_over_below_where_the_prefix_ended(host: Start) -> None:
    one = host(PLAIN)
    one.does(Insert(A), SETTLE, Prefetch("f", ABC), HostInsert(AB))
    handed, unlocked = one.does(EndPrefetch("f"))
    assert (handed.operation, handed.outcome, handed.fetched) == (HostInsert(ABC), Done(1), 1)
    assert unlocked.operation == Unlock(LOCK)
    assert (one.held, one.free, one.ledger.idle) == (0, 13, True)


@pytest.mark.parametrize(
    ("tokens", "key", "kept"), [(0, None, 0), (1, None, 0), (2, AB, 2), (3, AB, 2), (9, None, 4)]
)
def test_what_has_not_come_is_given_back(
    host: Start, tokens: int, key: Key | None, kept: int
) -> None:
    one = host(PAGED)
    whole = Key((1, 2, 3, 4))
    steps = one.does(Prefetch("f", Key((1, 2, 3, 4, 5))), EndPrefetch("f", tokens))
    handed = [HostInsert(key or whole)] if kept else []
    assert acts(steps) == [*handed, Unlock(LOCK)]
    assert (one.held, one.free) == (0, 32 - kept)


def test_room_is_made_after_the_prefix_is_locked(host: Start) -> None:
    one = host(Config(host_pages=3))
    one.does(Insert(A), SETTLE, Insert(OTHER), SETTLE, Evict(8))
    steps = one.does(Prefetch("f", ABC))
    assert acts(steps) == [HostLock(LOCK, ABC), EvictHost(2), Prefetch("f", ABC)]
    assert (one.held, one.free) == (2, 0)


@pytest.mark.parametrize("why", ["full", "refused"])
def test_without_room_it_ends_at_once(host: Start, why: str) -> None:
    one = host(Config(host_pages=2 if why == "full" else 16))
    one.does(Insert(AB), SETTLE)
    if why == "refused":
        one.does(Refuse(Pool.FULL_HOST))
    *_, unlocked, begun = one.does(Prefetch("f", ABC))
    assert begun.outcome == Skipped("the host has no room")
    assert begun.refused == [(Pool.FULL_HOST, 1)]
    assert unlocked.operation == Unlock(LOCK)
    assert (one.held, one.ledger.idle) == (0, True)
    (ended,) = one.does(EndPrefetch("f"))
    assert ended.outcome == Skipped("there is no prefetch f")


@pytest.mark.parametrize("key", [Key(()), AB, Key((1, 2, 3))])
def test_where_nothing_is_missing_it_is_a_match(host: Start, key: Key) -> None:
    one = host(PAGED)
    (step,) = one.does(Insert(AB), Prefetch("f", key))
    assert step.operation == Match(key)
    assert isinstance(step.outcome, Matched)
    assert one.ledger.idle


@pytest.mark.parametrize(("stored", "taken"), [(3, 2), (9, 4), (-1, 0), (1, 0)])
def test_storage_may_have_less(host: Start, stored: int, taken: int) -> None:
    one = host(PAGED)
    steps = one.does(Prefetch("f", Key((1, 2, 3, 4, 5)), stored))
    outcome = Done(taken) if taken else Skipped("storage has nothing of it")
    assert (steps[-1].outcome, one.held) == (outcome, taken)
    assert one.ledger.idle == (not taken)


def test_a_cache_with_one_is_not_reset(host: Start) -> None:
    one = host(PLAIN)
    (step,) = one.does(Prefetch("f", A), Reset())
    assert step.outcome == Skipped("the cache is not idle")
    assert one.does(EndPrefetch("f"), Reset())[-1].outcome == Done()


@pytest.mark.parametrize(
    ("config", "operations"),
    [
        (WRITE_BACK, [Prefetch("f", A), Insert(OTHER), Refuse(Pool.FULL_HOST)]),
        (Config(host_pages=4), [Prefetch("f", AB), Refuse(Pool.FULL_HOST)]),
        (PLAIN, [Prefetch("f", A), Refuse(Pool.FULL_HOST)]),
    ],
    ids=["write-back", "little room", "write-through"],
)
def test_its_end_meets_no_refusal(
    radix: Target, config: Config, operations: list[Operation]
) -> None:
    """Its slots were taken before."""
    run = Run(radix, config)
    for operation in (*operations, EndPrefetch("f"), Insert(ABC), Evict(8)):
        assert run.step(operation) == []
    run.close()
