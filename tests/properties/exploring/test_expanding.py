"""One state, and everything that can be done there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radixproof.impl.operations import (
    HostInsert,
    Insert,
    LoadBack,
    Lock,
    Match,
    Prefetch,
    Unlock,
)
from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.exploring.expanding import Expanded, expand, history_of
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.performing.outcomes import Skipped
from radixproof.properties.running.run import Run

A, B, AA, AB = Key((1,)), Key((2,)), Key((1, 1)), Key((1, 2))
MINE = SmallScope(
    "mine",
    Config(device_pages=1, host_pages=1),
    (Insert(A), Insert(B), Insert(AA), Insert(AB), Lock("r", A), Lock("r", B), Unlock("r")),
    3,
    symmetric=True,
)


def expanded(*path: int, system: str = "radix", known: tuple[str, ...] = ()) -> Expanded:
    return expand(find(system), MINE, bytes(path), known.__contains__)


def performed(one: Expanded) -> list[int]:
    return [number for number, _ in one.moves]


def test_what_differs_in_the_names_of_new_pages_is_performed_once() -> None:
    # No room for two pages, and no receipt to give back.
    assert performed(expanded()) == [0, 4]


def test_names_count_where_a_scope_does_not_say_otherwise() -> None:
    named = replace(MINE, symmetric=False)
    assert performed(expand(find("radix"), named, b"", lambda _: False)) == [0, 1, 4, 5]


def test_names_count_once_they_stand_for_something() -> None:
    one = expanded(0)
    assert performed(one) == [4, 5]  # for another page there is no room
    assert one.key not in {key for _, key in one.moves}
    assert history_of(MINE, b"\0\4").operations == (Insert(A), Lock("r", A))


def test_what_is_out_is_given_back() -> None:
    assert 6 in performed(expanded(0, 4))
    assert 4 not in performed(expanded(0, 4))


def test_what_is_wrong_is_told_with_its_history() -> None:
    one = expanded(system="fault:insert-does-not-renew-its-path")
    assert not one.broken
    one = expand(
        find("fault:split-parent-not-backed-up"),
        SmallScope("one", Config(window=1, swa_pages=8, swa_host_pages=8), (Insert(AB, 1),), 1),
        b"",
        lambda _: False,
    )
    assert [(broken.history.operations, broken.breach.signature) for broken in one.broken] == [
        ((Insert(AB, 1),), "PROGRESS/never-backed-up")
    ]
    assert performed(one) == []


def test_what_is_known_ends_a_history_and_is_counted() -> None:
    one = expand(
        find("fault:split-parent-not-backed-up"),
        SmallScope("one", Config(window=1, swa_pages=8, swa_host_pages=8), (Insert(AB, 1),), 1),
        b"",
        lambda signature: signature == "PROGRESS/never-backed-up",
    )
    assert (one.broken, one.moves) == ([], [])
    assert one.cut_off == {"PROGRESS/never-backed-up": 1}


def test_every_state_is_drained() -> None:
    """No operation of the scope acknowledges a backup: that an ack keeps its lock shows there."""
    (broken,) = expanded(0, system="fault:ack-keeps-lock").broken[:1]
    assert broken.history.operations[:1] == (Insert(A),)
    assert len(broken.history.operations) > 1
    assert broken.breach.signature == "PROGRESS/stopped-early"


def test_milestones_are_those_of_the_way_and_of_what_is_done_there() -> None:
    config = Config(device_pages=2)
    scope = SmallScope("mine", config, (Insert(AB), Match(A), LoadBack(AB)), 2)
    one = expand(find("radix"), scope, b"\0", lambda _: False)
    assert "SPLIT_IN_FLIGHT" in one.milestones


def test_what_finds_no_room_after_it_has_changed_something_is_a_transition() -> None:
    """The room that a fetch makes is not enough, because the prefix that it locks is in the way."""
    one, two, three = HostInsert(A), Insert(Key((2, 1)), reuse=True, state=True), Key((1, 2))
    config = Config(device_pages=4, host_pages=6, mamba_states=2, mamba_host_states=2)
    scope = SmallScope("fetch", config, (one, two, Prefetch("f", three)), 3)
    run = Run(find("radix"), config)
    for operation in scope.operations:
        run.step(operation)
    assert isinstance(run.steps[-1].outcome, Skipped)
    assert 2 in performed(expand(find("radix"), scope, b"\0\1", lambda _: False))


@pytest.mark.parametrize("path", [(), (0,), (0, 4)])
def test_the_same_state_comes_out_the_same(path: tuple[int, ...]) -> None:
    assert expanded(*path) == expanded(*path)
