"""Load-backs, seen by several properties: all of it comes back, intact, and only if it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.faults.resetting import loads_survive_reset
from radixproof.impl.operations import (
    Evict,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Refuse,
    Reset,
    RunCopies,
    Unlock,
)
from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix.node import Node
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.running.run import Run, run_history

from ..deeds import (
    AB,
    FULL,
    LOADED,
    MAMBA,
    PLAIN,
    SETTLE,
    STATEFUL,
    SWA,
    WINDOWED,
    A,
    B,
    C,
    Deed,
    SignatureOf,
    drop_host,
    during,
    in_vain,
    off_by_one,
    with_state,
    words,
)

EVERYTHING = Config(window=2, swa_pages=8, swa_host_pages=16, mamba_states=6, mamba_host_states=6)
DEMOTED: list[Operation] = [Insert(A), SETTLE, Evict(1)]
DEMOTED_STATE: list[Operation] = [with_state(A), SETTLE, Evict(1)]
LOAD: list[Operation] = [*DEMOTED, LoadBack(A)]
LOAD_STATE: list[Operation] = [*DEMOTED_STATE, LoadBack(A)]


def load_nothing(component: Component) -> Deed:
    """A load-back forgets one component."""

    def deed(system: RadixSystem) -> None:
        loader = system.cache.loader
        plan = loader._plan

        def without(anchor: Node) -> Any:
            return {
                kind: nodes for kind, nodes in plan(anchor).items() if kind != COMPONENTS[component]
            }

        loader._plan = without  # type: ignore[method-assign]

    return deed


def load_all_windows(system: RadixSystem) -> None:
    """SWA is loaded along the whole path, not for one window."""
    system.cache.loader._config = replace(system.cache.config, window=99)


def load_at_any_price(system: RadixSystem) -> None:
    """Neither the quota nor the threshold is heeded."""
    loader = system.cache.loader
    load_back = loader.load_back
    loader._config = replace(system.cache.config, load_threshold=1)
    loader.load_back = lambda anchor, quota: load_back(anchor, None)  # type: ignore[method-assign]


def evict_beyond_need(system: RadixSystem) -> None:
    """A load-back has one token more evicted than it needs."""
    evictor = system.cache.loader._evictor
    evict = evictor.evict
    evictor.evict = lambda full, swa, mamba: evict(full and full + 1, swa, mamba)  # type: ignore[method-assign]


FULL_DEVICE = [Insert(A), SETTLE, Evict(1), Insert(B), Insert(C), SETTLE, LoadBack(A)]


@pytest.mark.parametrize(
    ("signature", "config", "operations", "deed"),
    [
        ("PROGRESS/load-refused", PLAIN, LOAD, in_vain("load_back", 0)),
        ("PROGRESS/load-refused", EVERYTHING, LOAD_STATE, in_vain("load_back", 0)),
        ("PROGRESS/load-refused", Config(device_pages=2), FULL_DEVICE, in_vain("load_back", 0)),
        ("PROGRESS/load_back-outcome", PLAIN, LOAD, off_by_one("load_back")),
        ("PROGRESS/load-too-short", Config(load_threshold=2), LOAD, load_at_any_price),
        (
            "PROGRESS/load-over-quota",
            PLAIN,
            [*DEMOTED, Insert(B), LoadBack(A, quota=0)],
            load_at_any_price,
        ),
        ("PROGRESS/load-freed-too-much", Config(device_pages=2), FULL_DEVICE, evict_beyond_need),
        ("PROGRESS/swa-lost", WINDOWED, LOAD, load_nothing(SWA)),
        ("PROGRESS/mamba-lost", STATEFUL, LOAD_STATE, load_nothing(MAMBA)),
        (
            "MATCH/swa-unexpected",
            replace(WINDOWED, window=1),
            [Insert(A), Insert(AB), SETTLE, Evict(2), LoadBack(AB)],
            load_all_windows,
        ),
    ],
    ids=words,
)
def test_progress_of_load_backs(
    signature_of: SignatureOf,
    signature: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
) -> None:
    assert signature_of(config, operations, deed) == signature


@pytest.mark.parametrize(
    ("config", "operations"),
    [
        (PLAIN, [Insert(A), LoadBack(A)]),
        (PLAIN, [LoadBack(A)]),
        (Config(load_threshold=2), LOAD),
        (PLAIN, [*DEMOTED, LoadBack(A, quota=0)]),
        (PLAIN, [Insert(A), SETTLE, Insert(AB), SETTLE, Evict(1), LoadBack(AB, quota=1)]),
        (Config(device_pages=1), [*DEMOTED, Insert(B), SETTLE, Lock("r1", B), LoadBack(A)]),
        (PLAIN, [*DEMOTED, Refuse(Pool.FULL), LoadBack(A)]),
        (Config(host_pages=0), [Insert(A), Evict(1), LoadBack(A)]),
    ],
    ids=words,
)
def test_a_load_back_is_rightly_refused(
    radix: Target, config: Config, operations: list[Operation]
) -> None:
    """Every reason to refuse.

    Nothing to do, too little, beyond the quota (with what it would pin), no room, an allocation
    that fails, no host tier.
    """
    run = Run(radix, config, every=1)
    assert [run.step(operation) for operation in operations] == [[]] * len(operations)
    assert not [copy for copy in run.judge.model.copies.flying if copy.load]
    assert not [holder for holder in run.judge.model.receipts if holder.name == "load-back"]
    run.close()


def leave_bytes(pool: Pool) -> Deed:
    """The bytes of another prefix arrive."""

    def deed(system: RadixSystem) -> None:
        kv_pool = system.pools[pool]
        scatter = kv_pool.scatter
        kv_pool.scatter = lambda slots, kv: scatter(slots, kv + 1)  # type: ignore[method-assign]

    return deed


@pytest.mark.parametrize("pool", [Pool.FULL, Pool.SWA, Pool.MAMBA], ids=words)
@pytest.mark.parametrize("last", [RunCopies(load=True), LOADED], ids=words)
def test_content_of_load_backs(signature_of: SignatureOf, pool: Pool, last: Operation) -> None:
    operations = [*LOAD_STATE, last]
    assert signature_of(EVERYTHING, operations, leave_bytes(pool)) == f"CONTENT/{pool.name.lower()}"


def test_content_of_load_backs_is_not_there_before_the_copy_has_run(radix: Target) -> None:
    """Until then nobody looks at the bytes, and the slots are not to be touched."""
    run = Run(radix, EVERYTHING, every=1)
    for operation in LOAD_STATE:
        assert run.step(operation) == []
    (copy,) = run.judge.model.copies.flying
    assert copy.load
    assert not copy.complete
    assert {pool for pool, pages in copy.targets.items() if pages} == {
        Pool.FULL,
        Pool.SWA,
        Pool.MAMBA,
    }
    run.close()


def test_a_host_copy_that_is_being_read_stays(signature_of: SignatureOf) -> None:
    """A load-back holds a host lock: what it reads must not go."""
    operations = [*LOAD, Insert(B), SETTLE, Match(B)]
    assert signature_of(PLAIN, operations, drop_host(FULL, 1), after=6) == "PIN/full_host-evicted"


def test_a_load_back_that_takes_what_it_is_about_to_read(signature_of: SignatureOf) -> None:
    """It is told from an eviction by somebody else."""
    taken = during("load_back", drop_host(FULL, 1), 0)
    assert signature_of(PLAIN, LOAD, taken) == "PIN/own-source-evicted"


@pytest.mark.parametrize("quota", [None, 1])
def test_a_load_back_under_locks_of_others_is_clean(radix: Target, quota: int | None) -> None:
    """Tokens that others pin do not count against the quota."""
    operations: list[Operation] = [
        *(Insert(A), SETTLE, Insert(AB), SETTLE, Evict(1), Lock("r1", A), HostLock("h1", AB)),
        *(
            LoadBack(AB, quota),
            Match(Key((1, 9))),
            Unlock("h1"),
            RunCopies(load=True),
            LOADED,
            Unlock("r1"),
        ),
    ]
    run = Run(radix, EVERYTHING if quota is None else PLAIN, every=1)
    assert [run.step(operation) for operation in operations] == [[]] * len(operations)
    run.close()


def mix_queues_up(system: RadixSystem) -> None:
    """The engine performs a load-back where a backup was asked for."""
    system._engines = system._engines[::-1]


def test_both_queues_are_told_apart(signature_of: SignatureOf) -> None:
    operations = [*LOAD, Insert(B), Insert(C), RunCopies(2)]
    assert signature_of(PLAIN, operations, mix_queues_up) == "PROGRESS/run_copies-outcome"


def test_pin_of_the_source_of_a_load_back(signature_of: SignatureOf) -> None:
    """Above its end no host lock keeps the copies that are read."""
    config = Config(write_back=True)
    operations = [Insert(A), Insert(AB), Evict(2), LoadBack(AB), Match(B)]
    assert signature_of(config, operations, drop_host(FULL, 1), after=5) == "PIN/source-freed"


@pytest.mark.parametrize(
    ("fault", "operations"),
    [
        ("loads-survive-reset", [*LOAD, Reset(), Insert(B), RunCopies(load=True)]),
        ("backups-survive-reset", [Insert(A), Reset(), HostInsert(B), Insert(C), RunCopies()]),
    ],
)
def test_what_a_reset_forgets_writes_no_more(fault: str, operations: list[Operation]) -> None:
    """Its slots are given out anew (semantics 12.1). That nothing orders what is written there is
    seen before the bytes are.
    """
    history = History(PLAIN, tuple(operations))
    assert run_history(find("radix"), history) is None
    verdict = run_history(find(f"fault:{fault}"), history, lambda one: one.startswith("RACE/"))
    assert verdict is not None
    assert verdict.breach.signature == "CONTENT/written-after-reset"


def test_what_a_forgotten_copy_has_spoilt_is_not_blamed_on_who_copies_it(
    signature_of: SignatureOf,
) -> None:
    def load_first(system: RadixSystem) -> None:
        """What a reset has forgotten is loaded just before the next backup."""
        loads_survive_reset(system.cache)
        system.timeline.drain = list  # type: ignore[method-assign]  # bytes alone are asked
        backups, loads = system._engines
        run = backups.run

        def both(count: int, fail: bool = False) -> int:
            loads.run(0)
            return run(count, fail)

        backups.run = both  # type: ignore[method-assign]

    operations = [*LOAD, Reset(), Insert(B), RunCopies()]
    assert signature_of(PLAIN, operations, load_first) == "CONTENT/written-after-reset"
