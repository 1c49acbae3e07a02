"""Histories on systems that hang or end the process are replayed and shrunk like any others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from radixproof.impl.operations import Evict, History, HostLock, Insert, Match
from radixproof.impl.registry import UnknownSystem
from radixproof.impl.system import Target, Unavailable
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.workers.lane import Failed
from radixproof.properties.workers.replaying import (
    Replayed,
    look_up,
    replay,
    replay_all,
    shrunk,
)

from ..guarding import fatal

ONE, TWO = Insert(Key((1,))), Insert(Key((101,)))
LEAVES = History(Config(host_pages=0), (Match(Key((7,))), ONE, Match(Key((1,))), TWO, Evict(2)))
SPLIT = History(Config(host_pages=0), (ONE, Insert(Key((2, 3))), Match(Key((2,))), Match(Key(()))))


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fatal.ROOT)


@pytest.mark.parametrize(
    ("of", "history", "signature", "left"),
    [
        (fatal.aborts, LEAVES, "NOCRASH/SIGABRT@Aborts.end", (ONE, TWO, Evict(2))),
        (fatal.waits, SPLIT, "NOCRASH/hang@Adapter.match", None),
        (fatal.exits, LEAVES, "NOCRASH/SystemExit@Exits.end", (ONE, TWO, Evict(2))),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_it_is_shown_and_shrunk(
    of: Callable[[], Target], history: History, signature: str, left: tuple[object, ...] | None
) -> None:
    system, told = fatal.name(of), list[tuple[str, int]]()
    replayed = replay(system, history, 1.0)
    assert replayed.breach is not None
    assert replayed.breach.signature == signature
    last = len(history.operations)
    assert f"\n >{last:3}. {history.operations[-1]}   -> " in replayed.text
    smallest = shrunk(system, history, 1.0, lambda *news: told.append(news))
    assert smallest is not None
    assert smallest.origin == {"system": system, "signature": signature}
    assert left is None or smallest.operations == left
    assert len(smallest.operations) == 3
    assert told[-1] == (signature, 3)


def test_replay_repeat_shows_what_does_not_come_again() -> None:
    """Whatever else is wrong with it."""
    leaves = replace(LEAVES, operations=(*(Insert(Key((at,))) for at in range(8)), Evict(3)))
    replayed = replay(fatal.name(fatal.by_chance), leaves, 5.0)
    assert replayed.breach is not None
    assert replayed.breach.signature == "REPEAT/evict"
    assert "\n >  9. evict full 3   -> freed 3 FULL" in replayed.text


def test_a_history_that_is_clean() -> None:
    system = fatal.name(fatal.hangs)
    assert replay(system, LEAVES, 5.0).breach is None
    assert shrunk(system, LEAVES, 5.0, lambda *_: None) is None


def test_systems_are_looked_up_without_being_run_here() -> None:
    look_up(fatal.name(fatal.hangs), 5.0)
    with pytest.raises(Unavailable, match=r"ended the process \(SIGABRT\) in not_found"):
        look_up(fatal.name(fatal.not_found), 5.0)
    with pytest.raises(UnknownSystem, match="has no attribute 'nothing'"):
        look_up("tests.properties.guarding.fatal:nothing", 5.0)


def test_a_history_on_many_systems_is_as_on_each() -> None:
    """Those that cannot be run are told, and stop nobody."""
    systems = [fatal.name(of) for of in (fatal.aborts, fatal.not_found, fatal.hangs)]
    came = dict(replay_all(systems, LEAVES, 5.0, 2))
    assert came.keys() == set(systems)
    aborts, not_found, hangs = (came[system] for system in systems)
    assert isinstance(aborts, Replayed)
    assert aborts == replay(systems[0], LEAVES, 5.0)
    assert (aborts.breach is not None, aborts.steps) == (True, len(LEAVES.operations))
    assert isinstance(not_found, Failed)
    assert "ended the process (SIGABRT) in not_found" in not_found.reason
    assert isinstance(hangs, Replayed)
    assert (hangs.breach, hangs.left_out) == (None, "")


def test_an_operation_that_a_system_cannot_be_put_to_is_named() -> None:
    locked = replace(LEAVES, operations=(*LEAVES.operations[:2], HostLock("a", Key((1,)))))
    replayed = replay("tests.properties.workers.systems:target", locked, 5.0)
    assert replayed.breach is None
    assert replayed.left_out == "step 3 (host_lock): the system has no such operation"
