"""PIN, LOCK, SIZE and QUIESCE: what is locked stays and is counted; what is released is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    ReleaseWindow,
    Unlock,
)
from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config
from radixproof.model.verdict import Breach

from ..deeds import (
    AB,
    ABC,
    DELTAS,
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
    Deed,
    SignatureOf,
    change_host_lock,
    change_lock,
    drop_device,
    drop_host,
    during,
    instead,
    lie,
    move_device,
    move_host,
    one_more,
    with_state,
    words,
)

EVERYTHING = Config(window=2, swa_pages=8, swa_host_pages=16, mamba_states=6, mamba_host_states=6)
BreachesOf = Callable[[Target, Config, Sequence[Operation], int], list[Breach]]

# -- PIN --


@pytest.mark.parametrize(
    ("rule", "config", "last", "deed", "after"),
    [
        ("full-evicted", PLAIN, Evict(1), during("evict", drop_device(FULL, 1), (0, 0, 0)), 0),
        ("swa-evicted", WINDOWED, Evict(swa=1), during("evict", drop_device(SWA, 1), (0, 0, 0)), 0),
        (
            "mamba-evicted",
            STATEFUL,
            Evict(mamba=1),
            during("evict", drop_device(MAMBA, 1), (0, 0, 0)),
            0,
        ),
        ("full-replaced", PLAIN, Insert(B), move_device(FULL, 1), 4),
        ("full-replaced", PLAIN, Evict(1), move_device(FULL, 1), 4),
        ("swa-replaced", WINDOWED, Insert(B), move_device(SWA, 1), 4),
        ("mamba-replaced", STATEFUL, Insert(B), move_device(MAMBA, 1), 4),
    ],
    ids=words,
)
def test_pin_of_locked(
    signature_of: SignatureOf, rule: str, config: Config, last: Operation, deed: Deed, after: int
) -> None:
    operations = [Insert(A, state=config.mamba_states > 0), SETTLE, Lock("r1", A), last]
    assert signature_of(config, operations, deed, after) == f"PIN/{rule}"


@pytest.mark.parametrize(
    ("rule", "config", "last", "deed"),
    [
        ("full_host-evicted", PLAIN, EvictHost(1), during("evict_host", drop_host(FULL, 1), 0)),
        (
            "swa_host-evicted",
            WINDOWED,
            EvictHost(1, SWA),
            during("evict_host", drop_host(SWA, 1), 0),
        ),
        (
            "mamba_host-evicted",
            STATEFUL,
            EvictHost(1, MAMBA),
            during("evict_host", drop_host(MAMBA, 1), 0),
        ),
        ("full_host-replaced", PLAIN, EvictHost(1), during("evict_host", move_host(FULL, 1), 0)),
        ("swa_host-replaced", WINDOWED, EvictHost(1), during("evict_host", move_host(SWA, 1), 0)),
        (
            "mamba_host-replaced",
            STATEFUL,
            EvictHost(1),
            during("evict_host", move_host(MAMBA, 1), 0),
        ),
    ],
    ids=words,
)
def test_pin_of_what_is_locked_on_the_host(
    signature_of: SignatureOf, rule: str, config: Config, last: Operation, deed: Deed
) -> None:
    before = [Insert(A, state=config.mamba_states > 0), SETTLE, Evict(1), HostLock("h1", A)]
    assert signature_of(config, [*before, last], deed) == f"PIN/{rule}"


@pytest.mark.parametrize(
    ("rule", "operations", "deed"),
    [
        ("host-target-freed", [Insert(A), Insert(B)], move_host(FULL, 1)),
        ("host-target-freed", [Insert(A), EvictHost(1)], move_host(FULL, 1)),
        ("full-replaced", [Insert(A), Insert(B)], move_device(FULL, 1)),
    ],
    ids=words,
)
def test_pin_of_backups_in_flight(
    signature_of: SignatureOf, rule: str, operations: list[Operation], deed: Deed
) -> None:
    assert signature_of(PLAIN, operations, deed, after=2) == f"PIN/{rule}"


LOADING = [Insert(A, state=True), SETTLE, Evict(1), LoadBack(A)]


@pytest.mark.parametrize(
    ("rule", "deed"),
    [
        ("full-replaced", move_device(FULL, 1)),
        ("swa-replaced", move_device(SWA, 1)),
        ("mamba-replaced", move_device(MAMBA, 1)),
        ("full_host-replaced", move_host(FULL, 1)),
        ("swa_host-evicted", drop_host(SWA, 1)),
        ("mamba_host-evicted", drop_host(MAMBA, 1)),
    ],
    ids=words,
)
def test_pin_of_load_backs_in_flight(signature_of: SignatureOf, rule: str, deed: Deed) -> None:
    """A load-back locks what it writes, and on the host what it reads."""
    operations = [*LOADING, Insert(B)]
    assert signature_of(EVERYTHING, operations, deed, after=len(operations)) == f"PIN/{rule}"


# -- LOCK --


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed"),
    [
        ("full-too-many", PLAIN, [Lock("r1", AB)], change_lock(FULL, +1, 1, 2)),
        ("full-too-few", PLAIN, [Lock("r1", AB)], change_lock(FULL, -1, 1, 2)),
        ("full-too-many", PLAIN, [Lock("r1", AB), Unlock("r1")], change_lock(FULL, +1, 1, 2)),
        (
            "full-too-few",
            PLAIN,
            [Lock("r1", AB), Lock("r2", AB), Unlock("r1")],
            change_lock(FULL, -1, 1, 2),
        ),
        ("full-too-few", PLAIN, [Lock("r1", AB), Match(A)], change_lock(FULL, -1, 1)),
        ("full-too-many", PLAIN, [Match(A)], change_lock(FULL, +1, 1)),
        ("swa-too-many", WINDOWED, [Lock("r1", AB)], change_lock(SWA, +1, 1, 2)),
        ("swa-too-few", WINDOWED, [Lock("r1", AB)], change_lock(SWA, -1, 1, 2)),
        ("swa-too-many", WINDOWED, [Lock("r1", AB), Unlock("r1")], change_lock(SWA, +1, 1, 2)),
        (
            "swa-too-many",
            WINDOWED,
            [Lock("r1", AB), ReleaseWindow("r1")],
            change_lock(SWA, +1, 1, 2),
        ),
        ("mamba-too-many", STATEFUL, [Lock("r1", AB)], change_lock(MAMBA, +1, 1, 2)),
        ("mamba-too-few", STATEFUL, [Lock("r1", AB)], change_lock(MAMBA, -1, 1, 2)),
        (
            "mamba-too-many",
            STATEFUL,
            [Lock("r1", AB), ReleaseWindow("r1")],
            change_lock(MAMBA, +1, 1, 2),
        ),
        ("mamba-too-few", STATEFUL, [Lock("r1", AB), Match(A)], change_lock(MAMBA, -1, 2)),
        ("full_host-too-many", PLAIN, [HostLock("h1", AB)], change_host_lock(FULL, +1, 1, 2)),
        ("full_host-too-few", PLAIN, [HostLock("h1", AB)], change_host_lock(FULL, -1, 1, 2)),
        (
            "full_host-too-many",
            PLAIN,
            [HostLock("h1", AB), Unlock("h1")],
            change_host_lock(FULL, +1, 1, 2),
        ),
        ("full_host-too-few", PLAIN, [HostLock("h1", AB), Match(A)], change_host_lock(FULL, -1, 1)),
        ("swa_host-too-many", WINDOWED, [HostLock("h1", AB)], change_host_lock(SWA, +1, 1, 2)),
        ("swa_host-too-few", WINDOWED, [HostLock("h1", AB)], change_host_lock(SWA, -1, 1, 2)),
        ("mamba_host-too-many", STATEFUL, [HostLock("h1", AB)], change_host_lock(MAMBA, +1, 1, 2)),
        ("mamba_host-too-few", STATEFUL, [HostLock("h1", AB)], change_host_lock(MAMBA, -1, 1, 2)),
    ],
    ids=words,
)
def test_lock(
    signature_of: SignatureOf, rule: str, config: Config, operations: list[Operation], deed: Deed
) -> None:
    before: list[Operation] = [Insert(AB, state=config.mamba_states > 0), SETTLE]
    assert (
        signature_of(config, before + operations, deed, after=len(before) + len(operations))
        == f"LOCK/{rule}"
    )


def lock_the_whole_host_path(system: RadixSystem) -> None:
    """A host lock covers the whole path, as a device lock does; it should cover one node only."""
    lock_host, tree = system.lock_host, system.cache.tree

    def substitute(anchor: Any) -> Any:
        tree.hold_host(anchor.parent, COMPONENTS[FULL])
        return lock_host(anchor)

    system.lock_host = substitute  # type: ignore[method-assign]


def forget_window_of_host_lock(system: RadixSystem) -> None:
    """A host lock covers the SWA of its own node only, however short that is."""
    lock_host, tree = system.lock_host, system.cache.tree

    def substitute(anchor: Any) -> Any:
        receipt = lock_host(anchor)
        tree.release_host(anchor.parent, COMPONENTS[SWA])
        return receipt

    system.lock_host = substitute  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "deed"),
    [
        ("full_host-too-many", PLAIN, lock_the_whole_host_path),
        ("swa_host-too-few", WINDOWED, forget_window_of_host_lock),
    ],
    ids=words,
)
def test_lock_of_more_or_less_of_the_host_than_a_prefix_needs(
    signature_of: SignatureOf, rule: str, config: Config, deed: Deed
) -> None:
    assert (
        signature_of(config, [Insert(A), Insert(AB), SETTLE, HostLock("h1", AB)], deed)
        == f"LOCK/{rule}"
    )


def keep_locks(kind: str) -> Deed:
    """A load-back that is acknowledged keeps one of its locks."""
    return lambda system: setattr(system.cache.locks, kind, lambda receipt: None)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [("full-too-many", "unlock"), ("full_host-too-many", "unlock_host")],
    ids=words,
)
def test_lock_that_a_load_back_leaves(signature_of: SignatureOf, rule: str, kind: str) -> None:
    operations: list[Operation] = [Insert(A), SETTLE, Evict(1), LoadBack(A), LOADED]
    assert signature_of(PLAIN, operations, keep_locks(kind), after=4) == f"LOCK/{rule}"


def test_lock_that_a_refused_load_back_leaves(signature_of: SignatureOf) -> None:
    """Refused for want of room, after the locks were taken."""
    operations: list[Operation] = [
        Insert(A),
        SETTLE,
        Evict(1),
        Insert(B),
        SETTLE,
        Lock("r1", B),
        LoadBack(A),
    ]
    assert (
        signature_of(Config(device_pages=1), operations, keep_locks("unlock"), after=6)
        == "LOCK/full-too-many"
    )


def release_nothing(system: RadixSystem) -> None:
    system.release_window = lambda receipt: None  # type: ignore[method-assign]


def release_all(system: RadixSystem) -> None:
    """The early release of a window gives FULL back, too."""
    unlock = system.unlock
    system.release_window = unlock  # type: ignore[method-assign]
    system.unlock = lambda receipt: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "deed"),
    [
        ("swa-too-many", WINDOWED, release_nothing),
        ("mamba-too-many", STATEFUL, release_nothing),
        ("full-too-few", WINDOWED, release_all),
    ],
    ids=words,
)
def test_lock_whose_window_is_released_early(
    signature_of: SignatureOf, rule: str, config: Config, deed: Deed
) -> None:
    before = [Insert(A, state=config.mamba_states > 0), Insert(AB), SETTLE, Lock("r1", A)]
    assert signature_of(config, [*before, ReleaseWindow("r1")], deed) == f"LOCK/{rule}"


def leave_leaf_whole(system: RadixSystem) -> None:
    """A new leaf is not cut to one window, so that a lock on it will cover more."""
    system.cache.inserter._window = 99


def test_lock_of_more_than_a_window(signature_of: SignatureOf) -> None:
    assert signature_of(WINDOWED, [Insert(ABC)], leave_leaf_whole) == "MATCH/not-cut"


# -- SIZE --


def one_token_more(original: Callable[..., Any], *asked: int) -> tuple[int, int, int]:
    full, swa, mamba = original(*asked)
    return full + 1, swa, mamba


def no_states(original: Callable[..., Any], *asked: int) -> tuple[int, int, int]:
    """States that went with a leaf are not counted."""
    full, swa, _ = original(*asked)
    return full, swa, 0


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("full", PLAIN, [Insert(A)], lie(evictable=one_more(FULL)), 1),
        ("full", PLAIN, [Insert(A)], lie(protected=one_more(FULL, -1)), 1),
        ("swa", WINDOWED, [Insert(A)], lie(evictable=one_more(SWA)), 1),
        ("mamba", STATEFUL, [with_state(A)], lie(evictable=one_more(MAMBA)), 1),
        ("mamba", STATEFUL, [with_state(A)], lie(protected=one_more(MAMBA, -1)), 1),
        (
            "evict-outcome",
            PLAIN,
            [Insert(A), SETTLE, Evict(1)],
            instead("evict", one_token_more),
            0,
        ),
        (
            "evict-outcome",
            STATEFUL,
            [with_state(A), SETTLE, Evict(1)],
            instead("evict", no_states),
            0,
        ),
    ],
    ids=words,
)
def test_size(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    assert signature_of(config, operations, deed, after) == f"SIZE/{rule}"


# -- QUIESCE --


@pytest.mark.parametrize(
    ("config", "component"), [(PLAIN, FULL), (WINDOWED, SWA), (STATEFUL, MAMBA)], ids=words
)
def test_quiesce_is_said_besides_the_lock_that_is_left(
    tampered: Callable[[Deed, int], Target],
    breaches_of: BreachesOf,
    config: Config,
    component: Component,
) -> None:
    """What is still protected although nobody holds a lock shows as a wrong lock count first."""
    operations: list[Operation] = [
        Insert(A, state=config.mamba_states > 0),
        SETTLE,
        Lock("r1", A),
        Unlock("r1"),
    ]
    breaches = breaches_of(tampered(change_lock(component, +1, 1), 4), config, operations, DELTAS)
    name = component.name.lower()
    assert [breach.signature for breach in breaches] == [
        f"LOCK/{name}-too-many",
        "QUIESCE/protected",
    ]
