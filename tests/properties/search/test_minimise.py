"""The minimiser: shortest histories, found in few runs, always the same, and always in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import cycle, islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixproof.impl.operations import (
    OPERATIONS,
    History,
    Insert,
    Lock,
    Match,
    Operation,
    Unlock,
)
from radixproof.impl.registry import find
from radixproof.model.config import Config, EvictionPolicy
from radixproof.model.key import Key
from radixproof.properties.drivers.soak import one
from radixproof.properties.histories.history_json import from_json, to_json
from radixproof.properties.running.run import run_history
from radixproof.properties.search.minimise import minimise

from .failing import MIXED, RICH, Fails, has

FAULT = "fault:split-parent-not-backed-up"
SIGNATURE = "PROGRESS/never-backed-up"


# -- nothing can be left out ---------------------------------------------------------------------


def keyless(operation: Any, start: int, config: Config) -> Any:
    """The operation without the page of its prompt that begins at ``start``."""
    if not hasattr(operation, "key"):
        return operation
    tokens = operation.key.tokens[:start] + operation.key.tokens[start + config.page_size :]
    changed = replace(operation, key=replace(operation.key, tokens=tokens))
    return (
        replace(changed, evicted=min(changed.evicted, config.floor(len(tokens))))
        if hasattr(changed, "evicted")
        else changed
    )


def with_one_thing_less(history: History) -> Iterator[History]:
    """Without an operation, without a page of one prompt, without a page of all prompts."""
    config, operations = history.config, history.operations
    for at in range(len(operations)):
        yield replace(history, operations=operations[:at] + operations[at + 1 :])
    longest = max(
        (len(operation.key.tokens) for operation in operations if hasattr(operation, "key")),
        default=0,
    )
    for start in range(0, longest, config.page_size):
        shorter = [keyless(operation, start, config) for operation in operations]
        yield replace(history, operations=tuple(shorter))
        for at, operation in enumerate(shorter):
            yield replace(history, operations=(*operations[:at], operation, *operations[at + 1 :]))


def assert_minimal(smallest: History, fails: Fails) -> None:
    assert fails(smallest)
    for less in with_one_thing_less(smallest):
        assert less == smallest or not fails(less), (
            f"this would do:\n{less}\ninstead of:\n{smallest}"
        )


CONFIGS = (
    Config(),
    Config(
        page_size=2,
        window=5,
        device_pages=3,
        swa_pages=3,
        host_pages=20,
        swa_host_pages=2,
        threshold=2,
        bigram=True,
    ),
    Config(
        page_size=3,
        mamba_states=4,
        mamba_host_states=9,
        write_back=True,
        eviction_policy=EvictionPolicy.SLRU,
        load_threshold=7,
    ),
    Config(
        window=3,
        swa_pages=9,
        mamba_states=2,
        host_pages=0,
        ranks=3,
        eviction_policy=EvictionPolicy.FIFO,
    ),
)
TOKENS = st.lists(st.integers(1, 2), max_size=8).map(tuple)


def field_values(name: str, kind: str, config: Config) -> st.SearchStrategy[Any]:
    if name == "rank":
        return st.integers(0, config.ranks - 1)
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "Key": st.builds(Key, TOKENS, st.sampled_from(["", "a"])),
        "str": st.sampled_from(["r1", "r2", "r3"]),
        "int": st.integers(0, 9),
        "int | None": st.none() | st.integers(0, 9),
        "str | None": st.none() | st.sampled_from(["m1", "m2"]),
        "bool": st.booleans(),
        "tuple[int, ...]": TOKENS,
        "Component": st.sampled_from(config.components),
        "Pool": st.sampled_from(config.pools),
    }
    return by_type[kind]


def in_whole_pages(operation: Any, config: Config) -> Any:
    """As history files have to have it."""
    if not hasattr(operation, "evicted"):
        return operation
    return replace(
        operation, evicted=config.floor(min(operation.evicted, len(operation.key.tokens)))
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    config = draw(st.sampled_from(CONFIGS))
    kinds = [
        st.builds(
            kind,
            **{item.name: field_values(item.name, str(item.type), config) for item in fields(kind)},
        )
        for kind in OPERATIONS
    ]
    operations = draw(st.lists(st.one_of(kinds), min_size=1, max_size=14))
    return History(config, tuple(in_whole_pages(operation, config) for operation in operations))


def facts(history: History) -> set[object]:
    """Plain facts about a history, of the kind that bugs depend on."""
    operations, keys = (
        history.operations,
        [operation.key for operation in history.operations if hasattr(operation, "key")],
    )
    found: set[object] = {
        ("config", item.name, getattr(history.config, item.name)) for item in fields(Config)
    }
    found |= {
        ("operations, modulo 3", len(operations) % 3),
        ("tokens, modulo 3", sum(len(key.tokens) for key in keys) % 3),
    }
    found |= {
        ("next to each other", first.name, second.name) for first, second in pairwise(operations)
    }
    kinds = Counter(operation.name for operation in operations)
    found |= {("more than", number, name) for name, most in kinds.items() for number in range(most)}
    for operation in operations:
        values = {item.name: getattr(operation, item.name) for item in fields(operation)}
        found |= {
            ("value", operation.name, name, value)
            for name, value in values.items()
            if not isinstance(value, Key)
        }
    for key in keys:
        found |= {
            ("pages", pages) for pages in range(len(key.tokens) // history.config.page_size + 1)
        }
    for first, second in pairwise(keys):
        both = enumerate(zip(first.tokens, second.tokens, strict=False))
        found |= {("agree" if here == there else "differ", place) for place, (here, there) in both}
    return found


@given(histories(), st.data())
@settings(max_examples=40)
def test_nothing_can_be_left_out(history: History, data: st.DataObject) -> None:
    needed = set(data.draw(st.lists(st.sampled_from(sorted(facts(history), key=repr)), max_size=5)))

    def fails(candidate: History) -> bool:
        return needed <= facts(candidate)

    smallest = minimise(history, fails)
    assert_minimal(smallest, fails)
    assert from_json(to_json(smallest)) == smallest
    assert minimise(history, fails) == smallest


# -- with a real fault ---------------------------------------------------------------------------


def fails_as(signature: str) -> Fails:
    return lambda history: (
        run_history(find(FAULT), history, lambda other: other != signature) is not None
    )


def broken(seed: int) -> History:
    """The first history of a soak that shows the fault."""
    ran = (one(find(FAULT), seed, number, lambda _: False) for number in range(200))
    return next(
        each.history
        for each in ran
        if each.breach is not None and each.breach.signature == SIGNATURE
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_can_be_left_out_of_a_real_finding(seed: int) -> None:
    smallest = minimise(broken(seed), fails_as(SIGNATURE))
    assert smallest.operations == (Insert(Key((1, 2)), evicted=1),)
    assert smallest.config == Config(window=1, swa_pages=8, swa_host_pages=16)
    assert_minimal(smallest, fails_as(SIGNATURE))


@pytest.mark.parametrize("seed", [3, 5])
def test_a_real_finding_of_200_operations_takes_few_runs(seed: int) -> None:
    short = broken(seed)
    before = tuple(islice(cycle(short.operations[:-1]), 200 - len(short.operations)))
    runs = Counted(fails_as(SIGNATURE))
    smallest = minimise(replace(short, operations=before + short.operations), runs)
    assert len(smallest.operations) == 1
    assert runs.count <= 100


# -- few runs ------------------------------------------------------------------------------------


class Counted:
    """Calls counted."""

    def __init__(self, fails: Fails) -> None:
        self.fails = fails
        self.count = 0

    def __call__(self, history: History) -> bool:
        self.count += 1
        return self.fails(history)


@pytest.mark.parametrize(
    "needed",
    [(199,), (17, 199), (3, 50, 51, 120, 199), (0, 40, 80, 120, 160), tuple(range(9, 200, 19))],
)
def test_the_needed_ones_of_200_operations_are_found_in_few_runs(needed: tuple[int, ...]) -> None:
    operations = tuple(Match(Key((place,))) for place in range(200))
    wanted = tuple(operations[place] for place in needed)
    runs = Counted(has(*wanted))
    assert minimise(History(Config(), operations), runs).operations == wanted
    assert runs.count <= 30 + 15 * len(needed)


@pytest.mark.parametrize("calls", [0, 1, 10, 40])
def test_after_so_many_runs_the_best_so_far_has_to_do(calls: int) -> None:
    runs = Counted(has(*[Match] * 70))
    smallest = minimise(
        History(Config(), tuple(Match(Key((place,))) for place in range(200))), runs, calls=calls
    )
    assert runs.count == calls
    assert runs.fails(smallest)


def test_nothing_is_run_twice() -> None:
    seen: set[tuple[Config, tuple[Operation, ...]]] = set()

    def fails(history: History) -> bool:
        assert (history.config, history.operations) not in seen
        seen.add((history.config, history.operations))
        return has(Lock, Unlock)(history)

    minimise(History(RICH, MIXED), fails)


def test_progress_is_told_as_it_shrinks() -> None:
    told: list[int] = []
    minimise(History(Config(), tuple(Match(Key((1,))) for _ in range(9))), has(Match), told.append)
    assert told == sorted(told, reverse=True)
    assert told[-1] == 1
