"""What a system can be put to: why a configuration is refused, and an operation declined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radixproof.impl.operations import (
    OPERATIONS,
    Arrive,
    Decode,
    Evict,
    Finish,
    Insert,
    LoadBack,
    Match,
    Operation,
    Prefill,
    ReleaseWindow,
    RunCopies,
)
from radixproof.impl.scope import ON_HOST, Scope
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.model.key import Key

WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)


@pytest.mark.parametrize(
    ("scope", "config", "why"),
    [
        (Scope(), Config(), ""),
        (Scope(components=(Component.FULL,)), WINDOWED, "SWA"),
        (Scope(page_sizes=(1, 16)), Config(page_size=16), ""),
        (Scope(page_sizes=(1, 16)), Config(page_size=4), "pages of 4 tokens"),
        (
            Scope(eviction_policies=(EvictionPolicy.LRU,)),
            Config(eviction_policy=EvictionPolicy.MRU),
            "eviction order mru",
        ),
        (Scope(hosted=False), Config(), "a host tier"),
        (Scope(hosted=False), Config(host_pages=0), ""),
        (Scope(hostless=False), Config(host_pages=0), "no host tier"),
        (Scope(write_back=False), Config(write_back=True), "write_back"),
        (Scope(write_through=False), Config(), "write-through"),
        (Scope(write_through=False), Config(host_pages=0), ""),
        (Scope(hit_thresholds=False), Config(threshold=2), "a hit threshold"),
        (Scope(load_thresholds=False), Config(load_threshold=2), "a load threshold"),
        (Scope(bigram=False), Config(bigram=True), "bigram keys"),
        (Scope(ranks=False), Config(ranks=2), "several ranks"),
        (Scope(cannot=lambda config: "pools so small"), Config(), "pools so small"),
    ],
)
def test_a_configuration_is_refused(scope: Scope, config: Config, why: str) -> None:
    assert scope.refuses(config) == why


STATES = Config(mamba_states=2, mamba_host_states=2)


@pytest.mark.parametrize(
    ("scope", "operation", "why"),
    [
        (Scope(), RunCopies(fail=True), ""),
        (Scope(failing_copies=False), RunCopies(fail=True), "copies of this system cannot fail"),
        (Scope(failing_copies=False), RunCopies(), ""),
        (
            Scope(ends_at_stops=False),
            Finish("q", past_stop=1),
            "requests of this system keep what is past their stop",
        ),
        (Scope(ends_at_stops=False), Finish("q", prompt_only=True), ""),
        (Scope(operations=(Match,)), Evict(1), "the system has no such operation"),
        (Scope(hosted=False), LoadBack(Key((1,))), "the system has no such operation"),
        (Scope(namespaces=False), Match(Key((1,), "a")), "keys of this system have no namespace"),
        (Scope(namespaces=False), Arrive("q", Key((1,), "a")), "keys of this system have no"),
        (Scope(namespaces=False), Match(Key((1,))), ""),
        (Scope(stateless_inserts=False), Insert(Key((1,))), ""),
        (Scope(state_release=False), ReleaseWindow("a"), ""),
    ],
)
def test_an_operation_is_declined(scope: Scope, operation: Operation, why: str) -> None:
    assert scope.declines(operation, Config()).startswith(why)
    assert bool(scope.declines(operation, Config())) == bool(why)


STATES_AND_SWA = replace(STATES, window=1, swa_pages=2, swa_host_pages=2)
LESS = Scope(stateless_inserts=False, state_release=False)


@pytest.mark.parametrize(
    ("scope", "config", "operation", "why"),
    [
        (Scope(), STATES, Insert(Key((1,))), ""),
        (LESS, STATES, Insert(Key((1,))), "inserts of this system bring a state"),
        (LESS, STATES, Insert(Key((1,)), state=True), ""),
        (Scope(), STATES, ReleaseWindow("a"), ""),
        (LESS, STATES, ReleaseWindow("a"), "a state alone is not given back early"),
        (LESS, STATES_AND_SWA, ReleaseWindow("a"), ""),
    ],
)
def test_an_operation_is_declined_where_there_are_states(
    scope: Scope, config: Config, operation: Operation, why: str
) -> None:
    assert scope.declines(operation, config) == why


def test_without_a_host_tier_there_are_no_operations_on_it() -> None:
    every = Scope(launches=(Decode,))
    assert every.offers() == frozenset(OPERATIONS)
    assert replace(every, hosted=False).offers() == frozenset(OPERATIONS) - frozenset(ON_HOST)


@pytest.mark.parametrize(
    ("launches", "config", "why"),
    [
        ((Decode,), Config(), ""),
        ((Prefill,), Config(), "such steps of this system are computed at once"),
        ((), Config(), "such steps of this system are computed at once"),
        ((Decode,), Config(host_pages=0), "there is no host tier"),
        ((Decode,), STATES, "with states, steps are computed at once"),
    ],
)
def test_a_step_may_not_be_launched(
    launches: tuple[type[Operation], ...], config: Config, why: str
) -> None:
    scope = Scope(launches=launches)
    assert scope.declines(Decode("q", launched=True), config) == why
    assert scope.declines(Decode("q"), config) == ""


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("components", Component.FULL, "components must be a tuple of some of Component.FULL"),
        ("eviction_policies", [EvictionPolicy.LRU], "eviction_policies must be a tuple of some"),
        ("operations", (), "operations must be a tuple of some of Match, Insert"),
        ("operations", (Component.FULL,), "operations must be a tuple of some of Match, Insert"),
        ("page_sizes", 4, "page_sizes must be a tuple of sizes, or None for any, got 4"),
        ("page_sizes", (0,), "page_sizes must be a tuple of sizes"),
    ],
)
def test_a_scope_must_be_made_of_what_it_names(field: str, value: object, says: str) -> None:
    with pytest.raises(TypeError, match=f"Scope: {says}"):
        Scope(**{field: value})  # type: ignore[arg-type]
