"""Outcomes that were not expected: the message names the rule by which another one was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    RunCopies,
    WritingCheck,
)
from radixproof.impl.system import Insertion, Lookup, Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach

from ..deeds import (
    AB,
    ABC,
    DELTAS,
    HOSTLESS,
    PLAIN,
    SETTLE,
    STATEFUL,
    WINDOWED,
    A,
    Deed,
    instead,
    off_by_one,
    with_state,
    words,
)

BreachesOf = Callable[[Target, Config, Sequence[Operation], int], list[Breach]]

DEMOTED = [Insert(AB), SETTLE, Evict(2)]


def nothing(original: Callable[..., Lookup], key: Key) -> Lookup:
    """A match that says it found nothing."""
    return original(key)._replace(device=0, best=0, slots=[])


def one_more(original: Callable[..., Insertion], *arguments: Any) -> Insertion:
    inserted = original(*arguments)
    return inserted._replace(reused=inserted.reused + 1)


def taken_or_not(original: Callable[..., Insertion], *arguments: Any) -> Insertion:
    inserted = original(*arguments)
    return inserted._replace(taken=not inserted.taken)


@pytest.mark.parametrize(
    ("config", "operations", "deed", "reason"),
    [
        (
            PLAIN,
            [*DEMOTED, LoadBack(AB, quota=1)],
            off_by_one("load_back"),
            "expected nothing, got 1; the 2 tokens on the host, with the 0 pinned on the device, "
            "exceed the quota of 1",
        ),
        (
            Config(load_threshold=3),
            [*DEMOTED, LoadBack(AB)],
            off_by_one("load_back"),
            "expected nothing, got 1; the 2 tokens on the host are below the threshold of 3",
        ),
        (
            PLAIN,
            [Insert(AB), SETTLE, LoadBack(AB)],
            off_by_one("load_back"),
            "expected nothing, got 1; nothing of what it matches is on the host only",
        ),
        (
            PLAIN,
            [*DEMOTED, LoadBack(AB)],
            off_by_one("load_back"),
            "expected 2, got 3; what it had on the host only was brought to the device",
        ),
        (
            PLAIN,
            [Match(AB)],
            instead("match", lambda original, key: original(key)._replace(best=1)),
            "nothing of it is cached",
        ),
        (
            PLAIN,
            [Insert(AB), Match(ABC)],
            instead("match", nothing),
            "on the device it ends at token 2, where what is cached of it ends",
        ),
        (
            PLAIN,
            [*DEMOTED, Match(AB)],
            instead("match", nothing),
            "on the device it ends at token 0, below which it is on the host only, with the host "
            "at token 2, where what is cached of it ends",
        ),
        (
            WINDOWED,
            [Insert(AB, evicted=2), Lock("r", AB)],
            instead("match", lambda original, key: original(key)._replace(device=1)),
            "on the device it ends at token 0, below which no node ends in a whole window of SWA "
            "on the device",
        ),
        (
            STATEFUL,
            [with_state(A), Insert(AB), HostLock("h", AB)],
            instead("match", lambda original, key: original(key)._replace(best=2)),
            "on the device it ends at token 1, below which no node ends in a state of MAMBA on the "
            "device",
        ),
        (
            PLAIN,
            [Insert(A), Insert(AB)],
            instead("insert", one_more),
            "none of its tokens were in the tree before",
        ),
        (
            STATEFUL,
            [with_state(A)],
            instead("insert", taken_or_not),
            "the node where it ends had no state",
        ),
        (
            STATEFUL,
            [with_state(A), with_state(A)],
            instead("insert", taken_or_not),
            "the node where it ends had no state",
        ),
        (
            PLAIN,
            [HostInsert(AB)],
            off_by_one("insert_host"),
            "the tiers had 0 of its 2 tokens, and what has no copy is kept",
        ),
        (
            HOSTLESS,
            [Insert(A), Evict(1)],
            instead("evict", lambda original, *asked: (9, 0, 0)),
            "expected freed nothing, got freed 9 FULL; that is what the nodes it took held",
        ),
        (
            PLAIN,
            [*DEMOTED, EvictHost(1)],
            off_by_one("evict_host"),
            "that is what the nodes it took held",
        ),
        (
            PLAIN,
            [Insert(A), RunCopies(2)],
            off_by_one("run_copies"),
            "expected 1, got 2; no more backups were asked for, or were queued on rank 0",
        ),
        (
            PLAIN,
            [Insert(A), WritingCheck()],
            off_by_one("writing_check"),
            "this many backups have run on every rank, counted from the oldest in flight",
        ),
        (
            PLAIN,
            [Insert(A), SETTLE],
            off_by_one("writing_check"),
            "a blocking check acknowledges all backups in flight",
        ),
    ],
    ids=words,
)
def test_the_reason_is_named(
    tampered: Callable[[Deed, int], Target],
    breaches_of: BreachesOf,
    config: Config,
    operations: list[Operation],
    deed: Deed,
    reason: str,
) -> None:
    breaches = breaches_of(tampered(deed, 0), config, operations, DELTAS)
    (outcome,) = [one for one in breaches if one.signature.endswith("-outcome")][:1]
    assert reason in outcome.text
