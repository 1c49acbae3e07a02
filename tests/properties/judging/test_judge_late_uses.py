"""What a match found is used after other operations: by the rules or not at all (semantics 3.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.operations import (
    NO_PROMPT,
    Evict,
    EvictHost,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Reset,
    RunCopies,
    Unlock,
)
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.properties.performing.outcomes import Done, Locked, Outcome, Skipped
from radixproof.properties.running.run import Run

from ..deeds import AB, ABC, PLAIN, SETTLE, WINDOWED, A, B

GONE = Skipped("what m found is not there any more")
KEPT, LOCK = Match(AB, "m"), Lock("r", NO_PROMPT, "m")
HOST_LOCK, LOAD = HostLock("h", NO_PROMPT, "m"), LoadBack(NO_PROMPT, None, "m")
TO_HOST: tuple[Operation, ...] = (SETTLE, Evict(8))


def run_of(target: Target, config: Config, *operations: Operation) -> Run:
    """What is clean so far, looked at after every step."""
    run = Run(target, config, 1)
    for operation in operations:
        assert run.step(operation, whole=True) == []
    return run


@pytest.mark.parametrize(
    ("config", "operations", "outcome"),
    [
        (PLAIN, (Insert(AB), KEPT, Match(A), LOCK), Locked(2)),
        (PLAIN, (Insert(AB), KEPT, Insert(ABC), LOCK), Locked(2)),
        (PLAIN, (Insert(AB), KEPT, SETTLE, Evict(2), LOCK), GONE),
        (PLAIN, (Insert(AB), KEPT, SETTLE, Evict(2), LoadBack(AB), LOCK), GONE),
        (PLAIN, (Insert(AB), KEPT, Reset(), LOCK), GONE),
        (PLAIN, (Insert(B), *TO_HOST, Insert(AB), KEPT, LoadBack(B), LOCK), Locked(2)),
        (PLAIN, (Insert(AB), *TO_HOST, KEPT, LoadBack(A), LOAD), Done(1)),
        (PLAIN, (Insert(AB), *TO_HOST, KEPT, Match(A), LOAD), Done(2)),
        (PLAIN, (Insert(AB), *TO_HOST, KEPT, LoadBack(AB), LOAD), Done(0)),
        (PLAIN, (Insert(AB), *TO_HOST, KEPT, LoadBack(AB), HOST_LOCK), Locked(2)),
        (PLAIN, (Insert(AB), *TO_HOST, KEPT, Insert(AB), LOAD), Done(0)),
        (PLAIN, (Insert(AB), *TO_HOST, KEPT, EvictHost(2), LOAD), GONE),
        (PLAIN, (Insert(AB), KEPT, Match(B, "m"), LOCK), Locked(0)),
        (WINDOWED, (Insert(ABC), KEPT, Match(A), LOCK), Locked(2)),
        (replace(PLAIN, ranks=2), (Insert(AB), KEPT, RunCopies(), Match(A), LOCK), Locked(2)),
    ],
    ids=lambda value: "; ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_kept_match_is_used_by_the_rules(
    radix: Target, config: Config, operations: tuple[Operation, ...], outcome: Outcome
) -> None:
    run = run_of(radix, config, *operations)
    assert run.steps[-1].outcome == outcome
    if LOCK in operations and outcome != GONE:
        assert run.step(Unlock("r"), whole=True) == []


def test_one_match_may_be_used_more_than_once(radix: Target) -> None:
    run = run_of(radix, PLAIN, Insert(AB), *TO_HOST, KEPT, LOAD, LOCK, HOST_LOCK)
    assert [step.outcome for step in run.steps[-3:]] == [Done(2), Locked(0), Locked(2)]


def test_a_system_that_does_not_lock_there_is_not_made_to(radix: Target) -> None:
    run = run_of(radix, replace(PLAIN, threshold=2), Insert(AB), KEPT)
    system: Any = run.system
    system.lock_host = lambda anchor: None
    assert run.step(HOST_LOCK) == []
    assert run.steps[-1].outcome == Skipped("the system does not lock there")
    assert not run.ledger.receipts


def test_slots_that_are_not_those_of_the_match_are_seen(radix: Target) -> None:
    run = run_of(radix, PLAIN, Insert(AB), KEPT)
    found = run.ledger.matches["m"]
    run.ledger.matches["m"] = found._replace(slots=found.slots[::-1])
    assert [breach.signature for breach in run.step(LOCK)] == ["CONTENT/served"]


def test_a_lock_that_ends_elsewhere_is_seen(radix: Target) -> None:
    run = run_of(radix, PLAIN, Insert(AB), KEPT, Match(A))
    found = run.ledger.matches["m"]
    run.ledger.matches["m"] = found._replace(anchor=found.anchor.parent)
    assert [breach.signature for breach in run.step(LOCK)] == ["LOCK/full-too-few"]
