"""What sabotage of single steps once went past: each of these was missed, and is reported now."""

from __future__ import annotations

from typing import TypeAlias

import pytest

from radixproof.impl.operations import (
    Arrive,
    Evict,
    EvictHost,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Refuse,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.sabotage import Sabotaged
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.running.run import run_history

A, AB, B, X = (Key(tokens) for tokens in ((1,), (1, 2), (2,), (9,)))
ACKS = WritingCheck(blocking=True)
WINDOWED = Config(window=1, swa_pages=8, host_pages=0)
HOSTED_WINDOWS = Config(window=1, swa_pages=8, host_pages=2, swa_host_pages=2, write_back=True)

Case: TypeAlias = tuple[str, int, Config, tuple[Operation, ...], str]
"""A kind, the occasion that is taken, what is done, and what is reported of it."""

MENDED: dict[str, Case] = {
    "a refusal of an allocation is no reason for an eviction to stop early": (
        "victim-too-few",
        0,
        Config(host_pages=0),
        (Insert(A), Refuse(Pool.FULL), Evict(1)),
        "PROGRESS/stopped-early",
    ),
    "a page that was stored once, and removed, is no parent": (
        "child-announced-first",
        1,
        WINDOWED,
        (Insert(AB, evicted=1), Evict(8), Insert(AB, evicted=1)),
        "EVENT/parent-not-stored",
    ),
    "a host lock is no reason to make no room beside it": (
        "host-room-refused",
        0,
        Config(host_pages=2),
        (Insert(A), Insert(B), ACKS, Evict(2), HostLock("h", A), Insert(X), Evict(1)),
        "PROGRESS/never-backed-up",
    ),
    "what is loaded back while its host copy goes is not forgotten": (
        "host-source-dropped",
        0,
        Config(write_back=True, device_pages=3, host_pages=3),
        (Insert(AB), Evict(2), Insert(Key((7, 8))), LoadBack(AB)),
        "PIN/own-source-evicted",
    ),
    "a refusal on the host is no reason to make room that is there": (
        "host-room-unneeded",
        0,
        Config(host_pages=4),
        (Insert(A), ACKS, Evict(1), Refuse(Pool.FULL_HOST), Insert(X)),
        "PROGRESS/host-freed-too-much",
    ),
    "nor is a write-back that fits": (
        "host-room-unneeded",
        0,
        Config(host_pages=4, write_back=True),
        (Insert(A), Evict(1), Insert(X), Evict(1)),
        "PROGRESS/host-room-unneeded",
    ),
    "backups are announced in the order in which they are acknowledged": (
        "backup-acks-reversed",
        0,
        Config(host_pages=4),
        (Insert(A), Insert(B), ACKS),
        "EVENT/acks-out-of-order",
    ),
    "the upper piece of a backup is announced before the lower": (
        "host-child-announced-first",
        0,
        Config(host_pages=4),
        (Insert(AB), Match(A), ACKS),
        "EVENT/child-first",
    ),
    "a parent that is only on the host is announced on the device, too, before its child": (
        "child-announced-first",
        1,
        Config(window=1, swa_pages=8, host_pages=8, swa_host_pages=8),
        (Insert(AB, evicted=1), ACKS, Evict(8), Insert(AB, evicted=1)),
        "EVENT/child-first",
    ),
    "FULL leaves the host in order where SWA is short as well": (
        "another-host-victim",
        0,
        Config(window=1, swa_pages=8, host_pages=2, swa_host_pages=2),
        (Insert(A), Insert(B), ACKS, Evict(2), Insert(X)),
        "RECENCY/access-time",
    ),
    "and so does SWA that alone is short": (
        "another-host-victim",
        0,
        Config(window=1, swa_pages=8, host_pages=8, swa_host_pages=2),
        (Insert(A), Insert(B), ACKS, Evict(2), Insert(X)),
        "RECENCY/swa_host-order",
    ),
    "what is written back has its room made in order": (
        "another-host-victim",
        0,
        Config(host_pages=2, write_back=True),
        (Insert(A), Evict(1), Insert(B), Evict(1), Insert(X), Evict(1)),
        "RECENCY/access-time",
    ),
    "a duplicate goes before the only copy of another": (
        "duplicate-unlisted",
        0,
        Config(host_pages=2, write_back=True),
        (Insert(A), Evict(1), Insert(B), Evict(1), Insert(X), Insert(A), Evict(1)),
        "RECENCY/access-time",
    ),
    "nothing leaves the host beside the room that is made": (
        "duplicate-dropped",
        2,
        Config(host_pages=2, write_back=True),
        (Insert(A), Evict(1), Insert(B), Evict(1), Insert(X), Insert(A), Insert(B), Evict(1)),
        "PROGRESS/host-freed-too-much",
    ),
    "every victim of one eviction is written back": (
        "not-written-back",
        0,
        Config(write_back=True),
        (Insert(A), Insert(B), Evict(2)),
        "PROGRESS/not-written-back",
    ),
    "what left the host and was copied again is told by its announcements": (
        "duplicate-unlisted",
        0,
        Config(host_pages=2, write_back=True),
        (Insert(A), Evict(1), Insert(AB), Insert(Key((1, 2, 3))), Evict(3)),
        "EVENT/host-out-of-order",
    ),
    "what is written back is announced in the order of its eviction": (
        "host-child-announced-first",
        0,
        Config(window=1, swa_pages=8, swa_host_pages=8, write_back=True),
        (Insert(A), Insert(AB), Evict(swa=2)),
        "EVENT/host-out-of-order",
    ),
    "what was to be written back, and went with its parent, is asked for": (
        "not-written-back",
        0,
        Config(device_pages=8, host_pages=1, write_back=True),
        (Insert(AB), Insert(Key((1, 2, 3))), Evict(3)),
        "EVENT/host-unsaid",
    ),
    "nothing is said of what an eviction need not have done on the host": (
        "host-room-unneeded",
        0,
        Config(host_pages=8, write_back=True),
        (HostInsert(A), Insert(A), Insert(B), Insert(A), Evict(2)),
        "EVENT/host-unasked",
    ),
    "what is written back is said to be on the host before it leaves the device": (
        "write-back-not-awaited",
        0,
        Config(write_back=True),
        (Insert(A), Insert(B), Evict(2)),
        "EVENT/demoted-first",
    ),
    "a leaf that a host lock would keep is written back": (
        "not-written-back",
        1,
        Config(write_back=True),
        (Insert(A), Insert(AB), Evict(1), HostLock("h", AB), Evict(1)),
        "PROGRESS/stopped-early",
    ),
    "what lacks a copy is copied though a window goes that has one": (
        "not-written-back",
        2,
        HOSTED_WINDOWS,
        (*(Insert(A), Insert(AB), Evict(swa=1), Insert(AB)), EvictHost(1), Evict(swa=1)),
        "PROGRESS/not-written-back-along",
    ),
    "an order that a refusal has hidden is known again when what it is about has gone": (
        "another-host-victim",
        0,
        HOSTED_WINDOWS,
        (
            *(Insert(A), Insert(B), Refuse(Pool.FULL_HOST), Evict(2), EvictHost(8)),
            *(Insert(A), Evict(1), Insert(B), Evict(1), Insert(X), Evict(1)),
        ),
        "RECENCY/access-time",
    ),
    "a refusal that has spoiled one write-back excuses no other": (
        "not-written-back",
        1,
        Config(write_back=True),
        (Insert(A), Insert(B), Refuse(Pool.FULL_HOST), Evict(1), Evict(1)),
        "PROGRESS/not-written-back",
    ),
    "nor one that needs no slot of that pool": (
        "not-written-back",
        0,
        HOSTED_WINDOWS,
        (Insert(A, evicted=1), Refuse(Pool.SWA_HOST), Evict(1)),
        "PROGRESS/not-written-back",
    ),
    "nor one that was made in part": (
        "backup-without-a-component",
        1,
        HOSTED_WINDOWS,
        (Insert(A), Refuse(Pool.SWA_HOST), Evict(1)),
        "PROGRESS/late-swa-not-written-back",
    ),
    "a refusal that has kept one backup from being made excuses no other": (
        "backup-not-started",
        0,
        Config(),
        (Refuse(Pool.FULL_HOST), Insert(A), Insert(B), Evict(2)),
        "PROGRESS/never-backed-up",
    ),
    "a load-back for which nothing has to go is not excused by a host lock elsewhere": (
        "load-refused",
        0,
        Config(threshold=2),
        (Insert(A), Insert(A), ACKS, Evict(1), Insert(B), HostLock("h", B), LoadBack(A)),
        "PROGRESS/load-refused",
    ),
    "nor by a refusal of what it does not take": (
        "load-refused",
        0,
        Config(),
        (Insert(A), ACKS, Evict(1), Refuse(Pool.FULL_HOST), Refuse(Pool.SWA), LoadBack(A)),
        "PROGRESS/load-refused",
    ),
    "a refusal that has kept one load-back from going ahead excuses no other": (
        "load-refused",
        0,
        Config(),
        (Insert(A), ACKS, Evict(1), Refuse(Pool.FULL), LoadBack(A), LoadBack(A)),
        "PROGRESS/load-refused",
    ),
    "nothing is fetched of which nothing is missing": (
        "best-match-a-node-short",
        0,
        Config(),
        (HostInsert(A), HostInsert(A)),
        "PROGRESS/fetched-needlessly",
    ),
    "a state goes alone": (
        "window-taken-with-state",
        0,
        Config(window=1, swa_pages=8, host_pages=0, mamba_states=4),
        (Insert(A, state=True), Insert(AB, state=True), Evict(mamba=1)),
        "PROGRESS/window-lost-with-state",
    ),
    "the last part of an operation is looked at, too": (
        "device-leaf-invented",
        2,
        Config(host_pages=0, mamba_states=4),
        (Insert(A, state=True), Insert(AB, state=True), Arrive("q", X), Lock("r", AB)),
        "LEAF/device-leaves",
    ),
}


@pytest.mark.parametrize("case", MENDED.values(), ids=MENDED)
def test_what_was_missed_is_reported(case: Case) -> None:
    kind, at, config, operations, signature = case
    history = History(config, operations)
    assert run_history(find("radix"), history) is None
    sabotaged = Sabotaged(kind, at)
    verdict = run_history(sabotaged.target(), history)
    assert sabotaged.struck
    assert verdict is not None
    assert verdict.breach.signature == signature
