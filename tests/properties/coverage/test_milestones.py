"""Milestones: each is met where it should be, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from radixproof.impl.operations import (
    Abort,
    Arrive,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    HostLock,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.properties.coverage.milestones import Milestone
from radixproof.properties.coverage.watcher import Watcher
from radixproof.properties.running.run import Run

from .histories import AB, ALL, CASES, LONG, A, named


def met_last(config: Config, operations: Sequence[Operation]) -> set[Milestone]:
    """What the last of the operations meets."""
    run, watcher = Run(find("radix"), config), Watcher()
    for operation in operations:
        watcher.counts.clear()
        watcher.before(run.judge.model, operation)
        assert run.step(operation) == []
    return set(watcher.counts)


@pytest.mark.parametrize(("milestone", "config", "operations"), named(CASES))
def test_each_is_met_where_it_should_be(
    milestone: Milestone, config: Config, operations: list[Operation]
) -> None:
    assert milestone in met_last(config, operations)


@pytest.mark.parametrize(
    ("milestone", "config", "operations"), named([case for case in CASES if len(case[2]) > 1])
)
def test_none_is_met_without_what_went_before(
    milestone: Milestone, config: Config, operations: list[Operation]
) -> None:
    assert milestone not in met_last(config, operations[-1:])


@pytest.mark.parametrize(
    ("milestone", "operations"),
    [
        # All that storage has of it has come.
        (Milestone.PREFETCH_IN_PART, [Prefetch("f1", LONG, stored=2), EndPrefetch("f1", 2)]),
        # The last part of a prompt is never late.
        (
            Milestone.FINISH_WHILE_COMPUTED,
            [Arrive("q1", AB), Prefill("q1", 2, launched=True), Finish("q1")],
        ),
    ],
)
def test_some_are_not_met_by_what_looks_like_it(
    milestone: Milestone, operations: list[Operation]
) -> None:
    assert milestone not in met_last(Config(), operations)


def test_every_milestone_has_a_history() -> None:
    assert [
        milestone for milestone in Milestone if milestone not in {case[0] for case in CASES}
    ] == []


def test_nothing_is_met_where_nothing_happens() -> None:
    for operation in (
        Match(A),
        Lock("r1", A),
        Unlock("r1"),
        HostLock("h1", A),
        ReleaseWindow("r1"),
        Evict(0),
        EvictHost(1),
        LoadBack(A),
        RunCopies(fail=True),
        WritingCheck(),
        LoadingCheck(),
        Arrive("q1", A),
        Prefill("q1"),
        Finish("q1"),
        Abort("q1"),
        Reset(),
    ):
        assert met_last(ALL, [operation]) == set()
