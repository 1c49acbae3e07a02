"""Sabotage: nothing as long as nobody strikes, once at most, and against a sentence."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from radixproof.impl.operations import (
    Evict,
    History,
    Insert,
    LoadBack,
    LoadingCheck,
    Refuse,
    RunCopies,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.sabotage import KINDS, Policy, Sabotaged, scouted
from radixproof.impl.sabotage.planting import Saboteur
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.sensitivity.looking import seen
from radixproof.properties.sensitivity.stories import story

SEMANTICS = (Path(__file__).parents[2] / "docs" / "semantics.md").read_text(encoding="utf-8")
RULES = dict(re.findall(r"^\*\*(\d+\.\d+) (.*?)(?=^\*\*\d+\.\d+ |^## )", SEMANTICS, re.M | re.S))
RULES |= dict(re.findall(r"^## (\d+)\. (.*?)(?=^\*\*|^## )", SEMANTICS, re.M | re.S))
"""And what stands before the first rule of a section."""
HISTORIES = 16
A, AB, X = Key((1,)), Key((1, 2)), Key((9,))
REFUSED = Refuse(Pool.FULL_HOST)
RARE = (
    (
        *(Insert(A), Insert(X), WritingCheck(blocking=True), Evict(2)),
        *(LoadBack(A), LoadBack(X), RunCopies(load=True), LoadingCheck()),
    ),
    (Insert(A), Insert(X), RunCopies(), WritingCheck()),
    (REFUSED, Insert(A), REFUSED, Insert(AB)),
)
"""One of two load-backs is acknowledged, and one of two backups; a node is due above which none
could be backed up.
"""


def in_a_row(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_forbidden_by_a_sentence_of_its_rule(name: str) -> None:
    kind = KINDS[name]
    assert in_a_row(kind.sentence) in in_a_row(RULES[kind.rule])


@pytest.mark.parametrize("number", range(HISTORIES))
def test_saboteurs_who_do_not_strike_change_nothing(number: int) -> None:
    """All of them at once; also what cannot be seen of the order of events."""
    history = story(1, number).history
    watched = scouted(lambda kind, component, at: None)
    clean = list(seen(find("radix"), history, 0))
    assert list(seen(watched, history, 0)) == clean


def test_every_kind_finds_an_occasion_soon() -> None:
    found: Counter[str] = Counter()

    def note(kind: str, component: Component, at: int) -> None:
        found[kind] += component in KINDS[kind].components

    rare = [History(Config(), operations) for operations in RARE]
    for history in [*rare, *(story(1, number).history for number in range(8 * HISTORIES))]:
        for _ in seen(scouted(note), history, len(history.operations)):
            pass
        if len(+found) == len(KINDS):
            break
    assert set(KINDS) - set(+found) == set()


def test_a_saboteur_strikes_once() -> None:
    noted: list[tuple[Component, int]] = []
    one = Saboteur(at=1, note=lambda component, number: noted.append((component, number)))
    assert [one.strikes(Component.FULL) for _ in range(4)] == [False, True, False, False]
    assert one.struck
    assert noted == [(Component.FULL, number) for number in range(4)]


def test_of_several_ranks_one_can_be_sabotaged_alone() -> None:
    config = Config(ranks=2)
    for alone, expected in ((False, [0, 0]), (True, [None, 0])):
        one = Sabotaged("stored-event-missing", 0, alone)
        target = one.target()
        for _ in range(config.ranks):
            target.build(config)
        assert [saboteur.at for saboteur in one.saboteurs] == expected


@pytest.mark.parametrize(
    ("config", "policy"),
    [
        (Config(), Policy.WRITE_THROUGH),
        (Config(threshold=2), Policy.SELECTIVE),
        (Config(write_back=True), Policy.WRITE_BACK),
        (Config(host_pages=0), Policy.NO_HOST),
    ],
)
def test_policies(config: Config, policy: Policy) -> None:
    assert Policy.of(config) is policy
