"""Long histories cut down, coarsely first."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from radixproof.impl.operations import (
    Evict,
    History,
    Insert,
    LoadBack,
    LoadingCheck,
    Match,
    Operation,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.running.run import Verdict, run_history
from radixproof.properties.search.minimise.best import Shrinking
from radixproof.properties.traces.reducing import reduce, without_conversations

LEAKS = find("fault:refused-load-keeps-lock")
A, AB = Key((1,)), Key((1, 2))
SETTLE = WritingCheck(blocking=True)
LEAK: tuple[Operation, ...] = (
    Insert(AB), SETTLE, Evict(9), LoadBack(A), LoadingCheck(blocking=True), LoadBack(AB, 0),
)  # fmt: skip


def traffic(seed: int, count: int) -> list[Operation]:
    random = Random(seed)
    keys = [Key((random.randrange(3, 9), random.randrange(3, 9))) for _ in range(count)]
    return [random.choice((Match(key), Insert(key), Evict(2), SETTLE)) for key in keys]


def test_cause_and_symptom_are_found_far_apart() -> None:
    config = Config(device_pages=20, host_pages=40)
    operations = (*traffic(1, 300), Evict(99), *LEAK, *traffic(2, 300), Evict(99))
    smallest = reduce(LEAKS, History(config, operations), "LOCK/full-too-many")
    assert smallest is not None
    assert len(smallest.operations) <= len(LEAK)
    assert smallest.origin["signature"] == "LOCK/full-too-many"
    assert smallest.origin["system"] == LEAKS.name


def test_what_fails_only_as_a_search_looks_is_no_other_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(target: Target, history: History, known: Any, every: int | None = 1) -> Verdict | None:
        return None if every == 1 else run_history(target, history, known, every)

    monkeypatch.setattr("radixproof.properties.traces.reducing.run_history", run)
    operations = (*traffic(1, 50), *LEAK, Evict(99))
    smallest = reduce(LEAKS, History(Config(), operations), "LOCK/full-too-many")
    assert smallest is not None
    assert smallest.origin == {"system": LEAKS.name, "signature": "LOCK/full-too-many"}
    assert len(smallest.operations) <= len(LEAK) + 1


def test_what_does_not_fail_is_not_reduced() -> None:
    history = History(Config(), LEAK)
    assert reduce(find("radix"), history, "LOCK/full-too-many") is None
    assert reduce(LEAKS, history, "LOCK/another") is None


@pytest.mark.parametrize("bigram", [False, True])
def test_conversations_that_do_not_matter_go_as_a_whole(bigram: bool) -> None:
    """As pairs of neighbours all prompts begin with the same token."""
    before = (0,) if bigram else ()
    keys = [Key((*before, first, second)) for first in range(1, 9) for second in (1, 2)]
    operations: tuple[Operation, ...] = (*map(Match, keys), Evict(1), *map(Insert, keys))
    needed = {2, 7}

    def fails(history: History) -> bool:
        left = {
            one.key.tokens[bigram] for one in history.operations if isinstance(one, Match | Insert)
        }
        return needed <= left and Evict(1) in history.operations

    history = History(Config(bigram=bigram), operations)
    now = Shrinking(history, fails, lambda _: None, 1_000, lambda: False)
    without_conversations(now)
    left = {one.key.tokens[bigram] for one in now.operations if isinstance(one, Match | Insert)}
    assert left == needed
    assert len(now.operations) == 9
