"""The model by itself does what it follows our own cache in."""

from __future__ import annotations

from typing import Any

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    Insert,
    LoadBack,
    Match,
    Operation,
    Refuse,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Component, Config
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.properties.exploring.explorer import Reached
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.strictly import CHOICES, Strictly
from radixproof.properties.exploring.sweep import longer
from radixproof.properties.running.run import Run

A, AB = Key((1,)), Key((1, 2))
SOON = WritingCheck(blocking=True)
BEFORE: dict[type[Operation], list[Operation]] = {
    Insert: [],
    Evict: [Insert(AB), SOON],
    LoadBack: [Insert(AB), SOON, Evict(2)],
    EvictHost: [Insert(AB), SOON, Evict(2)],
}
DONE: dict[type[Operation], Operation] = {
    Insert: Insert(AB, reuse=True),
    Evict: Evict(1),
    LoadBack: LoadBack(AB),
    EvictHost: EvictHost(1, Component.FULL),
}
NOTHING: dict[type[Operation], str] = {
    Insert: "finish_insert",
    Evict: "evict",
    LoadBack: "finish_load",
    EvictHost: "evict_host",
}
"""What the model is kept from doing."""


def agrees(*before: Operation, last: Operation) -> bool:
    run = Run(find("radix"), Config())
    for operation in before:
        assert run.step(operation, whole=True) == []
    strictly = Strictly(run, last)
    assert run.step(last, whole=True) == []
    return strictly.agrees()


@pytest.mark.parametrize("kind", CHOICES)
def test_it_does_the_same_and_would_be_told_if_it_did_not(
    kind: type[Operation], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert agrees(*BEFORE[kind], last=DONE[kind])

    def nothing(*_: Any) -> None:
        pass

    monkeypatch.setattr(Cache, NOTHING[kind], nothing)
    assert not agrees(*BEFORE[kind], last=DONE[kind])


def test_what_is_not_compared_agrees() -> None:
    assert agrees(Insert(A), last=Match(A))
    assert agrees(Insert(A), Refuse(), last=Insert(AB))


@pytest.mark.torture(all=33, share=4)
def test_it_does_the_same_in_every_state_of_the_scopes(cases: range) -> None:
    names = list(SCOPES)
    for number in cases:
        scope, reached = SCOPES[names[7 * number % len(names)]], Reached()
        for _ in range(2):
            for one in longer(find("radix"), scope, reached):
                assert one.otherwise == [], (scope, one.path)
