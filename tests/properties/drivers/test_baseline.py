"""The baseline: clean on what is clean, uniform, ignorant of the model, and able to see what one
look shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest

from radixproof.impl.observation import NodeView, Observation, Slots
from radixproof.impl.operations import (
    OPERATIONS,
    Evict,
    History,
    Insert,
    Lock,
    Operation,
    ReleaseWindow,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.sight import Sight
from radixproof.impl.system import System
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.drivers import baseline
from radixproof.properties.drivers.sanity import Rows, sanity
from radixproof.properties.judging.applicable import applicable
from radixproof.properties.running.run import run_history

WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)
JUDGED = applicable(Sight(), WINDOWED)
NO_ROWS: Rows = [()] * len(Pool)
EVERYTHING = Config(window=2, swa_pages=8, mamba_states=4, swa_host_pages=16, mamba_host_states=4)


def test_our_own_implementation_is_clean() -> None:
    assert [baseline.one(find("radix"), 1, number).breach for number in range(25)] == [None] * 25


def test_the_same_seed_makes_the_same_histories() -> None:
    first, again, other = (baseline.one(find("radix"), seed, 3).history for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_kind_is_as_likely_as_any_other() -> None:
    uniform = baseline.UniformOperations(EVERYTHING, Random(1))
    made = Counter(type(uniform.operation()) for _ in range(200 * len(uniform.kinds)))
    assert set(made) == set(OPERATIONS) - {RunForward}, "which needs what it never launches"
    assert all(140 < count < 260 for count in made.values())


def test_a_cache_without_a_host_is_not_asked_for_one() -> None:
    uniform = baseline.UniformOperations(Config(host_pages=0), Random(1))
    made = {type(uniform.operation()).name for _ in range(500)}
    assert "insert" in made
    assert not made & {"load_back", "evict_host", "host_insert", "host_lock", "run_copies"}


def test_what_one_look_shows_is_found() -> None:
    broken = (
        ran.breach for ran in baseline.baseline(find("fault:slots-of-refused-backup-lost"), 1)
    )
    breach = next(breach for breach in broken if breach is not None)
    assert breach.signature == "OWN-H/full_host-lost"


def test_what_only_a_model_shows_is_not_found() -> None:
    lost, target = (
        History(WINDOWED, (Insert(Key((1, 2)), evicted=1), Evict(1))),
        find("fault:split-parent-not-backed-up"),
    )
    assert run_history(target, lost) is not None
    assert baseline.replay(target, lost) is None


def test_a_crash_counts() -> None:
    target = find("radix")

    def build(config: Config) -> System:
        system: Any = target.build(config)
        system.evict = lambda: None
        return cast(System, system)

    verdict = baseline.replay(
        replace(target, build=build), History(WINDOWED, (Insert(Key((1,))), Evict(1)))
    )
    assert verdict is not None
    assert verdict.step == 1
    assert verdict.breach.signature.startswith("NOCRASH/TypeError")


def test_a_look_that_crashes_counts() -> None:
    def build(config: Config) -> Any:
        system: Any = find("radix").build(config)
        system.observe = lambda whole: dict[str, Any]()["tree"]
        return system

    found = baseline.one(replace(find("radix"), build=build), 1, 0).breach
    assert found is not None
    assert found.signature.startswith("NOCRASH/KeyError@")


def test_a_window_is_given_back_once_for_every_lock() -> None:
    operations: list[Operation] = [
        Insert(Key((1, 2))),
        Lock("r", Key((1, 2))),
        *2 * [ReleaseWindow("r")],
        Unlock("r"),
    ]
    assert baseline.replay(find("radix"), History(WINDOWED, (*operations, *operations[1:]))) is None


# -- the sanity check --------------------------------------------------------------------------


def seen() -> Observation:
    """The prompts [1 2] and [1 3], the second one locked."""
    run = baseline.Unmodelled(find("radix"), WINDOWED)
    for operation in (
        Insert(Key((1, 2))),
        Insert(Key((1, 3))),
        WritingCheck(blocking=True),
        Lock("r", Key((1, 3))),
    ):
        assert run.step(operation) == []
    assert run.seen is not None
    return run.seen


def node(
    change: Callable[[NodeView], NodeView], at: int = -1
) -> Callable[[Observation], Observation]:
    """Change one node; the last is a leaf."""

    def lie(shown: Observation) -> Observation:
        nodes = list(shown.nodes)
        nodes[at] = change(nodes[at])
        return replace(shown, nodes=tuple(nodes))

    return lie


def whole(**changes: Any) -> Callable[[Observation], Observation]:
    def lie(shown: Observation) -> Observation:
        assert shown.whole is not None
        return replace(shown, whole=replace(shown.whole, **changes))

    return lie


def free_lists(shown: Observation) -> Iterator[Slots]:
    """The free lists, of which our own cache shows every one."""
    assert shown.whole is not None
    assert shown.whole.free is not None
    for slots in shown.whole.free:
        assert slots is not None
        yield slots


def free(pool: Pool, change: Callable[[Slots], Slots]) -> Callable[[Observation], Observation]:
    """Change the free list of one pool."""

    def lie(shown: Observation) -> Observation:
        lists = list(free_lists(shown))
        lists[pool] = change(lists[pool])
        return whole(free=tuple(lists))(shown)

    return lie


@pytest.mark.parametrize(
    ("lie", "signature"),
    [
        (node(lambda view: view._replace(parent=99)), "DEVPATH/malformed-node"),
        (node(lambda view: view._replace(slots=(None,) * 6)), "DEVPATH/dead-node"),
        (
            node(lambda view: view._replace(slots=(None, *view.slots[1:])), at=0),
            "DEVPATH/parent-missing",
        ),
        (node(lambda view: view._replace(locks=(-1, 0, 0))), "LOCK/negative"),
        (lambda shown: replace(shown, evictable=(0, 0, 0)), "SIZE/full"),
        (lambda shown: replace(shown, protected=(9, 9, 0)), "SIZE/swa"),
        (node(lambda view: view._replace(slots=((1,), *view.slots[1:]))), "OWN/owned-twice"),
        (free(Pool.FULL, lambda slots: slots * 2), "OWN/full-free-twice"),
        (free(Pool.FULL, lambda slots: tuple(range(1, 9))), "OWN/full-free-and-owned"),
        (free(Pool.FULL, lambda slots: ()), "OWN/full-lost"),
        (free(Pool.FULL_HOST, lambda slots: tuple(range(40))), "OWN-H/full_host-too-many"),
        (whole(device_leaves=frozenset()), "LEAF/device-leaves"),
        (whole(lru_lists=((), (), (), ())), "LEAF/swa-device-list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_sanity_check_sees(lie: Callable[[Observation], Observation], signature: str) -> None:
    shown = seen()
    assert sanity(shown, WINDOWED, NO_ROWS, JUDGED) == []
    assert signature in [
        breach.signature for breach in sanity(lie(shown), WINDOWED, NO_ROWS, JUDGED)
    ]


def test_slots_of_requests_are_owned() -> None:
    shown = seen()
    mine = next(free_lists(shown))[:1]
    fewer = free(Pool.FULL, lambda slots: slots[1:])(shown)
    assert sanity(fewer, WINDOWED, (mine, *NO_ROWS[1:]), JUDGED) == []
    assert [breach.signature for breach in sanity(fewer, WINDOWED, NO_ROWS, JUDGED)] == [
        "OWN/full-lost"
    ]
