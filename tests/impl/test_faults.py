"""Planted bugs: each in one cache only, seen by the property it names, and described."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from radixproof.impl import faults
from radixproof.impl.faults import FAULTS
from radixproof.impl.operations import (
    Arrive,
    Decode,
    Evict,
    EvictHost,
    History,
    HostInsert,
    Insert,
    LoadBack,
    LoadingCheck,
    Match,
    Operation,
    Prefill,
    Refuse,
    RunCopies,
    WritingCheck,
)
from radixproof.impl.registry import UnknownSystem, find, locally
from radixproof.model.config import Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.accepting.methods import complete
from radixproof.properties.drivers.soak import one
from radixproof.properties.histories import corpus
from radixproof.properties.running.run import run_history

WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)
STATEFUL = Config(window=1, swa_pages=8, swa_host_pages=16, mamba_states=3, mamba_host_states=16)
HISTORIES = 400
"""As many of a soak are tried before a fault counts as hidden."""

A, AB, ABC, X = Key((1,)), Key((1, 2)), Key((1, 2, 3)), Key((9,))

RARE: dict[str, History] = {
    "acks-beyond-the-agreed-number-lost": History(
        Config(ranks=2),
        (
            Insert(A),
            Insert(X),
            RunCopies(2, rank=0),
            RunCopies(1, rank=1),
            WritingCheck(),
            WritingCheck(blocking=True),
        ),
    ),
    "acks-out-of-order": History(
        Config(), (Insert(A), Insert(X), RunCopies(fail=True), RunCopies(), WritingCheck())
    ),
    "ancestors-not-backed-up": History(
        Config(), (Refuse(Pool.FULL_HOST), Insert(A), Refuse(Pool.FULL_HOST), Insert(AB))
    ),
    "backup-goes-on-without-ancestor": History(Config(host_pages=1), (Insert(AB), Insert(ABC))),
    "backup-without-a-host": History(Config(host_pages=0), (Insert(A),)),
    "boundary-counted-in-tokens": History(replace(WINDOWED, bigram=True), (Insert(AB, evicted=1),)),
    "duplicate-reclaimed-while-loading": History(
        Config(write_back=True, host_pages=2),
        (
            Insert(A),
            Insert(AB),
            Evict(2),
            LoadBack(AB),
            EvictHost(1),
            HostInsert(X),
            LoadingCheck(blocking=True),
        ),
    ),
    "early-release-skips-tombstones": History(
        STATEFUL, (*(Arrive(name, A) for name in "opq"), Prefill("o"), Prefill("p"), Decode("p"))
    ),
    "failed-copy-loses-its-place": History(
        Config(), (Insert(A), Insert(X), RunCopies(fail=True), RunCopies(), WritingCheck())
    ),
    "failed-copy-lost": History(
        Config(), (Insert(A), RunCopies(fail=True), WritingCheck(blocking=True))
    ),
    "fetched-under-tokens-not-pairs": History(Config(bigram=True), (HostInsert(AB),)),
    "host-insert-under-unbacked-parent": History(Config(threshold=2), (Insert(A), HostInsert(AB))),
    "load-counts-as-hit": History(
        Config(eviction_policy=EvictionPolicy.LFU),
        (
            Insert(A),
            WritingCheck(blocking=True),
            Evict(1),
            LoadBack(A),
            LoadingCheck(blocking=True),
            Insert(X),
            WritingCheck(blocking=True),
            Evict(1),
        ),
    ),
    "load-evicts-its-whole-need": History(
        Config(device_pages=3),
        (
            Insert(AB),
            WritingCheck(blocking=True),
            Evict(2),
            Insert(X),
            Insert(Key((8,))),
            WritingCheck(blocking=True),
            LoadBack(AB),
        ),
    ),
    "match-with-a-window-a-token-short": History(
        replace(WINDOWED, window=2), (Insert(AB, evicted=1), Match(AB))
    ),
    "node-loaded-twice": History(
        WINDOWED,
        (Insert(A), Insert(AB), WritingCheck(blocking=True), Evict(2), LoadBack(AB), LoadBack(A)),
    ),
    "one-mark-for-all-loads": History(
        WINDOWED,
        (
            Insert(A),
            Insert(AB),
            WritingCheck(blocking=True),
            Evict(2),
            LoadBack(AB),
            LoadBack(A),
            LoadingCheck(blocking=True),
        ),
    ),
    "pairs-as-single-tokens": History(Config(bigram=True), (Insert(AB),)),
    "partial-match-on-host-is-lost": History(
        Config(), (Insert(AB), WritingCheck(blocking=True), Evict(2), Match(A))
    ),
    "priority-not-raised": History(
        Config(eviction_policy=EvictionPolicy.PRIORITY, host_pages=0),
        (Insert(A), Insert(X, priority=1), Insert(A, priority=1), Evict(1)),
    ),
    "ranks-poll-alone": History(Config(ranks=2), (Insert(A), RunCopies(), WritingCheck())),
    "room-for-the-whole-backup": History(
        Config(host_pages=3),
        (
            Insert(A),
            Insert(X),
            WritingCheck(blocking=True),
            Evict(2),
            Insert(Key((7, 8))),
        ),
    ),
    "room-of-the-smaller-pool": History(
        Config(window=1, swa_pages=2, swa_host_pages=16),
        (
            Insert(AB, evicted=1),
            Insert(ABC, evicted=2, reuse=True),
            WritingCheck(blocking=True),
            Evict(3),
            LoadBack(ABC),
        ),
    ),
    "request-adopts-what-a-match-finds": History(
        Config(mamba_states=1, mamba_host_states=4),
        (Arrive("q", AB), Prefill("q", 1), Prefill("q", 1)),
    ),
    "split-forgets-creation": History(
        Config(eviction_policy=EvictionPolicy.FIFO, host_pages=0),
        (Insert(AB), Insert(X), Insert(A), Evict(1), Evict(1)),
    ),
    "split-forgets-hits": History(Config(threshold=2), (Insert(AB), Match(A), Insert(A), Evict(2))),
    "split-forgets-priority": History(
        Config(eviction_policy=EvictionPolicy.PRIORITY, host_pages=0),
        (Insert(AB, priority=1), Match(A), Evict(1), Insert(X), Evict(1)),
    ),
    "split-leaves-load": History(
        Config(write_back=True, host_pages=3),
        (
            Insert(AB),
            Insert(ABC),
            Evict(3),
            LoadBack(ABC),
            Match(A),
            EvictHost(1),
            HostInsert(X),
            LoadingCheck(blocking=True),
        ),
    ),
    "state-copy-unlocks-too-much": History(
        STATEFUL,
        (Insert(AB, state=True), *(Arrive(name, Key(())) for name in "op"), Arrive("q", AB)),
    ),
}
"""Faults that a soak takes long to find, or mostly finds by their consequences.

Each with a shortest history that shows it.
"""

STORED = {
    entry.system.removeprefix("fault:"): entry.history for entry in corpus.read(corpus.FOLDER)
}


def histories(name: str) -> Iterator[History]:
    """Histories that break something in the system with the fault ``name``.

    From the corpus, by hand, or else from a soak.
    """
    yield from (stored[name] for stored in (RARE, STORED) if name in stored)
    for number in range(HISTORIES):
        ran = one(find(f"fault:{name}"), 1, number, lambda _: False)
        if ran.breach is not None:
            yield ran.history


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_seen_by_the_property_it_names_and_by_nothing_without_it(name: str) -> None:
    others = []
    for history in histories(name):
        verdict = run_history(find(f"fault:{name}"), history)
        assert run_history(find("radix"), history) is None
        if verdict is not None and verdict.breach.violates is FAULTS[name].sees:
            return
        others.append(verdict and verdict.breach.signature)
    raise AssertionError(
        f"a soak shows the fault {name} by {others}, but not by what should see it"
    )


@pytest.fixture(scope="module")
def listed() -> list[tuple[str, str]]:
    """The systems that are here, each with a sentence."""
    return locally()


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_says_where_it_comes_from_and_what_goes_wrong(
    name: str, listed: list[tuple[str, str]]
) -> None:
    fault = FAULTS[name]
    assert fault.name == name
    assert fault.record
    assert fault.sentence
    assert not fault.sentence.endswith(".")
    target = find(f"fault:{name}")
    assert (target.name, target.summary) == (f"fault:{name}", fault.sentence)
    assert (target.name, f"radix with a planted bug: {fault.sentence}") in listed


def test_a_fault_is_only_in_the_cache_it_was_planted_in() -> None:
    planted = faults.target("split-parent-not-backed-up")
    history = History(WINDOWED, (Insert(Key((1, 2)), evicted=1),))
    systems = [planted.build(WINDOWED), find("radix").build(WINDOWED)]
    assert run_history(find("radix"), history) is None
    assert run_history(planted, history) is not None
    for system in systems:
        complete(system, planted.scope).close()


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(UnknownSystem, match="no fault is called 'nothing'"):
        find("fault:nothing")


@pytest.mark.parametrize(
    ("operations", "lost"),
    [
        ([Insert(Key((1, 2)), evicted=1)], True),
        (
            [
                Insert(Key((1,))),
                WritingCheck(blocking=True),
                Match(Key((1,))),
                Insert(Key((1, 2, 3)), evicted=2),
            ],
            True,
        ),
        ([Insert(Key((1, 2))), WritingCheck(blocking=True), Evict(2)], False),
        ([Insert(Key((1, 2)), evicted=2), WritingCheck(blocking=True), Evict(2)], False),
        (
            [
                Insert(Key((1,))),
                Insert(Key((1, 2)), evicted=1),
                WritingCheck(blocking=True),
                Evict(2),
            ],
            False,
        ),
    ],
    ids=lambda value: "; ".join(map(str, value)) if isinstance(value, list) else str(value),
)
def test_split_parent_not_backed_up(operations: list[Operation], lost: bool) -> None:
    """Only a new leaf that is cut at the SWA boundary is not backed up."""
    verdict = run_history(
        find("fault:split-parent-not-backed-up"), History(WINDOWED, tuple(operations))
    )
    assert (verdict is not None) is lost
    if verdict is not None:
        assert verdict.breach.signature == "PROGRESS/never-backed-up"
        assert verdict.step == len(operations) - 1
