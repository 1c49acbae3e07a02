"""The shape of histories: within the scope, small, and with everything in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from radixproof.impl.operations import (
    OPERATIONS,
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    RunCopies,
    RunForward,
    Unlock,
    Using,
    WritingCheck,
)
from radixproof.impl.scope import ON_HOST, Scope
from radixproof.impl.sglang.releases import scope_of
from radixproof.impl.system import Target, Unavailable
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.drivers.soak import one
from radixproof.properties.generating import wide
from radixproof.properties.generating.configs import config, plainest
from radixproof.properties.generating.endings import Drain, closing
from radixproof.properties.generating.keys import digits
from radixproof.properties.generating.late_uses import MOST_MATCHES
from radixproof.properties.generating.operations import (
    MIX,
    MOST_REQUESTS,
    Generator,
    Shaper,
    missing_room,
)
from radixproof.properties.generating.prompts import Prompts
from radixproof.properties.performing.outcomes import Skipped
from radixproof.properties.running.run import Run

from ..deeds import (
    AB,
    HOSTLESS,
    LOADED,
    PLAIN,
    SETTLE,
    STATEFUL,
    WHOLE,
    WINDOWED,
    A,
    B,
    with_state,
    words,
)

NARROW = Scope(
    components=(Component.FULL, Component.SWA),
    eviction_policies=(EvictionPolicy.LRU, EvictionPolicy.LFU),
    operations=(Insert, Match, Lock, Unlock, Evict, EvictHost, RunCopies, WritingCheck),
    hostless=False,
    write_back=False,
    bigram=False,
    ranks=False,
    failing_copies=False,
)
EVERYTHING = Scope(launches=(Prefill, Decode))
ONE_TIER = Scope(hosted=False, page_sizes=(1,), namespaces=False)
WRITING_BACK = Scope(
    hostless=False,
    page_sizes=(8, 16),
    write_through=False,
    hit_thresholds=False,
    load_thresholds=False,
    eviction_policies=(EvictionPolicy.MRU,),
)
AT_MOST_FIVE_PAGES = Scope(cannot=lambda shape: "so many pages" * (shape.device_pages > 5))


def drawn(scope: Scope, count: int = 600) -> list[Config]:
    return [config(Random(f"shape {number}"), scope) for number in range(count)]


# -- configurations ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope",
    [
        EVERYTHING,
        NARROW,
        Scope(components=(Component.FULL,)),
        ONE_TIER,
        WRITING_BACK,
        AT_MOST_FIVE_PAGES,
    ],
    ids=["all", "narrow", "full", "one tier", "write back", "few pages"],
)
def test_a_configuration_is_within_the_scope(scope: Scope) -> None:
    assert {scope.refuses(shape) for shape in drawn(scope)} == {""}
    assert scope.refuses(plainest(scope)) in ("", "so many pages")


def test_an_engine_that_carries_requests_has_room_for_what_it_keeps_for_them() -> None:
    for shape, carrying in zip(drawn(EVERYTHING), drawn(Scope(carries_requests=True)), strict=True):
        states = shape.mamba_states if shape.page_size == 1 else 2 * shape.mamba_states
        assert replace(carrying, track_every=1) == replace(shape, mamba_states=states)


LAZY = Scope(carries_requests=True, lazy_tracking=True)


def test_states_are_few_where_requests_give_some_back_for_want_of_room() -> None:
    """Elsewhere their number is even: room is doubled for what is tracked."""
    scarce = drawn(replace(LAZY, gives_states_back=True))
    few = [shape for shape in scarce if shape.mamba_states % 2 and shape.page_size > 1]
    assert {shape.mamba_states for shape in few} == {3, 5}
    assert all(shape.track_lazily for shape in few)
    plain = drawn(LAZY)
    assert not any(shape.mamba_states % 2 for shape in plain if shape.page_size > 1)
    changed = [one for one, other in zip(scarce, plain, strict=True) if one != other]
    assert all(shape.track_lazily for shape in changed)


def test_states_are_tracked_less_often_only_where_an_engine_tracks_them() -> None:
    assert {shape.track_every for shape in drawn(EVERYTHING)} == {1}
    late = [shape for shape in drawn(LAZY) if shape.track_lazily]
    assert late
    assert {shape.mamba_states > 0 and shape.page_size > 1 for shape in late} == {True}
    assert not any(shape.track_lazily for shape in drawn(Scope(carries_requests=True)))
    every: dict[bool, list[int]] = {True: [], False: []}
    for shape in drawn(Scope(carries_requests=True)):
        every[shape.mamba_states > 0 and shape.page_size > 1].append(shape.track_every)
    assert ({*every[True]}, {*every[False]}) == ({1, 2, 3}, {1})
    assert every[True].count(1) > len(every[True]) / 3


def test_what_cannot_have_a_host_tier_is_often_built_without_one() -> None:
    scope = scope_of("0.5.12.post1")
    drawn = [config(Random(number), scope) for number in range(300)]
    together = [shape for shape in drawn if shape.window is not None and shape.mamba_states]
    assert len(together) > len(drawn) / 20
    assert not any(shape.hosted for shape in together)


def test_the_plainest_configuration_is_the_default_one() -> None:
    assert plainest(EVERYTHING) == Config()


def test_a_scope_that_leaves_nothing_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="the last one was refused for being a test"):
        config(Random(1), Scope(cannot=lambda _: "being a test"))


@pytest.mark.parametrize("stops", [True, False])
def test_some_requests_that_finish_leave_less_than_they_computed(
    radix: Target, stops: bool
) -> None:
    target = replace(radix, scope=Scope(ends_at_stops=stops))
    histories = [one(target, 1, number, lambda _: False).history for number in range(30)]
    ends = [end for history in histories for end in history.operations if isinstance(end, Finish)]
    assert {end.prompt_only for end in ends} == {True, False}
    assert any(end.past_stop for end in ends) == stops


def test_no_prompt_has_a_namespace_where_there_are_none(radix: Target) -> None:
    target = replace(radix, scope=Scope(namespaces=False, ranks=False))
    histories = [one(target, 1, number, lambda _: False).history for number in range(20)]
    keys = [
        operation.key
        for history in histories
        for operation in history.operations
        if hasattr(operation, "key")
    ]
    assert len(keys) > 100
    assert {key.namespace for key in keys} == {""}


def test_every_kind_of_configuration_is_drawn() -> None:
    kinds: Counter[object] = Counter()
    for shape in drawn(EVERYTHING):
        kinds.update(
            [
                shape.components,
                shape.eviction_policy,
                ("pages", shape.page_size),
                ("threshold", shape.threshold),
            ]
        )
        kinds.update(
            [
                ("ranks", shape.ranks),
                ("bigram", shape.bigram),
                ("write back", shape.write_back),
                ("host", shape.hosted),
            ]
        )
    components = {
        kind
        for kind in kinds
        if isinstance(kind, tuple) and kind and isinstance(kind[0], Component)
    }
    assert len(components) == 4
    assert {kind for kind in kinds if isinstance(kind, EvictionPolicy)} == set(EvictionPolicy)
    for name in ("pages", "threshold", "ranks", "bigram", "write back", "host"):
        assert len([kind for kind in kinds if isinstance(kind, tuple) and kind[0] == name]) >= 2
    wide_only = {("ranks", count) for count in wide.MANY_RANKS}
    wide_only |= {("pages", size) for size in wide.LARGE_PAGES}
    assert min(count for kind, count in kinds.items() if kind not in wide_only) >= 5


def test_pools_are_small_so_that_something_is_always_full() -> None:
    assert max(shape.pages(pool) for shape in drawn(EVERYTHING) for pool in Pool) <= 40
    windows = [shape.window or 0 for shape in drawn(EVERYTHING)]
    assert max(windows) <= 2 * max(wide.LARGE_PAGES)
    assert sum(window <= 3 * 4 + 1 for window in windows) > 0.9 * len(windows)


# -- operations --------------------------------------------------------------------------------


def played(
    target: Target, shape: Config, seed: int, count: int, scope: Scope = EVERYTHING
) -> list[tuple[Operation, bool]]:
    """Operations of one history, each with whether it was skipped. Nothing is reported."""
    run = Run(target, shape)
    told = []
    for operation in Generator(run.judge, Random(f"history {seed}"), scope).operations(count):
        assert run.step(operation) == []
        told.append((operation, isinstance(run.steps[-1].outcome, Skipped)))
    assert len(run.ledger.requests) <= MOST_REQUESTS
    run.close()
    return told


def test_every_kind_of_operation_occurs_and_finds_an_occasion(radix: Target) -> None:
    done: Counter[type[Operation]] = Counter()
    skipped: Counter[type[Operation]] = Counter()
    for number, shape in enumerate(drawn(EVERYTHING, 90)):
        for operation, was_skipped in played(radix, shape, number, 60):
            (skipped if was_skipped else done)[type(operation)] += 1
    assert set(done) == set(OPERATIONS) == {*MIX, Prefetch, EndPrefetch, RunForward}
    assert min(done.values()) >= 3
    assert sum(skipped.values()) < sum(done.values()) / 4


def test_matches_are_kept_and_used_later(radix: Target) -> None:
    """As few at a time as said, and mostly while what they found is there."""
    used: Counter[type[Operation]] = Counter()
    vain = 0
    for number, shape in enumerate(drawn(EVERYTHING, 40)):
        run = Run(radix, shape)
        for operation in Generator(run.judge, Random(f"late {number}")).operations(60):
            assert run.step(operation) == []
            assert len(run.ledger.matches) <= MOST_MATCHES
            if isinstance(operation, Using) and operation.kept is not None:
                used[type(operation)] += 1
                vain += isinstance(run.steps[-1].outcome, Skipped)
        run.close()
    assert min(used[kind] for kind in (Lock, HostLock, LoadBack)) >= 5
    assert vain < sum(used.values()) / 10


def test_nothing_is_used_later_where_it_cannot_be(radix: Target) -> None:
    at_once = replace(EVERYTHING, kept_matches=False)
    for number, shape in enumerate(drawn(at_once, 10)):
        told = played(radix, shape, number, 60, at_once)
        assert not any(getattr(operation, "kept", None) for operation, _ in told)


@pytest.mark.parametrize("seed", range(4))
def test_operations_are_within_the_scope(radix: Target, seed: int) -> None:
    for shape in drawn(NARROW, 4):
        for operation, _ in played(radix, shape, seed, 60, NARROW):
            assert type(operation) in NARROW.operations
            assert not (isinstance(operation, RunCopies) and operation.fail)


def test_without_a_host_tier_nothing_is_done_there(radix: Target) -> None:
    assert not any(
        isinstance(operation, ON_HOST) for operation, _ in played(radix, HOSTLESS, 1, 200)
    )


@pytest.mark.parametrize(
    ("shape", "bring_state", "bring_window"),
    [(PLAIN, False, False), (WINDOWED, False, True), (STATEFUL, True, False)],
    ids=words,
)
def test_an_insert_brings_what_the_cache_has(
    radix: Target, shape: Config, bring_state: bool, bring_window: bool
) -> None:
    inserts = [
        operation for operation, _ in played(radix, shape, 2, 300) if isinstance(operation, Insert)
    ]
    assert any(insert.state for insert in inserts) == bring_state
    assert any(insert.evicted for insert in inserts) == bring_window
    assert any(insert.reuse for insert in inserts)
    assert not any(insert.priority for insert in inserts)


def test_priorities_differ_where_they_matter(radix: Target) -> None:
    inserts = [
        one
        for one, _ in played(radix, Config(eviction_policy=EvictionPolicy.PRIORITY), 3, 200)
        if isinstance(one, Insert)
    ]
    assert {insert.priority for insert in inserts} == {-1, 0, 1}


@pytest.mark.parametrize("size", [1, 3])
def test_some_quotas_are_nothing_or_no_whole_pages(radix: Target, size: int) -> None:
    quotas = {
        one.quota
        for one, _ in played(radix, Config(page_size=size), 3, 1500)
        if isinstance(one, LoadBack | Arrive)
    }
    whole = {size, 2 * size, 3 * size, 4 * size}
    assert quotas == {None} | whole | {quota - 1 for quota in whole}


@pytest.mark.parametrize(
    "shape", [Config(page_size=3), Config(bigram=True), Config(page_size=2, bigram=True)], ids=str
)
def test_prompts_share_prefixes_and_stay_short(radix: Target, shape: Config) -> None:
    told = played(radix, shape, 4, 900)
    keys = {
        operation.key for operation, _ in told if isinstance(operation, Insert | Match | Arrive)
    }
    longest = wide.alphabet(shape).pages * shape.page_size
    fills = shape.slots(Pool.FULL_HOST)  # after a reset under copies
    assert max(len(key.tokens) for key in keys) <= max(2 * longest, fills + longest)
    assert {token for key in keys for token in key.tokens} == {1, 2}
    assert {key.namespace for key in keys} == {"", "a"}
    assert len({key.tokens[: shape.page_size] for key in keys}) < len(keys) / 2


def test_the_same_seed_draws_the_same(radix: Target) -> None:
    assert played(radix, WINDOWED, 5, 80) == played(radix, WINDOWED, 5, 80)
    assert played(radix, WINDOWED, 5, 80) != played(radix, WINDOWED, 6, 80)


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.name)
def test_every_choice_that_a_number_can_hold_makes_operations(
    radix: Target, kind: type[Operation]
) -> None:
    """Whatever Hypothesis puts in: what it makes is of the kind, or prepares it."""
    shape = Config(page_size=2, window=3, swa_pages=8, swa_host_pages=16, device_pages=11)
    assert wide.in_parts(shape)
    run = Run(radix, shape, WHOLE)
    shaper = Shaper(run.ledger)
    prepared = (
        Insert(Key((1, 2, 1, 2))),
        SETTLE,
        Arrive("q9", Key((1, 2))),
        Lock("r9", Key((1, 2, 1, 2))),
        Prefetch("f9", Key((2, 1))),
    )
    assert [run.step(operation) for operation in prepared] == [[]] * len(prepared)
    made = [
        type(one)
        for number in (0, 1, 7, 11, 2**40 - 1)
        for one in shaper.operations(kind, run.judge.model, digits(number))
    ]
    assert kind in made
    prepares = {Evict, Abort, Unlock, Finish, EndPrefetch, WritingCheck, LoadingCheck, Match}
    alike = (
        {Prefill, Decode, LoadBack, RunCopies, RunForward},
        {HostInsert, Prefetch, EndPrefetch},
    )
    others = next((kinds for kinds in alike if kind in kinds), set())
    assert set(made) <= {kind, *prepares, *others}
    run.close()


# -- numbers -----------------------------------------------------------------------------------


def test_digits_are_choices_hidden_in_one_number() -> None:
    below = digits(1 + 2 * 3 + 4 * 3 * 5)
    assert [below(3), below(5), below(7), below(9)] == [1, 2, 4, 0]


@pytest.mark.parametrize("number", [0, 1, 12345, 2**40 - 1])
def test_digits_are_below_their_limit_and_end_in_zeros(number: int) -> None:
    below = digits(number)
    assert all(0 <= below(limit) < limit for limit in (1, 2, 3, 10, 100))
    for _ in range(60):
        below(2)
    assert [below(7) for _ in range(3)] == [0, 0, 0]


# -- prompts and room --------------------------------------------------------------------------


def test_a_prompt_extends_cuts_or_leaves_an_earlier_one() -> None:
    prompts = Prompts(PLAIN)
    first = prompts.derive(0, 0, 3, 0b010)
    assert first == Key((1, 2, 1))
    prompts.remember(first)
    prompts.remember(first)
    assert prompts.known == [Key(()), first]
    assert prompts.derive(1, 3, 1, 1) == Key((1, 2, 1, 2))
    assert prompts.derive(1, 2, 0, 0) == Key((1, 2))
    assert prompts.derive(1, 1, 1, 0) == Key((1, 1))


def test_only_so_many_prompts_are_remembered() -> None:
    prompts = Prompts(PLAIN)
    for token in range(40):
        prompts.remember(Key((token,)))
    assert len(prompts.known) == 12
    assert prompts.known[0] == Key(())
    assert prompts.known[-1] == Key((39,))


@pytest.mark.parametrize(
    ("shape", "before", "reuse", "state", "wanted"),
    [
        (Config(device_pages=2), [], False, False, None),
        (Config(device_pages=2), [Insert(B)], False, False, Evict(1)),
        (Config(device_pages=2), [Insert(A)], False, False, Evict(1)),
        (Config(device_pages=2), [Insert(A)], True, False, None),
        (Config(window=1, swa_pages=2, swa_host_pages=2), [Insert(B)], False, False, Evict(swa=1)),
        (Config(mamba_states=1, mamba_host_states=1), [with_state(B)], False, True, Evict(mamba=1)),
        (Config(mamba_states=1, mamba_host_states=1), [with_state(B)], False, False, None),
    ],
    ids=words,
)
def test_an_engine_asks_for_the_room_that_is_missing(
    radix: Target,
    shape: Config,
    before: list[Operation],
    reuse: bool,
    state: bool,
    wanted: Evict | None,
) -> None:
    run = Run(radix, shape, WHOLE)
    for operation in before:
        assert run.step(operation) == []
    assert missing_room(AB, run.judge.model, reuse, state) == wanted
    run.close()


# -- the end -----------------------------------------------------------------------------------


@pytest.fixture
def busy(radix: Target) -> Callable[[Config], Run]:
    """A cache in the middle of things: requests, receipts, copies in flight."""

    def make(shape: Config) -> Run:
        run = Run(radix, shape, WHOLE)
        states = shape.mamba_states > 0
        before: list[Operation] = [
            Insert(AB, state=states),
            Insert(B, state=states),
            Arrive("q1", AB),
            Arrive("q2", B),
            Lock("r1", B),
        ]
        assert [run.step(operation) for operation in before] == [[]] * len(before)
        return run

    return make


@pytest.mark.parametrize("drain", Drain)
@pytest.mark.parametrize(
    "shape", [PLAIN, WINDOWED, STATEFUL, HOSTLESS, Config(write_back=True)], ids=words
)
def test_a_history_ends_with_nothing_left(
    busy: Callable[[Config], Run], shape: Config, drain: Drain
) -> None:
    run = busy(shape)
    assert (list(run.ledger.requests), list(run.ledger.receipts)) == (["q1", "q2"], ["r1"])
    last = [operation for operation in closing(run.judge, drain) if run.step(operation) == []]
    assert {Finish("q1"), Abort("q2"), Unlock("r1")} <= set(last)
    assert (SETTLE in last) == (shape.hosted and not shape.write_back)
    assert LOADED not in last
    assert isinstance(last[-1], EvictHost if shape.hosted else Evict)
    assert run.finish() == []
    assert run.judge.abstraction.nodes == {}
    assert not run.judge.model.receipts
    run.close()


def test_a_drain_by_pages_shows_the_whole_order_of_eviction(busy: Callable[[Config], Run]) -> None:
    run = busy(WINDOWED)
    last = [
        operation for operation in closing(run.judge, Drain.BY_PAGES) if run.step(operation) == []
    ]
    assert last.count(Evict(1)) == 2
    assert last.count(EvictHost(1)) == 2
    run.close()
