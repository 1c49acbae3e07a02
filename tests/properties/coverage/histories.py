"""A history for each milestone, whose last operation meets it."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import pytest
from _pytest.mark.structures import ParameterSet

from radixproof.impl.operations import (
    NO_PROMPT,
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
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
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.coverage.milestones import Milestone

Case: TypeAlias = tuple[Milestone, Config, list[Operation]]

M = Milestone
FULL = Config()
WINDOWED = Config(window=2, swa_pages=8, swa_host_pages=16)
STATES = Config(mamba_states=4, mamba_host_states=8)
ALL = replace(WINDOWED, mamba_states=4, mamba_host_states=8)
WRITE_BACK = Config(write_back=True)
A, AB, ABC, ABCD = (Key((1, 2, 3, 4)[:length]) for length in (1, 2, 3, 4))
LONG = Key((1, 2, 3, 4, 5, 6))
OTHER, ANOTHER, THIRD = (Key((first, 5)) for first in (9, 8, 7))
SETTLE = WritingCheck(blocking=True)
OUT: list[Operation] = [SETTLE, Evict(8)]
"""Everything leaves the device, for the host where there is one."""

LAUNCHED: list[Operation] = [
    Arrive("q1", ANOTHER),
    Prefill("q1", 2),
    Decode("q1", launched=True),
]

LOOKING_UP: list[Case] = [
    (M.SPLIT_LOCKED, FULL, [Insert(AB), Lock("r1", AB), Match(A)]),
    (M.SPLIT_IN_FLIGHT, FULL, [Insert(AB), Match(A)]),
    (M.SPLIT_LOADING, FULL, [Insert(AB), *OUT, LoadBack(AB), Match(A)]),
    (M.SPLIT_HOST_LOCKED, FULL, [Insert(AB), SETTLE, HostLock("h1", AB), Match(A)]),
    (M.SPLIT_HOST_ONLY, FULL, [Insert(AB), *OUT, Match(A)]),
    (M.SPLIT_TOMBSTONE, WINDOWED, [Insert(ABC, 3), Match(A)]),
    (M.SPLIT_ABOVE_STATE, STATES, [Insert(AB, state=True), Match(A)]),
    (M.HOST_HIT, FULL, [Insert(A), *OUT, Match(A)]),
    (M.WINDOW_VETO, WINDOWED, [Insert(ABC, 2), Match(ABC)]),
    (M.STATE_VETO, STATES, [Insert(A), Match(A)]),
    (M.TOMBSTONES_APART, WINDOWED, [Insert(AB, 1), Insert(ABCD, 3), Match(ABCD)]),
    (M.NAMESPACES_SHARE, FULL, [Insert(A), Insert(Key((1,), "a")), Match(A)]),
    (M.BIGRAM_MATCH, Config(bigram=True), [Insert(ABC), Match(AB)]),
]
INSERTING: list[Case] = [
    (M.DUPLICATE, FULL, [Insert(AB), Insert(AB)]),
    (M.REUSE, FULL, [Insert(AB), Insert(ABC, reuse=True)]),
    (M.REVIVE, FULL, [Insert(A), *OUT, Insert(A)]),
    (M.REVIVE_BELOW_BOUNDARY, WINDOWED, [Insert(A), *OUT, Insert(AB, 1)]),
    (M.RECOVER, WINDOWED, [Insert(AB, 1), SETTLE, Insert(A)]),
    (
        M.RECOVER_LOCKED,
        WINDOWED,
        [Insert(ABCD), SETTLE, Evict(swa=2), Lock("r1", ABCD), Insert(ABCD)],
    ),
    (M.BOUNDARY_INSIDE_NODE, WINDOWED, [Insert(AB, 2), Insert(ABC, 1)]),
    (
        M.BOUNDARY_INSIDE_PAGED_NODE,
        replace(WINDOWED, page_size=2),
        [Insert(ABCD, 4), Insert(LONG, 2)],
    ),
    (M.BOUNDARY_INSIDE_LEAF, WINDOWED, [Insert(AB, 1)]),
    (M.LEAF_BELOW_BOUNDARY, WINDOWED, [Insert(AB, 2)]),
    (M.LEAF_LONGER_THAN_WINDOW, WINDOWED, [Insert(ABC)]),
    (M.STATE_ATTACHED, STATES, [Insert(AB), Insert(AB, state=True)]),
    (M.STATE_TWICE, STATES, [Insert(AB, state=True), Insert(AB, state=True)]),
    (M.STATE_REVIVED, STATES, [Insert(AB, state=True), *OUT, Insert(AB, state=True)]),
    (M.INSERT_REFUSED, FULL, [Refuse(Pool.FULL), Insert(A)]),
    (M.BACKUP_OF_ANCESTORS, Config(threshold=2), [Insert(AB), Match(A), Insert(AB)]),
    (M.BACKUP_MAKES_ROOM, Config(host_pages=2), [Insert(AB), *OUT, Insert(OTHER)]),
    (
        M.BACKUP_SHORT_OF_TWO,
        replace(WINDOWED, host_pages=2, swa_host_pages=1),
        [Insert(AB, 1), *OUT, Insert(OTHER)],
    ),
    (
        M.BACKUP_MAKES_ROOM_WHILE_LOADING,
        Config(host_pages=3),
        [Insert(AB), Insert(Key((8,))), *OUT, LoadBack(AB), Insert(Key((7,)))],
    ),
    (
        M.BACKUP_UNDER_HOST_LOCK,
        FULL,
        [Insert(A), SETTLE, HostLock("h1", A), Insert(OTHER)],
    ),
    (M.BACKUP_TOO_LARGE, Config(host_pages=1), [Insert(AB)]),
    (M.BACKUP_REFUSED, FULL, [Refuse(Pool.FULL_HOST), Insert(A)]),
    (M.SUPPLEMENT_WINDOW, WINDOWED, [Insert(AB, 2), SETTLE, Insert(AB)]),
    (M.SUPPLEMENT_STATE, STATES, [Insert(AB), SETTLE, Insert(AB, state=True)]),
]
LOCKING: list[Case] = [
    (M.WINDOW_INSIDE_NODE, WINDOWED, [Insert(ABCD), Match(ABC), Lock("r1", ABC)]),
    (M.WINDOW_SHARED, WINDOWED, [Insert(ABCD), Match(ABC), Lock("r1", ABC), Lock("r2", ABC)]),
    (M.UNLOCK_AFTER_SPLIT, FULL, [Insert(AB), Lock("r1", AB), Match(A), Unlock("r1")]),
    (
        M.UNLOCK_AFTER_REVIVAL,
        WINDOWED,
        [Insert(ABCD), SETTLE, Evict(swa=2), Lock("r1", ABCD), Insert(ABCD), Unlock("r1")],
    ),
    (
        M.UNLOCK_AFTER_RELEASE,
        WINDOWED,
        [Insert(AB), Lock("r1", AB), ReleaseWindow("r1"), Unlock("r1")],
    ),
    (M.RELEASE, STATES, [Insert(AB, state=True), Lock("r1", AB), ReleaseWindow("r1")]),
    (M.RELEASE_SHARED, WINDOWED, [Insert(AB), Lock("r1", AB), Lock("r2", AB), ReleaseWindow("r1")]),
    (M.RELEASE_OF_LEAF, WINDOWED, [Insert(AB), SETTLE, Lock("r1", AB), ReleaseWindow("r1")]),
]
EVICTING: list[Case] = [
    (M.DEMOTION, FULL, [Insert(A), SETTLE, Evict(1)]),
    (M.DELETION, Config(host_pages=1), [Insert(AB), Evict(1)]),
    (M.EVICTION_IN_FLIGHT, Config(host_pages=1), [Insert(A), Insert(OTHER), Evict(1)]),
    (
        M.EVICTION_WHILE_LOADING,
        FULL,
        [Insert(A), *OUT, LoadBack(A), Insert(OTHER), SETTLE, Evict(1)],
    ),
    (M.EVICTION_OF_TOO_MUCH, FULL, [Insert(A), SETTLE, Evict(2)]),
    (
        M.EVICTION_BY_OTHER_ORDER,
        Config(eviction_policy=EvictionPolicy.MRU),
        [Insert(A), Insert(OTHER), SETTLE, Evict(1)],
    ),
    (M.EVICTION_UNDER_HOST_LOCK, Config(threshold=2), [Insert(A), HostLock("h1", A), Evict(1)]),
    (M.EVICTION_WITHOUT_HOST, Config(host_pages=0), [Insert(A), Evict(1)]),
    (M.SWA_EVICTION_INTERIOR, WINDOWED, [Insert(ABCD), SETTLE, Match(ABCD), Evict(swa=1)]),
    (
        M.STATE_EVICTION_INTERIOR,
        STATES,
        [Insert(A, state=True), Insert(AB, state=True), SETTLE, Evict(mamba=1)],
    ),
    (
        M.STATE_LOST_WITH_WINDOW,
        ALL,
        [Insert(A, state=True), Insert(AB, state=True), SETTLE, Evict(swa=1)],
    ),
    (M.WRITE_BACK_OF_LEAF, WRITE_BACK, [Insert(A), Evict(1)]),
    (
        M.WRITE_BACK_MAKES_ROOM,
        replace(WRITE_BACK, host_pages=2),
        [Insert(AB), Evict(2), Insert(OTHER), Evict(2)],
    ),
    (
        M.WRITE_BACK_INTERIOR,
        replace(WINDOWED, write_back=True),
        [Insert(ABCD), Match(ABCD), Evict(swa=1)],
    ),
    (
        M.WRITE_BACK_DELETION,
        replace(WRITE_BACK, host_pages=2),
        [Insert(ABCD), Match(ABC), Evict(1), Evict(3)],
    ),
    (M.HOST_EVICTION_OF_CHAIN, FULL, [Insert(AB), Match(A), *OUT, EvictHost(1)]),
    (
        M.HOST_EVICTION_OF_WINDOW,
        WINDOWED,
        [Insert(ABCD), SETTLE, Evict(swa=1), EvictHost(1, Component.SWA)],
    ),
    (
        M.HOST_EVICTION_OF_STATE,
        STATES,
        [Insert(A, state=True), Insert(AB), SETTLE, Evict(mamba=1), EvictHost(1, Component.MAMBA)],
    ),
    (M.HOST_EVICTION_OF_DUPLICATE, WRITE_BACK, [Insert(A), Evict(1), Insert(A), EvictHost(1)]),
    (M.HOST_EVICTION_LOCKED, FULL, [Insert(A), *OUT, HostLock("h1", A), EvictHost(1)]),
    (M.HOST_EVICTION_WHILE_LOADING, FULL, [Insert(A), *OUT, LoadBack(A), EvictHost(1)]),
]
LOADING: list[Case] = [
    (M.LOAD_OF_CHAIN, FULL, [Insert(ABC), Match(AB), Match(A), SETTLE, Evict(2), LoadBack(ABC)]),
    (
        M.LOAD_UNDER_PRESSURE,
        Config(device_pages=2),
        [Insert(AB), *OUT, Insert(OTHER), SETTLE, LoadBack(AB)],
    ),
    (
        M.LOAD_WRITES_BACK,
        replace(WRITE_BACK, device_pages=2),
        [Insert(AB), Evict(2), Insert(OTHER), LoadBack(AB)],
    ),
    (M.LOAD_OVER_QUOTA, FULL, [Insert(AB), *OUT, LoadBack(AB, quota=1)]),
    (M.LOAD_TOO_SHORT, Config(load_threshold=3), [Insert(AB), *OUT, LoadBack(AB)]),
    (
        M.LOAD_TOO_LARGE,
        Config(device_pages=2),
        [Insert(AB), *OUT, Insert(OTHER), Lock("r1", OTHER), LoadBack(AB)],
    ),
    (M.LOAD_REFUSED, FULL, [Insert(AB), *OUT, Refuse(Pool.FULL), LoadBack(AB)]),
    (M.LOAD_SHORT_WITH_AUX, replace(WINDOWED, load_threshold=3), [Insert(AB), *OUT, LoadBack(AB)]),
    (
        M.LOAD_OF_AUX,
        STATES,
        [Insert(A, state=True), Insert(AB), SETTLE, Evict(mamba=1), LoadBack(A)],
    ),
    (M.LOAD_ON_LOAD, FULL, [Insert(A), Insert(AB), *OUT, LoadBack(A), LoadBack(AB)]),
    (
        M.LOAD_UNDER_RECEIPT,
        WINDOWED,
        [Insert(ABCD), SETTLE, Lock("r1", ABCD), Evict(swa=2), LoadBack(AB)],
    ),
    (M.HOST_INSERT_ADDS, FULL, [HostInsert(A)]),
    (M.HOST_INSERT_DROPPED, Config(threshold=2), [Insert(A), HostInsert(AB)]),
    (M.HOST_INSERT_REFILLS, replace(STATES, threshold=2), [Insert(A), HostInsert(A)]),
    (
        M.FETCHED_WINDOW_FILLS,
        replace(WINDOWED, threshold=2),
        [Insert(AB, evicted=1), HostInsert(AB)],
    ),
    (M.FETCHED_WINDOW_CUTS, WINDOWED, [HostInsert(ABC)]),
    (
        M.FETCHED_WINDOW_SPLITS,
        replace(WINDOWED, threshold=2),
        [Insert(ABC, evicted=3), HostInsert(ABC)],
    ),
    (M.FETCHED_STATE_FILLS, replace(STATES, threshold=2), [Insert(A), HostInsert(A)]),
    (
        M.PREFETCH_MAKES_ROOM,
        Config(host_pages=2),
        [Insert(OTHER), *OUT, Prefetch("f1", A)],
    ),
    (M.PREFETCH_IN_PART, FULL, [Prefetch("f1", AB), EndPrefetch("f1", 1)]),
    (M.PREFETCH_OVERTAKEN, FULL, [Prefetch("f1", AB), HostInsert(AB), EndPrefetch("f1")]),
    (
        M.PREFETCH_PREFIX_SPLIT,
        FULL,
        [Insert(AB), Prefetch("f1", ABC), Match(A), EndPrefetch("f1")],
    ),
    (M.PREFETCH_ON_HOST_ONLY, FULL, [Insert(A), Prefetch("f1", AB), *OUT, EndPrefetch("f1")]),
]
COPYING: list[Case] = [
    (M.POLL_TOO_EARLY, FULL, [Insert(A), WritingCheck()]),
    (M.POLL_PARTLY, FULL, [Insert(A), Insert(OTHER), RunCopies(), WritingCheck()]),
    (M.POLL_ONE_RANK_AHEAD, Config(ranks=2), [Insert(A), RunCopies(rank=1), WritingCheck()]),
    (M.ACK_AFTER_EVICTION, FULL, [Insert(A), SETTLE, Insert(OTHER), Evict(1), SETTLE]),
    (
        M.LOAD_ACK_AFTER_EVICTION,
        FULL,
        [
            Insert(A),
            *OUT,
            LoadBack(A),
            Insert(OTHER),
            SETTLE,
            Evict(1),
            LoadingCheck(blocking=True),
        ],
    ),
    (M.BACKUP_FAILS, FULL, [Insert(A), RunCopies(fail=True)]),
    (M.LOAD_FAILS, FULL, [Insert(A), *OUT, LoadBack(A), RunCopies(load=True, fail=True)]),
]
REQUESTING: list[Case] = [
    (M.REQUESTS_SHARE, FULL, [Insert(AB), Arrive("q1", AB), Arrive("q2", ABC)]),
    (M.REQUEST_OVERTAKEN, FULL, [Arrive("q1", AB), Insert(AB), Prefill("q1", 2)]),
    (M.REQUEST_RETRIED, FULL, [Arrive("q1", AB), Abort("q1"), Arrive("q2", AB)]),
    (M.ABORT_WHILE_LOADING, FULL, [Insert(AB), *OUT, LoadBack(AB), Arrive("q1", AB), Abort("q1")]),
    (M.UNLOCK_AFTER_SPLIT, FULL, [Insert(AB), Arrive("q1", ABC), Match(A), Prefill("q1")]),
    (M.FINISH_WHILE_COMPUTED, FULL, [*LAUNCHED, Finish("q1")]),
    (M.COPIED_WHILE_COMPUTED, FULL, [*LAUNCHED, Finish("q1"), RunCopies()]),
    (
        M.LOADED_WHILE_COMPUTED,
        FULL,
        [Insert(AB), *OUT, *LAUNCHED, Finish("q1"), LoadBack(AB), RunCopies(load=True)],
    ),
    (M.FINISH_AT_PROMPT, FULL, [Arrive("q1", AB), Finish("q1", prompt_only=True)]),
    (M.FINISH_AT_STOP, FULL, [Arrive("q1", AB), Finish("q1", past_stop=1)]),
    (M.FINISH_AFTER_SPLIT, FULL, [Insert(AB), Arrive("q1", AB), Match(A), Finish("q1")]),
    (
        M.STATE_COPY_MAKES_ROOM,
        replace(STATES, mamba_states=2),
        [Insert(A, state=True), Insert(OTHER, state=True), SETTLE, Arrive("q1", A)],
    ),
    (
        M.STATE_COPY_REFUSED,
        replace(STATES, mamba_states=1),
        [Insert(A, state=True), SETTLE, Arrive("q1", A)],
    ),
    (M.RESET, FULL, [Insert(A), SETTLE, Reset()]),
    (M.RESET_IN_FLIGHT, FULL, [Insert(A), Reset()]),
]
USING_LATE: list[Case] = [
    (
        M.LATE_AFTER_SPLIT,
        FULL,
        [Insert(AB), Match(AB, "m1"), Match(A), Lock("r1", NO_PROMPT, "m1")],
    ),
    (
        M.LATE_AFTER_GROWTH,
        FULL,
        [Insert(A), Match(A, "m1"), Insert(AB), Lock("r1", NO_PROMPT, "m1")],
    ),
    (M.LATE_AFTER_BACKUP, FULL, [Insert(A), Match(A, "m1"), SETTLE, Lock("r1", NO_PROMPT, "m1")]),
    (
        M.LATE_AFTER_LOAD,
        FULL,
        [Insert(A), *OUT, Match(A, "m1"), LoadBack(A), HostLock("h1", NO_PROMPT, "m1")],
    ),
    (
        M.LATE_AFTER_EVICTION,
        FULL,
        [
            Insert(OTHER),
            Insert(A),
            SETTLE,
            Match(A, "m1"),
            Evict(1),
            Lock("r1", NO_PROMPT, "m1"),
        ],
    ),
    (M.LATE_LOAD, FULL, [Insert(A), *OUT, Match(A, "m1"), LoadBack(NO_PROMPT, None, "m1")]),
]
CASES = USING_LATE + LOOKING_UP + INSERTING + LOCKING + EVICTING + LOADING + COPYING + REQUESTING


def named(cases: list[Case]) -> list[ParameterSet]:
    """Parameters of a test, each by the name of its milestone."""
    return [pytest.param(*case, id=case[0].name) for case in cases]
