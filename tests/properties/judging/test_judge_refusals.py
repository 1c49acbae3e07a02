"""Allocations that were told to fail: what comes of one is not held against who met it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.impl.operations import (
    Arrive,
    Decode,
    Evict,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.running.run import Run, run_history


def test_each_refusal_may_have_had_room_made_for_it_in_vain() -> None:
    """Two backups of one insert: room is made for a state, and the state's copy is refused."""
    config = Config(window=1, swa_pages=8, mamba_states=8, swa_host_pages=16, mamba_host_states=4)
    operations: tuple[Operation, ...] = (
        Insert(Key((1, 2)), state=True),
        Insert(Key((1, 2, 3)), state=True),
        Insert(Key((1, 2, 103)), evicted=3, state=True),
        WritingCheck(blocking=True),
        Evict(2),
        LoadBack(Key((1, 2, 3))),
        Insert(Key((1,)), state=True),
        Refuse(Pool.SWA_HOST),
        Refuse(Pool.MAMBA_HOST),
        Insert(Key((1, 2, 103, 4)), state=True),
    )
    assert run_history(find("radix"), History(config, operations)) is None


def test_a_leaf_that_a_host_lock_keeps_meets_one_refusal_in_a_drive() -> None:
    """The next one is met by the state that goes after the window above the leaf."""
    config = Config(
        window=2,
        swa_pages=8,
        mamba_states=8,
        swa_host_pages=16,
        mamba_host_states=16,
        write_back=True,
    )
    for others in (
        [Match(Key((1, 2)))],
        [Insert(Key((1, 2, 3)), state=True), Lock("r", Key((1, 2, 3)))],
    ):
        operations: tuple[Operation, ...] = (
            Insert(Key((1, 2)), state=True),
            Insert(Key((1, 102, 3)), state=True),
            Refuse(Pool.FULL_HOST),
            HostLock("h", Key((1, 102, 3))),
            *others,
            Refuse(Pool.MAMBA_HOST),
            Evict(swa=2, mamba=2),
        )
        assert run_history(find("radix"), History(config, operations)) is None


def test_a_leaf_that_a_host_lock_keeps_asks_for_room_again_in_the_next_drive() -> None:
    """In vain: the host copy of its parent goes for it, and then its state is refused."""
    config = Config(
        window=1,
        swa_pages=8,
        mamba_states=8,
        host_pages=3,
        swa_host_pages=16,
        mamba_host_states=16,
        write_back=True,
    )
    operations: tuple[Operation, ...] = (
        Insert(Key((1, 2)), state=True),
        Prefetch("f", Key((1, 2, 3, 4))),
        *(Refuse(Pool.FULL_HOST), Refuse(Pool.MAMBA_HOST)),
        Evict(1, 1, 1),
    )
    assert run_history(find("radix"), History(config, operations)) is None


def test_who_is_as_urgent_as_the_root_goes_by_recency() -> None:
    """What was fetched below the root is as urgent there as what goes in its place, which was used
    before: that a refusal met it, too, is no reason.
    """
    config = Config(
        window=2,
        device_pages=10,
        swa_pages=10,
        swa_host_pages=16,
        write_back=True,
        eviction_policy=EvictionPolicy.PRIORITY,
    )
    operations: tuple[Operation, ...] = (
        *(Insert(Key(()), priority=1), HostInsert(Key((1,))), Arrive("q6", Key(()))),
        *(Insert(Key((101, 2, 3, 4, 5, 6, 7, 8, 9))), Decode("q6", (201, 2))),
        *(Arrive("q7", Key((301,))), Prefill("q7"), Finish("q6"), Arrive("q9", Key((1, 2)))),
        *(LoadingCheck(blocking=True), Evict(1), Insert(Key((401, 2, 3, 4, 5)), priority=1)),
        *(Decode("q7", (2,)), Insert(Key((501, 2))), Prefill("q9"), LoadBack(Key((501,)))),
        *(Finish("q9"), Decode("q7", (3, 4)), Refuse(Pool.FULL_HOST), Evict(1)),
    )
    run = Run(find("fault:fetched-with-the-priority-of-the-root"), config, every=1)
    found = [breach.signature for one in operations for breach in run.step(one)]
    assert set(found) == {"RECENCY/priority-of-root"}
    assert len(found) == 2


PAIRED = Config(device_pages=16, window=2, swa_pages=16, swa_host_pages=16)
ABC = Key((1, 2, 3))
DEMOTED: tuple[Operation, ...] = (Insert(ABC), WritingCheck(blocking=True), Evict(3, 3))
MORE = tuple(Insert(Key((number, number))) for number in range(4, 9))


def allocates_no_more(system: Any) -> None:
    system.allocate = lambda tokens: None


def loads_no_more(system: Any) -> None:
    system.load_back = lambda anchor, quota: 0


def backs_up_no_more(system: Any) -> None:
    system.cache.backups._start = lambda node, lock: False


@pytest.mark.parametrize(
    ("before", "pools", "after", "stops", "rule"),
    [
        ((), (Pool.FULL, Pool.SWA), MORE, allocates_no_more, "allocation-refused"),
        (DEMOTED, (Pool.FULL, Pool.SWA), 4 * (LoadBack(ABC),), loads_no_more, "load-refused"),
        ((), (Pool.FULL_HOST, Pool.SWA_HOST), MORE, backs_up_no_more, "never-backed-up"),
    ],
)
def test_so_many_refusals_excuse_as_many_failures(
    before: tuple[Operation, ...],
    pools: tuple[Pool, ...],
    after: tuple[Operation, ...],
    stops: Callable[[Any], None],
    rule: str,
) -> None:
    """Whichever of the refusals each of them has met."""
    refused = tuple(map(Refuse, pools))
    assert run_history(find("radix"), History(PAIRED, before + refused + after)) is None
    run = Run(find("radix"), PAIRED)
    for operation in before + refused:
        assert run.step(operation, whole=True) == []
    stops(run.system)
    found = [[one.rule for one in run.step(operation, whole=True)] for operation in after]
    run.close()
    assert found[: len(pools)] == [[], []]
    assert rule in found[len(pools)]
