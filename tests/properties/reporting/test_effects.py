"""What each step did, in words."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Unlock,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Component, Config
from radixproof.model.key import Key
from radixproof.properties.reporting.effects import effects
from radixproof.properties.reporting.narrate import narrate

FULL = Config()
SWA = Config(window=1, swa_pages=8, swa_host_pages=16)
BARE = Config(host_pages=0)


def key(*tokens: int, namespace: str = "") -> Key:
    return Key(tokens, namespace)


def of(config: Config, *operations: Operation) -> list[str]:
    return list(effects(narrate(find("radix"), History(config, operations), None)))


def test_a_split_and_what_is_added() -> None:
    assert of(BARE, Insert(key(1, 2)), Match(key(1)), Insert(key(1, 2, 3))) == [
        "adds [1 2]",
        "splits [1 2] into [1] and [1 | 2]",
        "adds [1 2 | 3]",
    ]


def test_only_the_node_that_is_cut_is_split() -> None:
    assert of(BARE, Insert(key(1)), Insert(key(1, 2, 3)), Match(key(1, 2)))[-1] == (
        "splits [1 | 2 3] into [1 | 2] and [1 2 | 3]"
    )


def test_namespaces_are_told_apart() -> None:
    assert of(BARE, Insert(key(1)), Insert(key(1, namespace="a"))) == ["adds [1]", "adds a:[1]"]


def test_from_tier_to_tier_and_back() -> None:
    said = of(
        FULL,
        Insert(key(1, 2)),
        WritingCheck(blocking=True),
        Evict(2),
        LoadBack(key(1, 2)),
    )
    assert said == [
        "adds [1 2]",
        "ends the backup of [1 2]",
        "demotes [1 2]",
        "brings back [1 2]",
    ]
    assert of(FULL, Insert(key(1)), WritingCheck(blocking=True), Evict(1), EvictHost(1))[-1] == (
        "deletes [1]"
    )


def test_single_components_are_named() -> None:
    said = of(
        SWA,
        Insert(key(1)),
        Insert(key(1, 2)),
        WritingCheck(blocking=True),
        Evict(swa=1),
        EvictHost(1, Component.SWA),
    )
    assert said[-2:] == ["demotes the SWA of [1]", "takes off the host the SWA of [1]"]


def test_a_backup_that_comes_later_and_a_deletion() -> None:
    twice = Config(threshold=2)
    said = of(twice, Insert(key(1)), Insert(key(1)), WritingCheck(blocking=True), Evict(1))
    assert said[1:3] == ["begins to back up [1]", "ends the backup of [1]"]
    assert of(BARE, Insert(key(1)), Evict(1))[-1] == "deletes [1]"


def test_locks_come_and_go() -> None:
    said = of(BARE, Insert(key(1)), Lock("r", key(1)), Unlock("r"))
    assert said[1:] == ["locks [1]", "unlocks [1]"]


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (Match(key(1)), "moves nothing, but counts as a use"),
        (Insert(key(1)), "moves nothing, but counts as a use"),
        (Match(key(9)), "finds and leaves nothing"),
        (Evict(0), "frees nothing"),
        (WritingCheck(), ""),
        (Unlock("nobody"), ""),
    ],
)
def test_what_moves_nothing_is_not_given_a_reason(operation: Operation, said: str) -> None:
    assert of(FULL, Insert(key(1)), WritingCheck(blocking=True), operation)[-1] == said
