"""Operations: within the scope, and every kind of them."""

from __future__ import annotations

from collections import Counter
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
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    Using,
    WritingCheck,
)
from radixproof.impl.scope import ON_HOST, Scope
from radixproof.impl.system import Target
from radixproof.model.config import Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.generating import wide
from radixproof.properties.generating.keys import digits
from radixproof.properties.generating.late_uses import MOST_MATCHES
from radixproof.properties.generating.operations import (
    MIX,
    Generator,
    Shaper,
)
from radixproof.properties.generating.requests import MOST_REQUESTS
from radixproof.properties.performing.outcomes import Skipped
from radixproof.properties.running.run import Run

from ..deeds import (
    HOSTLESS,
    PLAIN,
    SETTLE,
    STATEFUL,
    WHOLE,
    WINDOWED,
    words,
)
from .scopes import EVERYTHING, NARROW, drawn


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
    for number, shape in enumerate(drawn(EVERYTHING, 130)):
        for operation, was_skipped in played(radix, shape, number, 60):
            (skipped if was_skipped else done)[type(operation)] += 1
    assert set(done) == set(OPERATIONS) == {*MIX, Prefetch, EndPrefetch, RunForward}
    assert min(done.values()) >= 3
    assert sum(skipped.values()) < sum(done.values()) / 4


def test_matches_are_kept_and_used_later(radix: Target) -> None:
    """As few at a time as said, and mostly while what they found is there."""
    used: Counter[type[Operation]] = Counter()
    vain = 0
    for number, shape in enumerate(drawn(EVERYTHING, 80)):
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


def test_requests_begin_where_two_load_backs_bring_parts_of_a_node(radix: Target) -> None:
    """The first one has brought FULL, and the second is still to bring the state."""
    begun = 0
    for number in range(20):
        run = Run(radix, Config(mamba_states=5, mamba_host_states=8))
        for operation in Generator(run.judge, Random(f"twice {number}")).operations(60):
            loads = [copy for copy in run.judge.model.copies.flying if copy.load]
            twice = [
                page
                for at, one in enumerate(loads)
                for other in loads[at + 1 :]
                for page in {*one.node} & {*other.node}
                if any(one.ran) and page in other.targets.get(Pool.MAMBA, ())
            ]
            begun += isinstance(operation, Arrive) and bool(twice)
            assert run.step(operation) == []
        run.close()
    assert begun >= 3


def test_copies_fail_that_something_else_goes_on_with(radix: Target) -> None:
    """A forward pass in flight, a reset, and what another rank has done of the same queue."""
    seen: Counter[str] = Counter()
    for number, shape in enumerate(drawn(EVERYTHING, 160)):
        run = Run(radix, shape)
        before: Operation = WritingCheck()
        for operation in Generator(run.judge, Random(f"fails {number}"), EVERYTHING).operations(60):
            failed = isinstance(operation, RunCopies) and operation.fail
            forward = run.ledger.forward
            seen["in flight"] += failed and forward is not None and forward.in_flight
            after_failure = isinstance(before, RunCopies) and before.fail
            seen["reset"] += after_failure and isinstance(operation, Reset)
            behind = after_failure and isinstance(operation, RunCopies) and not operation.fail
            seen["behind"] += behind and shape.ranks > 1
            assert run.step(operation) == []
            before = operation
        run.close()
    assert min(seen[name] for name in ("in flight", "reset", "behind")) >= 2, seen


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
        if isinstance(one, Insert | Arrive)
    ]
    assert {one.priority for one in inserts} == set(range(-2, 4))


@pytest.mark.parametrize("size", [1, 3])
def test_some_quotas_are_nothing_or_no_whole_pages(radix: Target, size: int) -> None:
    quotas = {
        one.quota
        for one, _ in played(radix, Config(page_size=size), 3, 3000)
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
