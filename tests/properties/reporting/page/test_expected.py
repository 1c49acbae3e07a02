"""What the rules want of a last step, whatever a system did."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from random import Random

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
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.properties.histories import corpus
from radixproof.properties.histories.reading import history_in
from radixproof.properties.power.compared_drivers import DRIVERS
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


@pytest.mark.parametrize("seed", range(3))
def test_it_can_be_told_of_any_step_of_any_history(seed: int) -> None:
    """And is the tree that is there: where our own cache has a choice, it takes the strict one."""
    rng, target = Random(f"expected {seed}"), find("radix")
    for judged in islice(DRIVERS["soak"].histories(target, 1_000 + seed), 12):
        history = judged.history
        end = rng.randint(1, len(history.operations))
        start = replace(history, operations=history.operations[:end])
        wanted = by_the_rules(target, start)
        if wanted is not None:
            there = narrate(target, start, None, trees_kept=1).after
            assert differences(start.config, there, wanted.tree) == {}
            assert differences(start.config, wanted.tree, there) == {}


def test_an_insert_of_less_than_a_page_is_told_for_systems_without_supplements() -> None:
    config = Config(page_size=2, window=2, swa_pages=8, swa_host_pages=16)
    plain = replace(find("radix"), dialect=Dialect(supplements=False))
    wanted = by_the_rules(plain, History(config, (Insert(key(1)),)))
    assert wanted is not None
    assert wanted.tree == ()
