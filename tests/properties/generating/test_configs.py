"""Configurations: within the scope, small, and of every kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from radixproof.impl.operations import (
    Finish,
)
from radixproof.impl.scope import Scope
from radixproof.impl.sglang.releases import scope_of
from radixproof.impl.system import Target, Unavailable
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.properties.drivers.soak import one
from radixproof.properties.generating import wide
from radixproof.properties.generating.configs import config, plainest

from .scopes import AT_MOST_FIVE_PAGES, EVERYTHING, NARROW, ONE_TIER, WRITING_BACK, drawn


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
    histories = [one(target, 1, number, lambda _: False).history for number in range(60)]
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
