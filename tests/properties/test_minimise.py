"""The minimiser: shortest histories, plain ones, always the same, and always in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.model.history import History
from radixproof.model.operations import Evict, EvictHost, Insert, Key, Lock, Match, Operation, RunCopies, Unlock, WritingCheck
from radixproof.properties.interpreter import run_history
from radixproof.properties.minimise import minimise
from radixproof.properties.soak import one

FAULT = "fault:split-parent-not-backed-up"
SIGNATURE = "PROGRESS/never-backed-up"


def fails_as(signature: str) -> Callable[[History], bool]:
    return lambda history: run_history(find(FAULT), history, lambda other: other != signature) is not None


@pytest.mark.parametrize("seed", range(1, 7))
def test_nothing_can_be_left_out_of_the_result(seed: int) -> None:
    number = next(number for number in range(200) if one(find(FAULT), seed, number, lambda _: False).breach is not None)
    history = one(find(FAULT), seed, number, lambda _: False).history
    fails = fails_as(SIGNATURE)
    smallest = minimise(history, fails)
    assert fails(smallest)
    assert smallest.operations == (Insert(Key((1, 2)), evicted=1), Evict(1))
    for at in range(len(smallest.operations)):
        shorter = replace(smallest, operations=smallest.operations[:at] + smallest.operations[at + 1 :])
        assert not fails(shorter)


def has(*wanted: type) -> Callable[[History], bool]:
    """Fails when operations of these kinds occur in this order."""

    def fails(history: History) -> bool:
        rest = iter(history.operations)
        return all(any(isinstance(operation, kind) for operation in rest) for kind in wanted)

    return fails


MIXED: tuple[Operation, ...] = (
    Insert(Key((1, 2, 1, 2), "a"), 2, True),
    Lock("r1", Key((1, 2))),
    RunCopies(2),
    Match(Key((2, 2))),
    WritingCheck(),
    Evict(6, 4),
    EvictHost(8),
    Unlock("r1"),
)


@pytest.mark.parametrize("kinds", [(Insert,), (Insert, Evict), (Lock, Unlock), (RunCopies, WritingCheck), (Match, EvictHost)])
def test_the_result_is_as_plain_as_it_can_be(kinds: tuple[type, ...]) -> None:
    config = Config(page_size=2, window=5, device_pages=3, swa_pages=3, host_pages=4, swa_host_pages=2, threshold=2)
    smallest = minimise(History(config, MIXED), has(*kinds))
    assert tuple(type(operation) for operation in smallest.operations) == kinds
    assert smallest.config == Config()
    assert all(not operation.key.tokens for operation in smallest.operations if isinstance(operation, Insert | Match | Lock))


def test_a_blocking_check_replaces_copies_and_polling() -> None:
    def fails(history: History) -> bool:
        kinds = [type(operation) for operation in history.operations]
        return (RunCopies, WritingCheck) in pairwise(kinds) or WritingCheck(blocking=True) in history.operations

    assert minimise(History(Config(), MIXED[2:5:2]), fails).operations == (WritingCheck(blocking=True),)


def test_progress_is_told_as_it_shrinks() -> None:
    told: list[int] = []
    minimise(History(Config(), tuple(Match(Key((1,))) for _ in range(9))), has(Match), told.append)
    assert told == sorted(told, reverse=True)
    assert told[-1] == 1
