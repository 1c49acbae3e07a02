"""The search: it finds what is planted, goes on behind it, and is the same for the same seed."""

from __future__ import annotations

import pytest
from hypothesis import settings

from radixproof.impl.faults import FAULTS
from radixproof.impl.operations import Insert
from radixproof.impl.registry import UnknownSystem, find
from radixproof.model.key import Key
from radixproof.properties.drivers.machine import CacheMachine
from radixproof.properties.running.run import run_history
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search

BUDGET = Budget(steps=2_000, examples=30)
SHORT = Budget(steps=500, examples=10)


def findings(name: str, seed: int, budget: Budget = BUDGET) -> tuple[list[Finding], Progress]:
    found: list[Finding] = []
    done = search(
        find(name),
        seed,
        budget,
        lambda news: found.append(news) if isinstance(news, Finding) else None,
    )
    return found, done


def test_the_planted_seed_bug_is_found_and_shrinks_to_its_history() -> None:
    every, _ = findings("fault:split-parent-not-backed-up", 1, Budget(steps=2_000, examples=0))
    (found,) = (one for one in every if one.signature == "PROGRESS/never-backed-up")
    assert found.history.operations == (Insert(Key((1, 2)), evicted=1),)
    assert found.history.config.window == 1
    assert run_history(find("fault:split-parent-not-backed-up"), found.history) is not None
    assert run_history(find("radix"), found.history) is None


@pytest.mark.parametrize(
    "name", ["split-parent-not-backed-up", "ack-keeps-lock", "size-shrinks-by-the-key"]
)
def test_a_fault_is_seen_by_the_property_it_names(name: str) -> None:
    found, _ = findings(f"fault:{name}", 2, Budget(steps=1_500, examples=10))
    assert found[0].verdict.breach.violates is FAULTS[name].sees


def test_our_own_implementation_is_clean() -> None:
    found, done = findings("radix", 4)
    assert found == []
    assert done.steps >= BUDGET.steps


def test_the_same_seed_finds_the_same() -> None:
    assert findings("fault:ack-keeps-lock", 5, SHORT) == findings("fault:ack-keeps-lock", 5, SHORT)


def test_names_of_systems() -> None:
    assert find("radix").name == "radix"
    for wrong in ("radx", "fault:none", "sglang-0.5.12"):
        with pytest.raises(UnknownSystem, match="known"):
            find(wrong)


class RadixMachine(CacheMachine):
    target = find("radix")


class TestRadix(RadixMachine.TestCase):  # type: ignore[valid-type, misc]
    """The state machine as a developer runs it."""

    settings = settings(max_examples=40)
