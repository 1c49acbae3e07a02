"""Requests that an engine carries: what its functions did, played step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from radixproof.impl.carrying import Carriage, Did, Moment, Tracked
from radixproof.impl.operations import Decode, Evict, Insert, Lock, Match, Unlock
from radixproof.impl.system import Complete
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing import carried
from radixproof.properties.performing.ledger import Ledger, Receipt, Request, RequestLock
from radixproof.properties.performing.outcomes import Done, Freed, Skipped
from radixproof.properties.performing.step import Adopt, CopyState, HandOver, ReleaseState, Step

KEY = Key((1, 2, 3))
CONFIG = Config(window=1, swa_pages=8, swa_host_pages=16, mamba_states=4, mamba_host_states=4)
BUSY: tuple[tuple[int, ...], ...] = ((), (), ())
"""Nothing is free."""


class Engine:
    """Its functions come to what they are told to."""

    def __init__(self, carriage: Carriage, slid: int = 0) -> None:
        self.carriage, self.slid = carriage, slid
        self.shown: list[int | None] = []
        self.inserted = False

    def carry_on(self, request: Any, last: bool) -> Carriage:
        return self.carriage

    def end_request(
        self, request: Any, insert: bool, prompt_only: bool = False, past_stop: int = 0
    ) -> Carriage:
        self.inserted = insert
        return self.carriage

    def admit(self, request: Any) -> Carriage:
        return self.carriage

    def make_room(self, request: Any, tokens: int) -> Carriage:
        return self.carriage

    def slide(self, request: Any) -> int:
        return self.slid

    def show(self, moment: int | None) -> None:
        self.shown.append(moment)

    def begin_request(self, *_: Any) -> Any:
        return None


def begun(state: int | None = None) -> tuple[Ledger, Request]:
    ledger = Ledger(CONFIG)
    request = Request("q", KEY, RequestLock("q"), object(), [], [], 0, 3, 0, state)
    ledger.requests["q"] = request
    ledger.extend_row(request, [4, 5, 6], [7, 8, 9])
    if state is not None:
        ledger.take(Pool.MAMBA, [state])
    return ledger, request


def played(ledger: Ledger, request: Request, *moments: Moment, ends: bool = False) -> list[Step]:
    engine = Engine(Carriage(moments))
    system = cast(Complete, engine)
    if ends:
        steps = list(carried.end(system, ledger, CONFIG, request, insert=True))
    else:
        steps = list(carried.carry_on(system, ledger, CONFIG, request, last=True))
    assert engine.shown == [*range(len(moments)), None]
    return steps


INSERT = Moment(Did.INSERT, BUSY, length=3, told=1, evicted=1)
MATCH = Moment(Did.MATCH, BUSY, length=3, device=3, best=3, slots=(4, 5, 6))
UNLOCK = Moment(Did.UNLOCK, BUSY)
LOCK = Moment(Did.LOCK, BUSY, row=(4, 5, 6))


def test_every_call_is_a_step() -> None:
    ledger, request = begun()
    steps = played(ledger, request, INSERT, MATCH, UNLOCK, LOCK)
    assert [step.operation for step in steps] == [
        Insert(KEY, 1),
        Match(KEY),
        Unlock(RequestLock("q")),
        Lock(RequestLock("q", 1), KEY),
    ]
    assert (request.protected, request.inserted, request.lock) == (3, 3, "q's lock 1")
    assert ledger.rows == (set(), set(), set(), set(), set(), set())
    assert ledger.shared["q"].slots == [4, 5, 6]


def test_without_a_match_the_node_of_the_insert_is_adopted() -> None:
    ledger, request = begun()
    *_, step = played(ledger, request, INSERT, UNLOCK, LOCK)
    assert step.operation == Adopt(RequestLock("q", 1), KEY)


RELEASE = Moment(Did.RELEASE_STATE, ((), (), ()))


@pytest.mark.parametrize(
    ("computed", "number", "consumed"), [(3, 0, True), (0, 0, False), (0, 1, True)]
)
def test_a_state_is_consumed_once_something_is_computed_from_it(
    computed: int, number: int, consumed: bool
) -> None:
    """Of a later lock the request has copied nothing: it brought that state itself."""
    ledger, request = begun()
    request.computed, request.lock = computed, RequestLock("q", number)
    step, *_ = played(ledger, request, RELEASE)
    assert step.operation == ReleaseState(request.lock, consumed, 0)


def test_states_that_are_free_when_another_is_given_back_are_told() -> None:
    ledger, request = begun()
    step, *_ = played(ledger, request, RELEASE._replace(free=((), (), (3, 4))))
    assert step.operation == ReleaseState(request.lock, True, 2)


def test_what_a_match_leaves_out_is_told() -> None:
    ledger, request = begun()
    short = MATCH._replace(device=1, slots=(4,))
    *_, step = played(ledger, request, INSERT, short, UNLOCK, LOCK)
    assert (step.given, request.protected) == (3, 1)


def test_what_was_told_and_what_is_true_are_both_there() -> None:
    ledger, request = begun()
    step, *_ = played(ledger, request, INSERT._replace(told=0))
    assert step.carried is not None
    assert (step.carried.told, step.carried.evicted, step.carried.computed) == (0, 1, 3)
    assert 7 not in ledger.rows[Pool.SWA]


def test_a_prompt_that_is_inserted_again_is_all_there() -> None:
    ledger, request = begun()
    again = INSERT._replace(length=2, priority=1, evicted=0)
    _, step = played(ledger, request, INSERT._replace(evicted=0), again)
    assert (step.protected, step.inserted) == (2, 2)
    assert step.operation == Insert(Key((1, 2)), 2, priority=1)


def test_a_state_that_is_not_taken_is_held_until_it_is_free() -> None:
    ledger, request = begun(state=1)
    brought = INSERT._replace(state=2, taken=False)
    evict = Moment(Did.EVICT, BUSY, asked=(0, 0, 1), freed=(0, 0, 1))
    first, *_ = played(ledger, request, evict, brought)
    assert first.operation == Evict(0, 0, 1)
    assert ledger.rows[Pool.MAMBA] == {1}
    ledger, request = begun(state=1)
    held = carried.carry_on(
        cast(Complete, Engine(Carriage([brought, UNLOCK]))), ledger, CONFIG, request, last=True
    )
    next(held)
    assert ledger.rows[Pool.MAMBA] == {1, 2}
    ledger, request = begun(state=1)
    played(ledger, request, brought, UNLOCK._replace(free=((), (), (2,))))
    assert ledger.rows[Pool.MAMBA] == {1}


def test_what_the_window_has_left_before_an_eviction_is_given_back_by_then() -> None:
    ledger, request = begun()
    played(ledger, request, Moment(Did.EVICT, BUSY, evicted=1, asked=(0, 0, 1)))
    assert (request.evicted, 7 in ledger.rows[Pool.SWA]) == (1, False)


def test_the_end_gives_all_back() -> None:
    ledger, request = begun(state=1)
    own = INSERT._replace(length=2, state=1, taken=True)
    played(ledger, request, own, UNLOCK, ends=True)
    assert (ledger.requests, request.state) == ({}, None)
    assert not any(ledger.rows)
    assert ledger.peers == {}


TRACKED = INSERT._replace(state=2, taken=True, states=(3, 4))


def tracked() -> tuple[Ledger, Request]:
    """A request with a state of its own, 1, and two that are tracked for it, 2 and 3."""
    ledger, request = begun(state=1)
    system = cast(Complete, Engine(Carriage([], states=(2, 3))))
    assert list(carried.admit(system, ledger, CONFIG, request)) == []
    return ledger, request


def test_a_request_that_runs_has_the_states_that_its_engine_keeps_for_it() -> None:
    ledger, request = tracked()
    assert (request.tracked, ledger.rows[Pool.MAMBA]) == ([2, 3], {1, 2, 3})
    again = cast(Complete, Engine(Carriage([], states=(2, 3))))
    assert list(carried.admit(again, ledger, CONFIG, request)) == []
    assert ledger.allocations() == [
        *((Pool.FULL, 3), (Pool.SWA, 3), (Pool.MAMBA, 1), (Pool.MAMBA, 2))
    ]


def test_a_tracked_state_that_is_taken_is_the_trees_and_another_takes_its_place() -> None:
    ledger, request = tracked()
    played(ledger, request, TRACKED)
    assert (request.state, request.tracked) == (1, [3, 4])
    assert ledger.rows[Pool.MAMBA] == {1, 3, 4}


def test_a_tracked_state_that_is_not_taken_is_gone_with_the_call() -> None:
    ledger, request = tracked()
    played(ledger, request, TRACKED._replace(taken=False))
    assert (request.tracked, ledger.rows[Pool.MAMBA]) == ([3, 4], {1, 3, 4})


def test_at_the_end_tracked_states_are_the_trees_or_free() -> None:
    ledger, request = tracked()
    own = INSERT._replace(state=2, taken=True, states=(2, 3))
    insert, unlock = own, UNLOCK._replace(states=(2, 3), free=((), (), (3,)))
    engine = Engine(Carriage([insert, unlock]))
    steps = carried.end(cast(Complete, engine), ledger, CONFIG, request, insert=True)
    next(steps)
    assert ledger.rows[Pool.MAMBA] == {1, 3}
    next(steps)
    assert ledger.rows[Pool.MAMBA] == set()


class Tracking:
    """An engine that tracks the next of these states."""

    def __init__(self, *states: Tracked) -> None:
        self.states, self.written = list(states), list[int]()

    def track(self, request: object, units: int) -> Tracked:
        return self.states.pop(0)

    def write_state(self, slot: int, tag: int) -> None:
        self.written.append(slot)


def test_a_state_that_is_tracked_in_another_slot_is_the_requests_instead_of_the_first() -> None:
    ledger, request = tracked()
    engine = Tracking(Tracked(4, freed=3))
    decode = Decode(request.name, ())
    assert [*carried.track(cast(Complete, engine), ledger, request, 1, decode)] == []
    assert (request.tracked, engine.written) == ([2, 4], [4])
    assert ledger.rows[Pool.MAMBA] == {1, 2, 4}


def test_where_there_is_no_room_for_another_slot_it_is_said_and_the_first_is_kept() -> None:
    ledger, request = tracked()
    engine = Tracking(Tracked(2, refused=True))
    decode = Decode(request.name, ())
    (step,) = carried.track(cast(Complete, engine), ledger, request, 1, decode)
    assert (step.operation, step.refused) == (decode, [(Pool.MAMBA, 1)])
    assert (request.tracked, engine.written) == ([2, 3], [2])


def test_without_room_for_tracked_states_a_request_does_not_run() -> None:
    ledger, request = begun(state=1)
    evict = Moment(Did.EVICT, BUSY, asked=(0, 0, 2))
    steps = carried.admit(
        cast(Complete, Engine(Carriage([evict], refused=2))), ledger, CONFIG, request
    )
    assert next(steps).operation == Evict(0, 0, 2)
    with pytest.raises(StopIteration) as returned:
        next(steps)
    assert returned.value.value == 2
    assert ledger.rows[Pool.MAMBA] == {1}


def test_room_is_made_by_the_engine() -> None:
    ledger, request = begun()
    evict = Moment(Did.EVICT, BUSY, asked=(3, 0, 0), freed=(2, 0, 0))
    engine = cast(Complete, Engine(Carriage([evict])))
    (step,) = carried.make_room(engine, ledger, CONFIG, request, 3, lambda: (1, 0, 0))
    assert (step.operation, step.outcome) == (Evict(3), Freed(2))
    assert step.lacking == (1, 0, 0)


def told_of_room(asked: list[tuple[int, int, int]], *lacking: tuple[int, int, int]) -> list[Step]:
    """What comes of evictions that ask for this, where that is lacking before them, and after."""
    ledger, request = begun()
    moments = [Moment(Did.EVICT, BUSY, asked=one, freed=one) for one in asked]
    engine, counts = cast(Complete, Engine(Carriage(moments))), iter(lacking)
    return [*carried.make_room(engine, ledger, CONFIG, request, 3, lambda: next(counts))]


def test_room_may_be_made_in_several_evictions() -> None:
    """Each may ask for what no earlier one has asked for, or for less."""
    steps = told_of_room([(1, 0, 0), (3, 2, 0), (0, 1, 0)], (2, 3, 0), (0, 0, 0))
    assert [step.lacking for step in steps] == [(1, 0, 0), (1, 2, 0), (0, 1, 0)]


def test_what_another_eviction_frees_besides_need_not_be_asked_for() -> None:
    (step,) = told_of_room([(4, 0, 0)], (4, 4, 0), (0, 0, 0))
    assert step.lacking == (4, 0, 0)
    *_, step = told_of_room([(4, 0, 0)], (4, 4, 0), (0, 2, 0))
    assert (step.operation, step.lacking) == (Evict(), (0, 2, 0))


def test_where_no_room_is_made_nothing_is_evicted() -> None:
    (step,) = told_of_room([], (2, 3, 0), (2, 3, 0))
    assert (step.operation, step.outcome, step.lacking) == (Evict(), Freed(0), (2, 3, 0))
    assert told_of_room([], (0, 0, 0), (0, 0, 0)) == []


def test_what_is_computed_and_not_inserted_is_told() -> None:
    ledger, request = begun()
    stateless = replace(CONFIG, mamba_states=0, mamba_host_states=0)
    engine = cast(Complete, Engine(Carriage([INSERT._replace(length=2)])))
    *_, step = carried.carry_on(engine, ledger, stateless, request, last=True)
    assert step == Step(HandOver("q", 3), Done(2))


@pytest.mark.parametrize(
    ("prompt_only", "past_stop", "due"), [(False, 0, 3), (True, 0, 1), (False, 1, 2)]
)
def test_what_is_to_be_kept_of_a_request_is_due_at_its_end(
    prompt_only: bool, past_stop: int, due: int
) -> None:
    ledger, request = begun()
    request.prompt = 1
    stateless = replace(CONFIG, mamba_states=0, mamba_host_states=0)
    engine, told = cast(Complete, Engine(Carriage([]))), (True, prompt_only, past_stop)
    (step,) = carried.end(engine, ledger, stateless, request, *told)
    assert step == Step(HandOver("q", due), Done(0))


def test_a_request_of_whose_end_the_tree_hears_nothing_has_ended() -> None:
    ledger, request = begun()
    (step,) = played(ledger, request, ends=True)
    assert step == Step(HandOver("q", 0), Done(0))
    assert not ledger.requests


def test_an_error_comes_after_the_steps_before_it() -> None:
    ledger, request = begun()
    system = cast(Complete, Engine(Carriage([INSERT], AssertionError("short"))))
    steps = carried.carry_on(system, ledger, CONFIG, request, last=True)
    assert next(steps).operation == Insert(KEY, 1)
    with pytest.raises(AssertionError, match="short"):
        next(steps)


def test_without_room_for_a_state_nothing_is_inserted() -> None:
    ledger, request = begun()
    system = cast(Complete, Engine(Carriage([], refused=1)))
    (step,) = carried.carry_on(system, ledger, CONFIG, request, last=True)
    assert (step.operation, step.refused) == (CopyState(Key(())), [(Pool.MAMBA, 1)])
    assert isinstance(step.outcome, Skipped)


@pytest.mark.parametrize(("runs", "locks", "ends"), [(0, 0, False), (1, 0, True), (1, 1, False)])
def test_an_engine_that_raises_for_want_of_a_state_may_have_too_few(
    runs: int, locks: int, ends: bool
) -> None:
    """It is no excuse where the engine would run so many requests with so few states. A receipt
    stands for another one, unless it is on the host.
    """
    ledger, request = begun()
    ledger.receipts["h"] = Receipt(object(), 1, on_host=True)
    ledger.receipts |= {f"r{number}": Receipt(object(), 1) for number in range(locks)}
    error = AssertionError("no state")
    system = cast(Complete, Engine(Carriage([], error, refused=1, runs=runs)))
    steps = carried.carry_on(system, ledger, CONFIG, request, last=True)
    if ends:
        with pytest.raises(AssertionError, match="no state"):
            next(steps)
    else:
        assert [step.refused for step in steps] == [[(Pool.MAMBA, 1)]]


@pytest.mark.parametrize("error", [None, AssertionError("no state")])
def test_a_request_whose_engine_raised_leaves_nothing_in_the_cache(error: Exception | None) -> None:
    ledger, request = begun()
    engine = Engine(Carriage([], error, refused=1))
    system = cast(Complete, engine)
    list(carried.carry_on(system, ledger, CONFIG, request, last=True))
    list(carried.end(system, ledger, CONFIG, request, insert=True))
    assert engine.inserted == (error is None)


def test_a_window_that_slid_is_lost() -> None:
    ledger, request = begun()
    carried.slide(cast(Complete, Engine(Carriage([]), slid=2)), ledger, request)
    assert (request.evicted, ledger.rows[Pool.SWA]) == (2, {9})


def test_an_engine_may_have_no_such_request() -> None:
    _, request = begun()
    carried.begin(cast(Complete, Engine(Carriage([]))), request)
    assert not request.carried
