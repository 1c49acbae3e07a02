"""The states that requests work on, take copies of, and bring to the tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Finish,
    Insert,
    Lock,
    Prefill,
)
from radixproof.impl.system import AdapterMistake, Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.outcomes import Done, Inserted
from radixproof.properties.performing.step import CopyState
from radixproof.properties.running.run import Run

from ..deeds import (
    AB,
    SETTLE,
    STATEFUL,
    A,
    B,
    with_state,
)
from .watching import LONG, Watched, rows, said


def test_a_request_works_on_a_state_of_its_own(watched: Callable[..., Watched]) -> None:
    """It copies the one that it matched, and what it inserts brings another."""
    run = watched(STATEFUL)
    run.parts(with_state(AB))
    steps = run.parts(Arrive("q", LONG))
    assert steps[-2].operation == CopyState(LONG)
    assert run.request().state is not None
    assert rows(run) == [0, 0, 1]
    assert [step.outcome for step in run.parts(Prefill("q", 2))][1] == Inserted(2, 2, True)
    assert run.judge.model.trie.used[Pool.MAMBA] == 2
    run.parts(Prefill("q", 2))
    assert (
        said(run.parts(Finish("q")))[0]
        == "insert [1 2 3 4 5 6] evicted 6 state -> 6 tokens were there already, 6 reused"
    )
    assert rows(run) == [0, 0, 0]
    assert run.judge.model.trie.used[Pool.MAMBA] == 3


def test_a_request_that_finds_nothing_begins_with_an_empty_state(
    watched: Callable[..., Watched],
) -> None:
    run = watched(STATEFUL)
    assert isinstance(run.parts(Arrive("q", AB))[-1].operation, Lock)
    assert rows(run) == [0, 0, 1]
    run.parts(Abort("q"))
    assert rows(run) == [0, 0, 0]


def test_a_state_is_evicted_for_the_copy_of_another(watched: Callable[..., Watched]) -> None:
    """But not the one that is copied, which is the oldest here."""
    run = watched(Config(mamba_states=2, mamba_host_states=2))
    for operation in (with_state(A), with_state(B), SETTLE):
        run.parts(operation)
    (copied,) = (
        step for step in run.parts(Arrive("q", AB)) if isinstance(step.operation, CopyState)
    )
    assert copied.outcome == Done(1)
    assert run.judge.model.trie.walk(A)[0].has(Pool.MAMBA)
    assert not run.judge.model.trie.walk(B)[0].has(Pool.MAMBA)


def test_a_request_without_room_for_a_state_goes_on_without_one(
    watched: Callable[..., Watched],
) -> None:
    run = watched(Config(mamba_states=1, mamba_host_states=1))
    run.parts(with_state(A))
    run.parts(SETTLE)
    (copied,) = (
        step for step in run.parts(Arrive("q", AB)) if isinstance(step.operation, CopyState)
    )
    assert copied.outcome == Done(0)
    assert [step.outcome for step in run.parts(Prefill("q"))][1] == Inserted(1, 1, False)


def test_where_an_insert_must_bring_a_state_a_request_without_one_inserts_nothing(
    radix: Target,
) -> None:
    scope = replace(radix.scope, stateless_inserts=False)
    run = Watched(replace(radix, scope=scope), Config(mamba_states=1, mamba_host_states=1))
    run.parts(with_state(A))
    run.parts(SETTLE)
    for operation in (Arrive("q", AB), Prefill("q"), Finish("q")):
        assert not any(isinstance(step.operation, Insert) for step in run.parts(operation))
    assert rows(run) == [0, 0, 0]
    assert run.judge.model.trie.used[Pool.FULL] == 1


def test_a_request_that_brought_no_state_cannot_match_what_it_has_inserted(radix: Target) -> None:
    """Nobody else can tell it where the insert ended."""

    def build(config: Config) -> Any:
        system: Any = radix.build(config)
        insert = system.insert
        system.insert = lambda *given: insert(*given)._replace(anchor=None)
        return system

    scarce = Config(mamba_states=1, mamba_host_states=16)
    run = Run(replace(radix, build=build), scarce)
    run.step(Arrive("q", Key((1,))))
    with pytest.raises(AdapterMistake, match="insert returned no anchor, and no state had come"):
        run.step(Prefill("q"))
    run.close()
