"""What the rules want of a last step, whatever a system did."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Refuse,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.histories import corpus
from radixproof.properties.histories.reading import history_in
from radixproof.properties.reporting.narrate import narrate
from radixproof.properties.reporting.page.boxes import differences
from radixproof.properties.reporting.page.expected import by_the_rules
from radixproof.properties.running.run import run_history

SWA = Config(window=2, swa_pages=8, swa_host_pages=16)
BACK = Config(write_back=True, device_pages=4, host_pages=4)


def key(*tokens: int) -> Key:
    return Key(tokens)


HISTORIES = [
    (SWA, Insert(key(1, 2))),
    (SWA, Insert(key(1, 2)), Match(key(1)), WritingCheck(blocking=True), Lock("r", key(1, 2))),
    (SWA, Insert(key(1, 2)), WritingCheck(blocking=True), Evict(1), LoadBack(key(1, 2))),
    (SWA, Insert(key(1, 2)), WritingCheck(blocking=True), Evict(2), HostLock("h", key(1, 2))),
    (SWA, Insert(key(1, 2)), WritingCheck(blocking=True), Evict(2), EvictHost(1)),
    (BACK, Insert(key(1, 2)), Insert(key(3)), Evict(2), Evict(1)),
]


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: str(history[-1]))
def test_of_a_sound_system_it_is_the_tree_that_is_there(
    history: tuple[Config, *tuple[Operation, ...]],
) -> None:
    config, *operations = history
    told = narrate(find("radix"), History(config, tuple(operations)), None)
    assert told.breach is None
    for count in range(1, len(operations) + 1):
        wanted = by_the_rules(find("radix"), History(config, tuple(operations[:count])))
        assert wanted is not None
        assert differences(config, told.trees[count], wanted.tree) == {}
        assert differences(config, wanted.tree, told.trees[count]) == {}


@pytest.mark.parametrize(
    ("fault", "lacking"),
    [
        ("split-parent-not-backed-up", {key(1): {"FULL host"}}),
        ("host-lock-keeps-one-node-of-the-window", {key(1): {"SWA host"}}),
    ],
)
def test_it_shows_what_a_faulty_one_lacks(fault: str, lacking: dict[Key, set[str]]) -> None:
    history = history_in(corpus.FOLDER / f"fault-{fault}.json")
    target = find(f"fault:{fault}")
    assert run_history(target, history) is not None
    wanted = by_the_rules(target, history)
    assert wanted is not None
    found = differences(history.config, narrate(target, history, None).after, wanted.tree)
    for end, kinds in lacking.items():
        assert kinds <= found[end]


def test_nothing_is_said_while_any_allocation_may_have_been_told_to_fail() -> None:
    operations = (Refuse(Pool.FULL_HOST), Insert(key(1)))
    assert by_the_rules(find("radix"), History(SWA, operations)) is None
