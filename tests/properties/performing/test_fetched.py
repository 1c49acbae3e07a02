"""Prefetches that an engine makes: what its functions did, played step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from radixproof.impl.fetching import Doing, Fetch, Part
from radixproof.impl.operations import (
    EndPrefetch,
    EvictHost,
    HostInsert,
    HostLock,
    Match,
    Prefetch,
    Unlock,
)
from radixproof.impl.system import Complete, Lookup
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing import fetched
from radixproof.properties.performing.ledger import Ledger, PrefetchLock
from radixproof.properties.performing.outcomes import Done, Locked, Skipped
from radixproof.properties.performing.step import HandOver, Step

KEY = Key((1, 2, 3, 4, 5))
CONFIG = Config(page_size=2, window=2, swa_pages=8, swa_host_pages=16)
LOCK = PrefetchLock("f")
NOTHING: tuple[tuple[int, ...], ...] = ((), (), ())


class Engine:
    """Its functions come to what they are told to; each prompt ends at token 2."""

    def __init__(self, *fetches: Fetch, free: int = 0) -> None:
        self.fetches, self.free = list(fetches), free
        self.shown: list[int | None] = []
        self.asked: list[int] = []

    def match(self, _: Key) -> Lookup:
        return Lookup(0, 2, [], None)

    def begin_prefetch(
        self, key: Key, anchor: Any, start: int, tags: Sequence[int], stored: int
    ) -> Fetch:
        self.asked.append(stored)
        return self.fetches.pop(0)

    def end_prefetch(self, handle: Any, tokens: int) -> Fetch:
        self.asked.append(tokens)
        return self.fetches.pop(0)

    def available(self, pool: Pool) -> int:
        return self.free

    def show(self, moment: int | None) -> None:
        self.shown.append(moment)


def begun(engine: Engine, ledger: Ledger, stored: int | None = None) -> list[Step]:
    return list(fetched.begin(cast(Complete, engine), ledger, CONFIG, Prefetch("f", KEY, stored)))


def ended(engine: Engine, ledger: Ledger, tokens: int | None = None) -> list[Step]:
    return list(fetched.end(cast(Complete, engine), ledger, CONFIG, EndPrefetch("f", tokens)))


def held(ledger: Ledger) -> list[set[int]]:
    return [ledger.rows[pool] for pool in (Pool.FULL_HOST, Pool.SWA_HOST)]


BEGIN = Fetch([Part(Doing.LOCK, NOTHING)], object(), ((4, 5), (7, 8), ()))


def test_what_it_takes_the_ledger_has_when_it_was_taken() -> None:
    parts = [
        Part(Doing.LOCK, NOTHING),
        Part(Doing.EVICT, ((4, 5), (), ()), 2, Component.SWA, 1),
    ]
    engine, ledger = Engine(BEGIN._replace(parts=parts)), Ledger(CONFIG)
    steps = fetched.begin(cast(Complete, engine), ledger, CONFIG, Prefetch("f", KEY))
    assert next(steps) == Step(HostLock(LOCK, KEY), Locked(2))
    assert held(ledger) == [set(), set()]
    assert next(steps) == Step(EvictHost(2, Component.SWA), Done(1))
    assert held(ledger) == [{4, 5}, set()]
    assert next(steps) == Step(Prefetch("f", KEY), Done(2), due=2)
    assert held(ledger) == [{4, 5}, {7, 8}]
    assert (engine.shown[:2], engine.shown[-1]) == ([0, 1], None)
    assert ledger.prefetches["f"].key == Key((1, 2, 3, 4))


@pytest.mark.parametrize(("stored", "asked"), [(None, 2), (3, 2), (1, 0), (0, 0)])
def test_storage_is_said_to_have_whole_pages(stored: int | None, asked: int) -> None:
    engine = Engine(BEGIN)
    begun(engine, Ledger(CONFIG), stored)
    assert engine.asked == [asked]


def test_what_the_engine_would_not_fetch_is_a_match() -> None:
    (step,) = begun(Engine(Fetch(())), Ledger(CONFIG))
    assert (step.operation, step.declined) == (Match(KEY), "fetch")


@pytest.mark.parametrize("refused", [(), [(Pool.SWA_HOST, 2)]])
def test_one_that_ends_at_once_holds_nothing(refused: Sequence[tuple[Pool, int]]) -> None:
    parts = [Part(Doing.LOCK, ((4, 5), (), ())), Part(Doing.UNLOCK, ((4, 5), (), ()))]
    fetch = Fetch(parts, refused=refused, allocated=[Pool.FULL_HOST])
    engine, ledger = Engine(fetch), Ledger(CONFIG)
    *_, unlocked, begin = begun(engine, ledger, stored=2 if refused else 0)
    assert unlocked == Step(Unlock(LOCK), Done())
    why = "the host has no room" if refused else "storage has nothing of it"
    assert (begin.outcome, begin.refused) == (Skipped(why), refused)
    assert (held(ledger), ledger.idle) == ([set(), set()], True)
    assert (Pool.FULL_HOST, 0) in ledger.allocations()


@pytest.mark.parametrize(("free", "due"), [(0, 0), (3, 2)])
def test_one_that_ends_at_once_although_storage_has_something_should_not(
    free: int, due: int
) -> None:
    parts = [Part(Doing.LOCK, NOTHING), Part(Doing.UNLOCK, NOTHING)]
    *_, step = begun(Engine(Fetch(parts), free=free), Ledger(CONFIG))
    assert (step.outcome, step.due) == (Done(0), due)


def test_what_is_still_to_be_freed_is_held_until_the_end() -> None:
    parts = [Part(Doing.INSERT, ((), (8,), ()), 2, done=1), Part(Doing.UNLOCK, NOTHING)]
    engine, ledger = Engine(BEGIN, Fetch(parts)), Ledger(CONFIG)
    begun(engine, ledger)
    steps = fetched.end(cast(Complete, engine), ledger, CONFIG, EndPrefetch("f"))
    assert next(steps) == Step(HostInsert(Key((1, 2, 3, 4))), Done(1), fetched=2)
    assert held(ledger) == [set(), {8}]
    assert list(steps) == [Step(Unlock(LOCK), Done())]
    assert (held(ledger), ledger.idle) == ([set(), set()], True)


@pytest.mark.parametrize(("free", "due"), [(0, 2), (1, 2), (2, 4), (9, 4)])
def test_a_prefetch_is_about_all_that_storage_has_and_there_is_room_for(
    free: int, due: int
) -> None:
    engine, ledger = Engine(BEGIN, free=free), Ledger(CONFIG)
    *_, step = fetched.begin(
        cast(Complete, engine), ledger, CONFIG, Prefetch("f", Key((1, 2, 3, 4, 5, 6)))
    )
    assert (step.outcome, step.due) == (Done(2), due)


@pytest.mark.parametrize(("tokens", "asked"), [(None, 2), (0, 0), (1, 0), (9, 2)])
def test_a_prefetch_ends_without_its_lock_whatever_the_engine_did(
    tokens: int | None, asked: int
) -> None:
    engine, ledger = Engine(BEGIN, Fetch(())), Ledger(CONFIG)
    begun(engine, ledger)
    left_out = [Step(HandOver("f", asked, fetched=True), Done())] if asked else []
    assert ended(engine, ledger, tokens) == [Step(Unlock(LOCK), Done()), *left_out]
    assert (engine.asked[-1], held(ledger)) == (asked, [set(), set()])


def test_what_the_engine_raises_is_raised_after_what_it_did() -> None:
    parts = [Part(Doing.INSERT, NOTHING, 2, done=2)]
    engine, ledger = Engine(BEGIN, Fetch(parts, error=ValueError("no"))), Ledger(CONFIG)
    begun(engine, ledger)
    steps = fetched.end(cast(Complete, engine), ledger, CONFIG, EndPrefetch("f"))
    next(steps)
    with pytest.raises(ValueError, match="no"):
        next(steps)
