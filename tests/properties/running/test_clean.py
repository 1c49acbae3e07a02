"""Our own cache under every kind of configuration, looked at after every step: nothing is found."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from radixproof.impl.operations import (
    Arrive,
    Decode,
    Evict,
    EvictHost,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Match,
    Prefetch,
    Prefill,
    Refuse,
    WritingCheck,
)
from radixproof.impl.system import Target
from radixproof.model.config import Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.generating.endings import Drain, closing
from radixproof.properties.generating.operations import Generator
from radixproof.properties.running.run import Run, run_history

SWA = Config(window=3, swa_pages=7, swa_host_pages=6, device_pages=8, host_pages=10)
MAMBA = Config(mamba_states=3, mamba_host_states=4, device_pages=8, host_pages=10)
WHOLE = Config(window=3, swa_pages=8, swa_host_pages=16, mamba_states=8, mamba_host_states=16)
ALL = replace(SWA, mamba_states=4, mamba_host_states=4)

KINDS = {
    "full": Config(host_pages=10),
    "full and swa": SWA,
    "full and mamba": MAMBA,
    "all three": ALL,
    "pages of two": replace(ALL, page_size=2),
    "pages of three and a window that does not divide them": replace(SWA, page_size=3, window=4),
    "a small host": replace(ALL, host_pages=3, swa_host_pages=2, mamba_host_states=1),
    "threshold": replace(ALL, threshold=2),
    "load threshold": replace(ALL, load_threshold=3),
    "write back": Config(write_back=True, host_pages=5),
    "write back, all three": replace(ALL, write_back=True),
    "no host": replace(ALL, host_pages=0, swa_host_pages=0, mamba_host_states=0),
    "bigram": replace(SWA, bigram=True),
    "bigram, pages of two": replace(SWA, bigram=True, page_size=2),
    "pages of eight and a window of part of one": replace(ALL, page_size=8, window=5),
    "a window of many pages and a part": replace(ALL, page_size=2, window=11, swa_pages=9),
    "two ranks": replace(ALL, ranks=2),
    "four ranks": replace(ALL, ranks=4),
    "two ranks, write back": replace(SWA, ranks=2, write_back=True),
    **{
        order.value: replace(ALL, eviction_policy=order)
        for order in EvictionPolicy
        if order is not EvictionPolicy.LRU
    },
    **{
        f"{order.value}, write back": replace(SWA, eviction_policy=order, write_back=True)
        for order in EvictionPolicy
    },
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", KINDS.values(), ids=KINDS)
def test_nothing_is_wrong_with_our_own_cache(radix: Target, shape: Config, seed: int) -> None:
    rng = Random(f"clean {seed}")
    run = Run(radix, shape, every=1)
    for operation in Generator(run.judge, rng).operations(50):
        assert run.step(operation) == []
    for operation in closing(run.judge, tuple(Drain)[seed % len(Drain)]):
        assert run.step(operation) == []
    assert run.finish() == []
    assert run.judge.abstraction.nodes == {}
    run.close()


def test_a_leaf_that_cannot_go_when_full_is_asked_for_may_go_when_swa_is(radix: Target) -> None:
    """The host has no room for the window of the leaf, which a host lock keeps from being deleted,
    until another window has left the device: so FULL is short then, and stays short (7.1, 7.4)."""

    def first(pages: int) -> Key:
        return Key(tuple(range(1, 5 * pages + 1)))

    config = Config(page_size=5, window=6, swa_pages=8, swa_host_pages=2, write_back=True)
    history = History(
        config,
        (
            Insert(first(2)),
            Evict(1),
            Match(first(1)),
            Arrive("q3", first(2)),
            LoadingCheck(blocking=True),
            Decode("q3", tuple(range(11, 17))),
            Finish("q3"),
            HostLock("h5", first(3)),
            Evict(6, 6),
        ),
    )
    assert run_history(radix, history) is None


def test_a_state_that_gave_its_host_copy_up_is_backed_up_anew_by_the_same_insert(
    radix: Target,
) -> None:
    """The window of [1] takes the host slot of the window of [1 2 3], whose state goes along, and
    comes again: no false alarm.
    """
    shape = replace(WHOLE, window=1, swa_host_pages=2)
    prefix, prompt = Key((1, 2)), Key((1, 2, 3))
    history = (
        Insert(prefix, state=True),
        WritingCheck(blocking=True),
        Evict(2),
        LoadBack(prefix),
        LoadingCheck(blocking=True),
        Insert(prompt, reuse=True, state=True),
        WritingCheck(blocking=True),
        Insert(Key((1,))),
        Evict(1),
        Insert(prompt, evicted=3, state=True),
    )
    assert run_history(radix, History(shape, history)) is None


def test_there_is_no_room_where_a_host_lock_keeps_what_is_below_a_leaf(radix: Target) -> None:
    """The only SWA that is not locked is that of [1], which cannot be deleted for the host lock on
    [1 2], nor be backed up.
    """
    shape = replace(WHOLE, window=1, swa_pages=2, host_pages=3, write_back=True)
    first, other, last = Key((1, 2)), Key((101,)), Key((201,))
    history = (
        Insert(first, state=True),
        Evict(swa=1),
        Insert(other, state=True),
        LoadBack(first),
        Evict(1),
        Evict(1),
        Insert(last, state=True),
        HostLock("h", first),
        Insert(Key((1,))),
        LoadBack(other),
        LoadBack(last),
    )
    assert run_history(radix, History(shape, history)) is None


def test_a_refused_write_back_keeps_its_victim_for_later(radix: Target) -> None:
    """The backup of [101 | 2 3] is refused and its host lock keeps it from being deleted, so that
    SWA comes to [101] first, and to the leaf after it.
    """
    first, other = Key((1, 2, 3)), Key((101, 2, 3))
    history = (
        Insert(first),
        Insert(other),
        Evict(3),
        HostLock("h", other),
        Refuse(Pool.FULL_HOST),
        Evict(1, swa=2),
    )
    shape = Config(window=2, swa_pages=8, swa_host_pages=16, write_back=True)
    assert run_history(radix, History(shape, history)) is None


def test_a_refused_write_back_changes_the_order_of_first_in_last_out(radix: Target) -> None:
    """[101 2] goes in spite of [1 2 3], which came last but could not be written back."""
    shape = Config(
        window=1,
        device_pages=5,
        swa_pages=3,
        mamba_states=8,
        swa_host_pages=16,
        mamba_host_states=16,
        write_back=True,
        eviction_policy=EvictionPolicy.FILO,
    )
    history = (
        Insert(Key((1, 2, 3))),
        Arrive("q", Key((101, 2, 3))),
        Prefill("q"),
        Evict(1),
        Insert(Key((101, 2)), state=True),
        HostLock("h", Key((101, 2))),
        Refuse(Pool.FULL_HOST),
        Prefill("q", 2),
    )
    assert run_history(radix, History(shape, history)) is None


def test_room_is_made_on_the_host_for_a_copy_that_meets_a_refusal(radix: Target) -> None:
    """That of [4], which its host lock keeps; [2 3 4], which comes next, needs none."""
    first, other = Key((1, 2, 3, 4)), Key((101, 102, 3, 4))
    longer = Key((101, 2, 3, 4, 5))
    shape = Config(
        window=1,
        device_pages=10,
        swa_pages=8,
        swa_host_pages=7,
        write_back=True,
    )
    history = (
        Insert(first),
        Insert(other),
        HostLock("h", first),
        Match(Key((101,))),
        Evict(1, swa=4),
        Insert(longer, 4),
        Match(first),
        LoadBack(Key((101, 102, 3))),
        Match(longer),
        Refuse(Pool.FULL_HOST),
        Evict(1),
    )
    assert run_history(radix, History(shape, history)) is None


def test_a_supplement_that_has_no_room_does_not_meet_a_refusal_of_another_pool(
    radix: Target,
) -> None:
    """The window of [201 2] finds no room on the host; FULL of [103], after it, is refused."""
    shape = replace(WHOLE, host_pages=7, swa_host_pages=3)
    history = (
        Insert(Key((1,)), state=True),
        HostInsert(Key((1, 2, 3))),
        Insert(Key((101,))),
        Insert(Key((201, 2, 3)), 3),
        Refuse(Pool.FULL_HOST),
        Insert(Key((201, 2, 103))),
    )
    assert run_history(radix, History(shape, history)) is None


def test_a_leaf_that_stays_for_want_of_room_is_tried_again_in_the_next_drive(radix: Target) -> None:
    """The SWA drive makes room for [3], whose copy then meets the refusal."""
    shape = replace(WHOLE, window=1, host_pages=2, swa_host_pages=2, write_back=True)
    whole = Key((1, 2, 3))
    history = (
        Insert(Key((1, 2))),
        Evict(1),
        Evict(1),
        Insert(whole, state=True),
        HostLock("h", whole),
        Refuse(Pool.FULL_HOST),
        Evict(1, swa=1, mamba=1),
    )
    assert run_history(radix, History(shape, history)) is None


def test_a_leaf_that_had_no_room_waits_for_the_next_drive(radix: Target) -> None:
    """Room for [3], which a host lock keeps, comes only when [1 2 3] has gone."""
    locked, other = Key((101, 2, 3)), Key((1, 2))
    shape = Config(window=1, swa_pages=8, swa_host_pages=3, write_back=True)
    history = (
        Insert(other),
        Evict(1),
        Insert(locked),
        HostLock("h", locked),
        Insert(Key((1, 2, 3))),
        Evict(5, swa=5),
    )
    assert run_history(radix, History(shape, history)) is None


def test_a_leaf_asks_the_host_for_room_only_when_it_is_its_turn(radix: Target) -> None:
    """[101] goes first, and only then its SWA on the host can make room for that of [1]."""
    locked, other = Key((1,)), Key((101,))
    shape = Config(
        window=1,
        swa_pages=8,
        swa_host_pages=3,
        write_back=True,
        eviction_policy=EvictionPolicy.PRIORITY,
    )
    history = (
        Prefetch("f1", locked),
        Insert(other),
        Evict(1),
        Prefetch("f2", locked),
        Insert(other),
        Insert(locked),
        HostLock("h", locked),
        Evict(2),
    )
    assert run_history(radix, History(shape, history)) is None


def test_what_has_no_room_on_the_host_meets_no_refusal_there(radix: Target) -> None:
    """The window of [1 2 3 4] is too long for the host; that of [105], for which [5] goes from the
    host, is refused.
    """
    shape = Config(window=1, swa_pages=8, host_pages=6, swa_host_pages=3)
    history = (
        Insert(Key((1, 2, 3, 4, 5, 6, 7, 8)), evicted=5),
        HostInsert(Key((101,))),
        Refuse(Pool.SWA_HOST),
        WritingCheck(blocking=True),
        Evict(4),
        Insert(Key((1, 2, 3, 4, 105))),
    )
    assert run_history(radix, History(shape, history)) is None


def test_room_made_for_a_copy_that_is_refused_may_cost_the_victim_before_it_its_own(
    radix: Target,
) -> None:
    """[3] is copied to the host, and goes from there for [1 2], which a host lock keeps."""
    shape = Config(window=1, swa_pages=8, host_pages=3, swa_host_pages=16, write_back=True)
    whole, upper, other = Key((1, 2, 3)), Key((1, 2)), Key((101,))
    history = (
        Insert(whole),
        Insert(other),
        Evict(1),
        LoadBack(whole),
        HostLock("h", upper),
        Evict(1),
        Match(other),
        Refuse(Pool.SWA_HOST),
        LoadingCheck(blocking=True),
        EvictHost(1),
        Evict(2),
    )
    assert run_history(radix, History(shape, history)) is None
