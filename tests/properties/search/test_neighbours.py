"""Histories with one operation less, or one more."""

from __future__ import annotations

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    Insert,
    LoadBack,
    Match,
    Operation,
    Reset,
    RunForward,
)
from radixproof.model.config import Component, Config
from radixproof.model.key import Key
from radixproof.properties.search.neighbours import neighbours

A, AB = Key((1,)), Key((1, 2))
OPERATIONS: tuple[Operation, ...] = (Insert(AB), RunForward(), Reset())


def changed(at: int) -> list[tuple[Operation, ...]]:
    history = History(Config(), OPERATIONS, {"system": "radix"})
    return [neighbour.operations for neighbour in neighbours(history, at)]


def test_less_comes_first_and_the_nearest_of_it() -> None:
    assert changed(1)[:2] == [(Insert(AB), Reset()), (RunForward(), Reset())]
    assert changed(0)[0] == (RunForward(), Reset())


def test_what_comes_after_stays_as_it_is() -> None:
    assert all(operations[-1] == Reset() for operations in changed(1))
    assert sum(operations[-2:] == OPERATIONS[-2:] for operations in changed(0)) > 10


def test_more_is_put_before_and_after() -> None:
    more = [operations for operations in changed(1) if len(operations) == 4]
    put = [one[1] for one in more if one[2:] == OPERATIONS[1:]]
    assert put == [one[2] for one in more if one[:2] == OPERATIONS[:2]]
    assert {Match(A), Match(AB), Insert(A), LoadBack(AB), Evict(swa=1)} <= set(put)
    assert EvictHost(1, Component.MAMBA) in put
    assert len(put) == len(set(put))
