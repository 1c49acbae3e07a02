"""Planted bugs: each is in the one cache it was planted in, is seen by the property it names, and is described."""

from __future__ import annotations

import pytest

from radixproof.impl import faults
from radixproof.impl.faults import FAULTS
from radixproof.impl.registry import UnknownSystem, find, locally
from radixproof.model.config import Config
from radixproof.model.history import History
from radixproof.model.operations import Evict, Insert, Key, Match, Operation, WritingCheck
from radixproof.properties.interpreter import run_history
from radixproof.properties.soak import one

WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)
HISTORIES = 60
"""As many of a soak are tried before a fault counts as hidden."""


def first_broken(name: str) -> History:
    """The first history of a soak that breaks something in the system with the fault ``name``."""
    for number in range(HISTORIES):
        ran = one(find(f"fault:{name}"), 1, number, lambda _: False)
        if ran.breach is not None:
            return ran.history
    raise AssertionError(f"{HISTORIES} histories of a soak do not show the fault {name}")


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_seen_by_the_property_it_names_and_by_nothing_without_it(name: str) -> None:
    history = first_broken(name)
    verdict = run_history(find(f"fault:{name}"), history)
    assert verdict is not None
    assert verdict.breach.violates is FAULTS[name].sees
    assert run_history(find("radix"), history) is None


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_says_where_it_comes_from_and_what_goes_wrong(name: str) -> None:
    fault = FAULTS[name]
    assert fault.name == name
    assert fault.record
    assert fault.sentence
    assert not fault.sentence.endswith(".")
    target = find(f"fault:{name}")
    assert (target.name, target.summary) == (f"fault:{name}", fault.sentence)
    assert (target.name, f"radix with a planted bug: {fault.sentence}") in locally()


def test_a_fault_is_only_in_the_cache_it_was_planted_in() -> None:
    planted = faults.target("split-parent-not-backed-up")
    history = History(WINDOWED, (Insert(Key((1, 2)), evicted=1), Evict(1)))
    systems = [planted.build(WINDOWED), find("radix").build(WINDOWED)]
    assert run_history(find("radix"), history) is None
    assert run_history(planted, history) is not None
    for system in systems:
        system.close()


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(UnknownSystem, match="no fault is called 'nothing'"):
        find("fault:nothing")


@pytest.mark.parametrize(
    ("operations", "lost"),
    [
        ([Insert(Key((1, 2)), evicted=1), Evict(1)], True),
        ([Insert(Key((1, 2, 3)), evicted=2), WritingCheck(blocking=True), Match(Key((1, 2, 3))), Evict(1)], True),
        ([Insert(Key((1, 2))), WritingCheck(blocking=True), Evict(2)], False),
        ([Insert(Key((1, 2)), evicted=2), WritingCheck(blocking=True), Evict(2)], False),
        ([Insert(Key((1,))), Insert(Key((1, 2)), evicted=1), WritingCheck(blocking=True), Evict(2)], False),
    ],
    ids=lambda value: "; ".join(map(str, value)) if isinstance(value, list) else str(value),
)
def test_split_parent_not_backed_up(operations: list[Operation], lost: bool) -> None:
    """Only a new leaf that is cut at the SWA boundary is lost."""
    verdict = run_history(find("fault:split-parent-not-backed-up"), History(WINDOWED, tuple(operations)))
    assert (verdict is not None) is lost
    if verdict is not None:
        assert verdict.breach.signature == "PROGRESS/never-backed-up"
        assert verdict.step == len(operations) - 1
