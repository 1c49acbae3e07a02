"""Which states are alike, and that what is alike goes on alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest

from radixproof.impl.operations import (
    Arrive,
    Evict,
    Insert,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.exploring.expanding import Expanded, Path, expand
from radixproof.properties.exploring.explorer import Reached
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.state_key import SIZE, state_key
from radixproof.properties.exploring.sweep import longer
from radixproof.properties.running.run import Run

A, B, AB = Key((1,)), Key((2,)), Key((1, 2))
PLAIN = Config()
SOON = WritingCheck(blocking=True)


def key(*operations: Operation, config: Config = PLAIN, system: str = "radix") -> bytes:
    run = Run(find(system), config)
    for operation in operations:
        assert run.step(operation, whole=True) == []
    found = state_key(run)
    run.close()
    assert len(found) == SIZE
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([Insert(A)], [Insert(B)]),
        ([Insert(A), Insert(A), Insert(A)], [Insert(B)] * 4),
        ([Insert(A), Lock("r1", A)], [Insert(A), Lock("r2", A)]),
        ([Insert(A), Lock("r1", A), Unlock("r1")], [Insert(A), Match(A)]),
        ([Insert(AB), Match(A)], [Insert(AB), Match(A), Match(A)]),
    ],
)
def test_names_and_numbers_that_decide_nothing_do_not_count(
    one: Sequence[Operation], other: Sequence[Operation]
) -> None:
    assert key(*one) == key(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([], [Insert(A)]),
        ([Insert(A)], [Insert(AB)]),
        ([Insert(AB)], [Insert(AB), Match(A)]),
        ([Insert(A)], [Insert(A), Lock("r1", A)]),
        ([Insert(A)], [Insert(A), RunCopies()]),
        ([Insert(A), SOON], [Insert(A), SOON, Evict(1)]),
        ([Insert(A)], [Insert(A), Refuse(Pool.FULL)]),
        ([Insert(A)], [Insert(A), Match(A, "m1")]),
        ([Insert(A), Insert(Key((1, 1, 1)))], [Insert(A), Insert(Key((1, 1)))]),
        ([Insert(A), Insert(B), Lock("r1", A)], [Insert(A), Insert(B), Lock("r1", B)]),
        ([Arrive("q1", A)], [Arrive("q1", B)]),
        ([Prefetch("f1", A)], [Prefetch("f1", B)]),
        ([Prefetch("f1", A)], [Prefetch("f1", Key((1,), "a"))]),
        ([], [Insert(A), Reset()]),  # the backup that it forgets may still write
    ],
)
def test_what_decides_something_counts(
    one: Sequence[Operation], other: Sequence[Operation]
) -> None:
    assert key(*one) != key(*other)


def test_whose_forward_pass_is_in_flight_counts() -> None:
    """The first tokens of two requests are computed, less than a page, so that nothing else shows
    whose were launched last.
    """
    pages = replace(PLAIN, page_size=2)
    one, other = Prefill("q1", launched=True), Prefill("q2", launched=True)
    come: list[Operation] = [Arrive("q1", AB), Arrive("q2", AB)]
    assert key(*come, one, other, config=pages) != key(*come, other, one, config=pages)


def test_all_names_count_where_they_are_asked_for() -> None:
    run = Run(find("radix"), PLAIN)
    other = Run(find("radix"), PLAIN)
    for one, name in ((run, "r1"), (other, "r2")):
        for operation in (Insert(A), Lock(name, A)):
            one.step(operation, whole=True)
    assert state_key(run) == state_key(other)
    assert state_key(run, named=True) != state_key(other, named=True)


def test_hits_count_where_they_decide_who_goes() -> None:
    once, often = [Insert(A)], [Insert(A)] * 3
    lfu = replace(PLAIN, eviction_policy=EvictionPolicy.LFU)
    assert key(*once, config=lfu) != key(*often, config=lfu)
    assert key(*once) != key(*often)  # two are enough for SLRU, and are counted for all
    assert key(*often) == key(*often, Insert(A))


def test_what_nobody_sees_counts_as_well() -> None:
    once: list[Operation] = [Insert(A), Match(A)]
    assert key(*once) != key(*once, system="fault:match-counts-as-hit")


def merged(name: str, depth: int) -> tuple[dict[bytes, Expanded], dict[bytes, list[Path]]]:
    """The states of a scope, and all histories that lead to each."""
    scope, reached = SCOPES[name], Reached()
    states: dict[bytes, Expanded] = {}
    ways: dict[bytes, list[Path]] = defaultdict(list)
    for _ in range(depth):
        for one in longer(find("radix"), scope, reached):
            states[one.key] = one
            for number, key in one.moves:
                ways[key].append(one.path + bytes([number]))
    return states, ways


@pytest.mark.torture(all=200, share=6)
@pytest.mark.parametrize(
    "name",
    [
        "swa",
        "mamba",
        "full-write-back",
        "ordered-lfu-write-back",
        "urgent-write-back",
        "refusals",
        "ranks",
        "copies",
        "bigrams",
    ],
)
def test_states_that_are_alike_go_on_alike(name: str, cases: range) -> None:
    states, ways = merged(name, 2)
    others = [(key, path) for key, paths in ways.items() if key in states for path in paths[1:]]
    assert others
    for key, path in others[: len(cases)]:
        again = expand(find("radix"), SCOPES[name], path, lambda _: False)
        assert again.key == key
        assert {move for _, move in again.moves} == {move for _, move in states[key].moves}
