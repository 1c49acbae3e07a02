"""Milestones: where a search has been, and that it says so when it has not been everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from radixproof.impl.registry import find
from radixproof.model.config import Component, Config
from radixproof.model.operations import (
    Evict,
    EvictHost,
    Insert,
    Key,
    Lock,
    Match,
    Operation,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.properties.check import check
from radixproof.properties.interpreter import Run
from radixproof.properties.milestones import Lookout, Milestone
from radixproof.properties.search import Budget
from radixproof.properties.soak import one

M = Milestone
FULL = Config()
WINDOWED = Config(window=2, swa_pages=8, swa_host_pages=16)
A, AB, ABC, ABCD = (Key((1, 2, 3, 4)[:length]) for length in (1, 2, 3, 4))
OTHER = Key((9,))
SETTLE = WritingCheck(blocking=True)


def met_last(config: Config, operations: Sequence[Operation]) -> set[Milestone]:
    """What the last of the operations meets."""
    run, lookout = Run(find("radix"), config), Lookout(config)
    for operation in operations:
        lookout.counts.clear()
        lookout.see(run.judge.model, operation)
        assert run.step(operation) == []
    return set(lookout.counts)


@pytest.mark.parametrize(
    ("milestone", "config", "operations"),
    [
        (M.SPLIT_LOCKED, FULL, [Insert(AB), Lock("r1", AB), Match(A)]),
        (M.SPLIT_IN_FLIGHT, FULL, [Insert(AB), Match(A)]),
        (M.SPLIT_HOST_ONLY, FULL, [Insert(AB), SETTLE, Evict(2), Match(A)]),
        (M.SPLIT_TOMBSTONE, WINDOWED, [Insert(ABC, 3), Match(A)]),
        (M.HOST_HIT, FULL, [Insert(A), SETTLE, Evict(1), Match(A)]),
        (M.WINDOW_VETO, WINDOWED, [Insert(ABC, 2), Match(ABC)]),
        (M.NAMESPACES_SHARE, FULL, [Insert(A), Insert(Key((1,), "a")), Match(A)]),
        (M.DUPLICATE, FULL, [Insert(AB), Insert(AB)]),
        (M.REUSE, FULL, [Insert(AB), Insert(ABC, reuse=True)]),
        (M.REVIVE, FULL, [Insert(A), SETTLE, Evict(1), Insert(A)]),
        (M.REVIVE_BELOW_BOUNDARY, WINDOWED, [Insert(A), SETTLE, Evict(1), Insert(AB, 1)]),
        (M.RECOVER, WINDOWED, [Insert(AB, 1), SETTLE, Insert(A)]),
        (M.RECOVER_LOCKED, WINDOWED, [Insert(AB, 1), Insert(A)]),
        (M.BOUNDARY_INSIDE_NODE, WINDOWED, [Insert(AB, 2), Insert(ABC, 1)]),
        (M.BOUNDARY_INSIDE_LEAF, WINDOWED, [Insert(AB, 1)]),
        (M.LEAF_BELOW_BOUNDARY, WINDOWED, [Insert(AB, 2)]),
        (M.LEAF_LONGER_THAN_WINDOW, WINDOWED, [Insert(ABC)]),
        (M.BACKUP_OF_ANCESTORS, Config(threshold=2), [Insert(AB), Match(A), Insert(AB)]),
        (M.BACKUP_MAKES_ROOM, Config(host_pages=1), [Insert(A), SETTLE, Evict(1), Insert(OTHER)]),
        (M.BACKUP_REFUSED, Config(host_pages=1), [Insert(AB)]),
        (M.DEMOTION, FULL, [Insert(A), SETTLE, Evict(1)]),
        (M.DELETION, Config(host_pages=1), [Insert(AB), Evict(1)]),
        (M.EVICTION_IN_FLIGHT, Config(host_pages=1), [Insert(A), Insert(Key((8, 9))), Evict(1)]),
        (M.EVICTION_OF_TOO_MUCH, FULL, [Insert(A), SETTLE, Evict(2)]),
        (M.SWA_EVICTION_INTERIOR, WINDOWED, [Insert(ABCD), SETTLE, Match(ABCD), Evict(0, 1)]),
        (M.HOST_EVICTION_OF_CHAIN, FULL, [Insert(AB), Match(A), SETTLE, Evict(2), EvictHost(1)]),
        (M.HOST_EVICTION_OF_WINDOW, WINDOWED, [Insert(ABCD), SETTLE, Evict(0, 1), EvictHost(1, Component.SWA)]),
        (M.POLL_TOO_EARLY, FULL, [Insert(A), WritingCheck()]),
        (M.POLL_PARTLY, FULL, [Insert(A), Insert(OTHER), RunCopies(), WritingCheck()]),
        (M.UNLOCK_AFTER_SPLIT, FULL, [Insert(AB), Lock("r1", AB), Match(A), Unlock("r1")]),
        (M.UNLOCK_AFTER_REVIVAL, WINDOWED, [Insert(ABCD), SETTLE, Evict(0, 1), Lock("r1", ABCD), Insert(ABCD), Unlock("r1")]),
        (M.RESET, FULL, [Insert(A), SETTLE, Reset()]),
    ],
    ids=lambda value: value.name if isinstance(value, Milestone) else "",
)
def test_each_is_met_where_it_should_be(milestone: Milestone, config: Config, operations: list[Operation]) -> None:
    assert milestone in met_last(config, operations)


def test_nothing_is_met_where_nothing_happens() -> None:
    for operation in (Match(A), Lock("r1", A), Unlock("r1"), Evict(0), EvictHost(1), WritingCheck(), Reset()):
        assert met_last(WINDOWED, [operation]) == set()


def test_random_histories_come_by_all_of_them() -> None:
    met: Counter[Milestone] = Counter()
    for number in range(0, 600, 3):
        met += one(find("radix"), 1, number, lambda _: False).milestones or Counter()
    assert set(met) == set(Milestone)


def test_only_some_histories_are_watched() -> None:
    assert one(find("radix"), 1, 1, lambda _: False).milestones is None


def test_a_search_that_has_not_been_everywhere_is_not_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = check(["radix"], 1, Budget(steps=200, examples=1, everywhere=True), tmp_path)
    assert result.incomplete
    printed = capsys.readouterr().out
    assert "milestones reached, but not:" in printed
    assert any(milestone.value in printed for milestone in Milestone)
    assert not check(["radix"], 1, Budget(steps=200, examples=1), tmp_path).incomplete
