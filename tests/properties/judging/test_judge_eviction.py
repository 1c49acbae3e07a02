"""RECENCY and PROGRESS of evictions: what goes first, how much of it, and what must not be lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from radixproof.impl.observation import PerComponent
from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    Insert,
    LoadBack,
    LoadingCheck,
    Match,
    Operation,
    WritingCheck,
)
from radixproof.impl.radix.node import Node
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.properties.running.run import run_history

from ..deeds import (
    AB,
    FULL,
    HOSTLESS,
    MAMBA,
    PLAIN,
    SETTLE,
    STATEFUL,
    SWA,
    WINDOWED,
    WRITE_BACK,
    A,
    B,
    C,
    Deed,
    SignatureOf,
    drop_device,
    drop_host,
    during,
    in_vain,
    instead,
    node_of,
    off_by_one,
    renew,
    with_state,
    words,
)

# -- RECENCY --


def newest_first(system: RadixSystem) -> None:
    """Ages are compared the wrong way round."""
    for node in system.cache.tree.nodes():
        node.accessed = -node.accessed


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("access-time", PLAIN, [Insert(A), Insert(B), SETTLE, Evict(1)], newest_first, 3),
        ("access-time", PLAIN, [Insert(A), Insert(B), Match(A), SETTLE, Evict(1)], newest_first, 4),
        (
            "access-time",
            PLAIN,
            [Insert(A), Insert(B), SETTLE, Evict(2), EvictHost(1)],
            newest_first,
            4,
        ),
        ("access-time", WRITE_BACK, [Insert(A), Insert(B), Evict(1)], newest_first, 2),
        ("access-time", HOSTLESS, [Insert(A), Insert(B), Evict(1)], newest_first, 2),
        ("swa-list", WINDOWED, [Insert(A), Insert(B), SETTLE, Evict(swa=1)], renew(SWA, 1), 3),
        (
            "mamba-list",
            STATEFUL,
            [with_state(A), with_state(B), SETTLE, Evict(mamba=1)],
            renew(MAMBA, 1),
            3,
        ),
        (  # after the leaf below it, and so with its window
            "mamba-list",
            Config(window=1, swa_pages=8, mamba_states=4, host_pages=0),
            [with_state(A), with_state(AB), Evict(mamba=2)],
            renew(MAMBA, 1),
            2,
        ),
    ],
    ids=words,
)
def test_recency(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    assert signature_of(config, operations, deed, after) == f"RECENCY/{rule}"


def backwards(system: RadixSystem) -> None:
    """The order of eviction is turned round."""
    order = system.cache.eviction_order
    turn = order.turn
    order.turn = lambda node: tuple(-number for number in turn(node))


@pytest.mark.parametrize("order", EvictionPolicy)
@pytest.mark.parametrize("last", [Evict(1), EvictHost(1)], ids=words)
def test_recency_in_every_order(
    signature_of: SignatureOf, order: EvictionPolicy, last: Operation
) -> None:
    """Leaves that differ in all that a policy may go by: hits, last use, insertion, priority."""
    before = [Insert(A, priority=2), Insert(A, priority=2), Insert(B, priority=1), SETTLE]
    if isinstance(last, EvictHost):
        before.append(Evict(2))
    name = "access-time" if order in (EvictionPolicy.LRU, EvictionPolicy.MRU) else order.value
    assert (
        signature_of(Config(eviction_policy=order), [*before, last], backwards) == f"RECENCY/{name}"
    )


def test_recency_of_a_value_taken_out_of_a_path_before_the_leaf_below_it(
    signature_of: SignatureOf,
) -> None:
    """A leaf that should have gone whole loses its window, and stays."""
    operations = [Insert(A), SETTLE, Evict(swa=1)]

    def take_the_window(system: RadixSystem) -> None:
        def evict(*asked: int) -> tuple[int, int, int]:
            drop_device(SWA, 1)(system)
            return 0, 1, 0

        system.evict = evict  # type: ignore[method-assign, assignment]

    assert signature_of(WINDOWED, operations, take_the_window) == "RECENCY/swa-list"


def evict_more(by: int) -> Deed:
    return instead(
        "evict",
        lambda original, full, swa, mamba: original(
            full and full + by, swa and swa + by, mamba and mamba + by
        ),
    )


# -- PROGRESS: enough, and not too much --


def make_too_much_room(system: RadixSystem) -> None:
    """A backup has one page more evicted on the host than it needs."""
    evictor = system.cache.host_evictor
    evict = evictor.evict
    evictor.evict = lambda wanted, component: evict(wanted + 1, component)  # type: ignore[method-assign]


def keep_host_leaf(component: Component) -> Deed:
    """A host leaf loses a value and stays, although nothing of it can be served any more."""

    def deed(system: RadixSystem) -> None:
        def evict_host(tokens: int, of: Component) -> int:
            drop_host(component, 1)(system)
            return 1

        system.evict_host = evict_host  # type: ignore[method-assign, assignment]

    return deed


TWO = [Insert(A), Insert(B), SETTLE]
TWO_STATES = [with_state(A), with_state(B), SETTLE]
NOTHING = in_vain("evict", (0, 0, 0))


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed"),
    [
        ("stopped-early", PLAIN, [Insert(A), SETTLE, Evict(1)], NOTHING),
        ("stopped-early", PLAIN, [*TWO, Evict(2)], evict_more(-1)),
        ("stopped-early", WINDOWED, [*TWO, Evict(swa=1)], NOTHING),
        ("stopped-early", STATEFUL, [*TWO_STATES, Evict(mamba=1)], NOTHING),
        ("stopped-early", STATEFUL, [*TWO_STATES, Evict(mamba=2)], evict_more(-1)),
        ("stopped-early", WRITE_BACK, [Insert(A), Evict(1)], NOTHING),
        ("stopped-early", HOSTLESS, [Insert(A), Evict(1)], NOTHING),
        ("freed-too-much", PLAIN, [*TWO, Evict(1)], evict_more(+1)),
        ("freed-too-much", WINDOWED, [*TWO, Evict(swa=1)], evict_more(+1)),
        ("freed-too-much", STATEFUL, [*TWO_STATES, Evict(mamba=1)], evict_more(+1)),
        (
            "host-stopped-early",
            PLAIN,
            [Insert(A), SETTLE, Evict(1), EvictHost(1)],
            in_vain("evict_host", 0),
        ),
        (
            "host-stopped-early",
            STATEFUL,
            [*TWO_STATES, Evict(2), EvictHost(1, MAMBA)],
            in_vain("evict_host", 0),
        ),
        (
            "host-stopped-early",
            WRITE_BACK,
            [Insert(A), Evict(1), Insert(A), EvictHost(1)],
            in_vain("evict_host", 0),
        ),
        (
            "host-freed-too-much",
            PLAIN,
            [*TWO, Evict(2), EvictHost(1)],
            instead(
                "evict_host", lambda original, tokens, component: original(tokens + 1, component)
            ),
        ),
        (
            "host-freed-too-much",
            STATEFUL,
            [*TWO_STATES, Evict(2), EvictHost(1, MAMBA)],
            instead(
                "evict_host", lambda original, tokens, component: original(tokens + 1, component)
            ),
        ),
        (
            "host-freed-too-much",
            Config(host_pages=2),
            [*TWO, Evict(2), Insert(C)],
            make_too_much_room,
        ),
        (
            "host-leaf-kept",
            WINDOWED,
            [Insert(A), SETTLE, Evict(1), EvictHost(1, SWA)],
            keep_host_leaf(SWA),
        ),
        (
            "host-leaf-kept",
            STATEFUL,
            [with_state(A), SETTLE, Evict(1), EvictHost(1, MAMBA)],
            keep_host_leaf(MAMBA),
        ),
        (
            "evict_host-outcome",
            PLAIN,
            [Insert(A), SETTLE, Evict(1), EvictHost(1)],
            off_by_one("evict_host"),
        ),
    ],
    ids=words,
)
def test_progress(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
) -> None:
    assert signature_of(config, operations, deed) == f"PROGRESS/{rule}"


# -- PROGRESS: what must not be lost --


def never_back_up(system: RadixSystem) -> None:
    system.cache.backups.hit = lambda node: None  # type: ignore[method-assign]


def never_write_back(system: RadixSystem) -> None:
    system.cache.backups.back_up_now = lambda node: False  # type: ignore[method-assign]


def write_back_once(system: RadixSystem) -> None:
    """Nothing of a node whose FULL has a host copy."""
    backups = system.cache.backups
    back_up_now = backups.back_up_now
    backups.back_up_now = lambda node: node.backed or back_up_now(node)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("never-backed-up", PLAIN, [Insert(A)], never_back_up, 0),
        (
            "never-backed-up",
            Config(threshold=2),
            [Insert(A), Insert(A)],
            never_back_up,
            0,
        ),
        ("not-written-back", WRITE_BACK, [Insert(A), Evict(1)], never_write_back, 0),
        (
            "not-written-back",
            replace(WINDOWED, write_back=True),
            [Insert(A), Evict(swa=1)],
            never_write_back,
            0,
        ),
        (
            "swa-not-written-back",
            replace(WINDOWED, window=1, write_back=True),
            [Insert(A), Insert(AB), Evict(swa=1)],
            never_write_back,
            0,
        ),
        (
            "mamba-not-written-back",
            replace(STATEFUL, write_back=True),
            [with_state(A), with_state(AB), Evict(mamba=1)],
            never_write_back,
            0,
        ),
        (
            "late-swa-not-written-back",
            replace(WINDOWED, window=1, write_back=True),
            [Insert(A, evicted=1), Evict(1), Insert(A), Evict(1)],
            write_back_once,
            0,
        ),
        (
            "late-mamba-not-written-back",
            replace(STATEFUL, write_back=True),
            [with_state(AB), Evict(mamba=1), with_state(A), Evict(mamba=1)],
            write_back_once,
            0,
        ),
        ("full_host-lost", PLAIN, [Insert(A), SETTLE, Evict(1)], drop_host(FULL, 1), 3),
        ("full-lost", PLAIN, [Insert(A), SETTLE, EvictHost(1)], drop_device(FULL, 1), 3),
        ("swa-lost", WINDOWED, [Insert(A), SETTLE, EvictHost(1)], drop_device(SWA, 1), 3),
        ("swa_host-lost", WINDOWED, [Insert(A), SETTLE, Evict()], drop_host(SWA, 1), 3),
        ("mamba-lost", STATEFUL, [with_state(A), SETTLE, EvictHost(1)], drop_device(MAMBA, 1), 3),
        ("mamba_host-lost", STATEFUL, [with_state(A), SETTLE, Evict()], drop_host(MAMBA, 1), 3),
    ],
    ids=words,
)
def test_progress_of_what_must_not_be_lost(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    assert signature_of(config, operations, deed, after) == f"PROGRESS/{rule}"


def one_node_less(system: RadixSystem) -> None:
    """The node is deleted with all that is on it."""
    system.cache.device_evictor._delete(node_of(system, 1), [0, 0, 0])


@pytest.mark.parametrize(
    ("config", "component"), [(PLAIN, FULL), (WINDOWED, SWA), (STATEFUL, MAMBA)], ids=words
)
def test_progress_of_host_copies_of_what_is_on_the_device(
    signature_of: SignatureOf, config: Config, component: Component
) -> None:
    """Under write-through host eviction may not take them.

    The node would be lost when its turn comes on the device.
    """
    operations = [Insert(A, state=config.mamba_states > 0), SETTLE, EvictHost(1, component)]
    signature = signature_of(config, operations, during("evict_host", drop_host(component, 1), 1))
    assert signature is not None
    assert signature.startswith("PROGRESS/")


def test_progress_of_what_write_back_has_put_on_the_host(signature_of: SignatureOf) -> None:
    """A leaf with a host copy is demoted, not deleted; and nothing on the host had to make room."""
    operations = [Insert(A), Evict(1), Insert(A), Evict(1)]
    signature = signature_of(
        WRITE_BACK, operations, during("evict", one_node_less, (1, 0, 0)), after=3
    )
    assert signature is not None
    assert signature.startswith("PROGRESS/")


def never_supplement(system: RadixSystem) -> None:
    """State attached after a node's first backup is never copied."""
    backups = system.cache.backups
    hit = backups.hit
    backups.hit = lambda node: None if node.backed else hit(node)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("config", "first", "second"),
    [(WINDOWED, Insert(A, evicted=1), Insert(A)), (STATEFUL, Insert(A), with_state(A))],
    ids=words,
)
def test_progress_of_what_came_late_to_a_node_that_is_backed_up(
    signature_of: SignatureOf, config: Config, first: Operation, second: Operation
) -> None:
    """Its next hit backs it up once more.

    Without its window, or its state, what is on the host cannot be used.
    """
    signature = signature_of(config, [first, SETTLE, second, SETTLE, Evict(1)], never_supplement)
    assert signature is not None
    assert signature.startswith("PROGRESS/")


class Supplementing(RadixSystem):
    """It backs up under write_back what an insert brings to a node with a host copy (4.4), and
    evictions wait for that (7.8), if it ``waits``.
    """

    waits = True

    def __init__(self, config: Config) -> None:
        super().__init__(config, "cpu")
        backups = self.cache.backups

        def hit(node: Node) -> None:
            if node.backed and backups._missing(node):
                backups._start(node, lock=True)

        backups.hit = hit  # type: ignore[method-assign]

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        freed = super().evict(full, swa, mamba)
        if self.waits:
            self.cache.backups.acknowledge(blocking=True)
        return freed


class InAHurry(Supplementing):
    waits = False


ALONE = Config(
    device_pages=4, host_pages=4, window=1, swa_pages=4, swa_host_pages=4, write_back=True
)
TOMBSTONE: tuple[Operation, ...] = (Insert(B), Evict(1), Insert(A, evicted=1), Evict(1))


def supplementing(kind: type[Supplementing]) -> Target:
    radix = find("radix")
    dialect = replace(radix.dialect, windows_under_write_back=True, supplements=False)
    return replace(radix, build=kind, dialect=dialect)


@pytest.mark.parametrize("every", [1, None])
@pytest.mark.parametrize(
    ("kind", "operations", "rule"),
    [
        (Supplementing, (Insert(B), Insert(A), Evict(1), WritingCheck()), None),
        (InAHurry, (Insert(B), Insert(A), Evict(1)), "write-back-not-awaited"),
        # A load-back that evicts nothing waits for nothing.
        (InAHurry, (Insert(A), LoadBack(B), LoadingCheck(blocking=True), WritingCheck()), None),
    ],
)
def test_an_eviction_waits_for_the_backups_of_inserts(
    kind: type[Supplementing],
    operations: tuple[Operation, ...],
    rule: str | None,
    every: int | None,
) -> None:
    history = History(ALONE, TOMBSTONE + operations)
    verdict = run_history(supplementing(kind), history, every=every)
    assert (verdict and verdict.breach.rule) == rule
