"""BACKUP, DEVPATH, STUTTER and NOCRASH: what may hang where, and what may not happen to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Refuse,
    ReleaseWindow,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.model.verdict import Breach

from ..deeds import (
    AB,
    DELTAS,
    FULL,
    HOSTLESS,
    LOADED,
    PLAIN,
    SETTLE,
    STATEFUL,
    WINDOWED,
    WRITE_BACK,
    A,
    B,
    Deed,
    SignatureOf,
    drop_device,
    drop_host,
    lie_about,
    move_device,
    move_host,
    node_of,
    raising,
    with_slots,
    words,
)

BreachesOf = Callable[[Target, Config, Sequence[Operation], int], list[Breach]]

# -- BACKUP --


def start_backup(*segment: int) -> Deed:
    """A node is backed up that nobody asked for."""

    def deed(system: RadixSystem) -> None:
        system.cache.backups._back_up(node_of(system, *segment))

    return deed


def back_up_without_parent(system: RadixSystem) -> None:
    """A backup starts with the node that was hit, not its ancestors; only leaves are hit."""
    backups = system.cache.backups
    hit = backups.hit
    backups.hit = lambda node: None if node.children else hit(node)  # type: ignore[method-assign]
    backups._back_up = lambda node: backups._start(node, lock=True) and None  # type: ignore[method-assign, assignment]


def back_up_at_every_hit(system: RadixSystem) -> None:
    """The threshold of write-through is heeded, although the cache writes back."""
    system.cache.backups._threshold = 1


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("early", Config(threshold=2), [Insert(A)], start_backup(1), 1),
        ("early", replace(WINDOWED, threshold=2), [Insert(A), Insert(B)], start_backup(2), 2),
        (
            "full_host-unexpected",
            Config(threshold=2),
            [Insert(A), Insert(B), Evict(1)],
            start_backup(2),
            3,
        ),
        ("full_host-unexpected", WRITE_BACK, [Insert(A)], back_up_at_every_hit, 0),
        ("parent-missing", WINDOWED, [Insert(AB, evicted=1)], back_up_without_parent, 0),
    ],
    ids=words,
)
def test_backup(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    assert signature_of(config, operations, deed, after) == f"BACKUP/{rule}"


# -- DEVPATH --


def leave_dead_node(system: RadixSystem) -> None:
    """An eviction empties a node, and leaves it in the tree."""
    system.cache.tree.unlink = lambda node: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        (
            "malformed-node",
            PLAIN,
            [Insert(AB)],
            lie_about((1, 2), lambda view: view._replace(segment=(1,))),
            1,
        ),
        (
            "malformed-node",
            PLAIN,
            [Insert(AB)],
            lie_about((1, 2), lambda view: view._replace(segment=())),
            1,
        ),
        (
            "malformed-node",
            PLAIN,
            [Insert(AB)],
            lie_about((1, 2), lambda view: view._replace(parent=99)),
            1,
        ),
        (
            "malformed-node",
            PLAIN,
            [Insert(AB)],
            lie_about((1, 2), lambda view: with_slots(view, Pool.FULL_HOST, (1,))),
            1,
        ),
        (
            "malformed-node",
            STATEFUL,
            [Insert(AB, state=True)],
            lie_about((1, 2), lambda view: with_slots(view, Pool.MAMBA, (1, 2))),
            1,
        ),
        (
            "malformed-node",
            Config(page_size=2),
            [Insert(AB)],
            lie_about((1, 2), lambda view: view._replace(segment=(1, 2, 3))),
            1,
        ),
        ("dead-node", Config(threshold=2), [Insert(A), Evict(1)], leave_dead_node, 0),
        ("dead-node", HOSTLESS, [Insert(A), Evict(1)], leave_dead_node, 0),
    ],
    ids=words,
)
def test_devpath(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    assert signature_of(config, operations, deed, after) == f"DEVPATH/{rule}"


@pytest.mark.parametrize(
    ("config", "last", "deed", "signatures"),
    [
        (
            PLAIN,
            EvictHost(1),
            drop_device(FULL, 1),
            ["PROGRESS/full-lost", "DEVPATH/parent-missing"],
        ),
        (
            WINDOWED,
            EvictHost(1),
            drop_device(FULL, 1),
            ["PROGRESS/full-lost", "DEVPATH/value-without-full"],
        ),
        (
            STATEFUL,
            EvictHost(1),
            drop_device(FULL, 1),
            ["PROGRESS/full-lost", "DEVPATH/value-without-full"],
        ),
        (
            STATEFUL,
            Evict(),
            drop_host(FULL, 1),
            ["PROGRESS/full_host-lost", "DEVPATH/value-without-full"],
        ),
    ],
    ids=words,
)
def test_devpath_when_a_parent_or_a_value_is_left_alone(
    tampered: Callable[[Deed, int], Target],
    breaches_of: BreachesOf,
    config: Config,
    last: Operation,
    deed: Deed,
    signatures: list[str],
) -> None:
    """The lost page is reported first; the orphans that it leaves are reported in the same step."""
    stateful = config.mamba_states > 0
    operations: list[Operation] = [
        Insert(A, state=stateful),
        Insert(AB, state=stateful),
        SETTLE,
        last,
    ]
    breaches = breaches_of(tampered(deed, 4), config, operations, DELTAS)
    assert [breach.signature for breach in breaches][:2] == signatures


def hang_twice(system: RadixSystem) -> None:
    """The same page under the root again, as if it belonged to another namespace."""
    tree, memory = system.cache.tree, system.cache.memory
    slots = memory.device.allocate(1)
    assert slots is not None
    system.write(slots.tolist(), [1])
    tree.add_leaf(tree.root, "elsewhere", (1,), slots).namespace = ""


def test_devpath_of_a_prefix_that_is_there_twice(signature_of: SignatureOf) -> None:
    """A request that asks for it meets only one of the two; the other is lost, with its slots."""
    assert (
        signature_of(HOSTLESS, [Insert(A), Insert(B)], hang_twice, after=2)
        == "DEVPATH/prefix-twice"
    )


# -- STUTTER --


@pytest.mark.parametrize(
    ("operation", "deed"),
    [
        (Match(B), move_device(FULL, 1)),
        (Lock("r1", B), move_device(FULL, 1)),
        (HostLock("h1", B), move_device(FULL, 1)),
        (Unlock("r0"), move_device(FULL, 1)),
        (Unlock("h0"), move_host(FULL, 1)),
        (RunCopies(), move_device(FULL, 1)),
        (RunCopies(load=True), move_device(FULL, 1)),
        (WritingCheck(), move_device(FULL, 1)),
        (WritingCheck(blocking=True), move_host(FULL, 1)),
        (LoadingCheck(blocking=True), move_device(FULL, 1)),
        (Refuse(Pool.FULL_HOST), move_device(FULL, 1)),
        (Match(B), drop_host(FULL, 1)),
    ],
    ids=words,
)
def test_stutter(signature_of: SignatureOf, operation: Operation, deed: Deed) -> None:
    operations = [Insert(A), SETTLE, Insert(B), SETTLE, Lock("r0", B), HostLock("h0", B), operation]
    assert (
        signature_of(PLAIN, operations, deed, after=len(operations)) == f"STUTTER/{operation.name}"
    )


# -- NOCRASH --

DEMOTED = [Insert(A), SETTLE, Evict(1)]


@pytest.mark.parametrize(
    ("operations", "method"),
    [
        ([Match(A)], "match"),
        ([Insert(A)], "insert"),
        ([Lock("r1", A)], "lock"),
        ([Lock("r1", A), Unlock("r1")], "unlock"),
        ([Insert(A), Lock("r1", A), ReleaseWindow("r1")], "release_window"),
        ([HostLock("h1", A)], "lock_host"),
        ([HostLock("h1", A), Unlock("h1")], "unlock_host"),
        ([Evict(1)], "evict"),
        ([EvictHost(1)], "evict_host"),
        ([*DEMOTED, LoadBack(A)], "load_back"),
        ([*DEMOTED, LoadBack(A), LOADED], "loading_check"),
        ([HostInsert(A)], "insert_host"),
        ([WritingCheck()], "writing_check"),
    ],
    ids=words,
)
def test_nocrash(signature_of: SignatureOf, operations: list[Operation], method: str) -> None:
    assert (
        signature_of(WINDOWED, operations, raising(method))
        == f"NOCRASH/RuntimeError@RadixSystem.{method}"
    )
