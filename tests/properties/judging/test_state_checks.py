"""What only a look at the whole state shows: by deltas alone, each case is clean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.obscured import obscured
from radixproof.impl.observation import Observation
from radixproof.impl.operations import (
    Arrive,
    Evict,
    EvictHost,
    History,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    RunCopies,
)
from radixproof.impl.radix.backup import Backup
from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix.engine import Copy
from radixproof.impl.radix.loading import Load
from radixproof.impl.radix.node import Node
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.sight import Sight
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach
from radixproof.properties.judging.state_checks import inspect
from radixproof.properties.running.run import MOST_UNSEEN, Run, run_history

from ..deeds import (
    AB,
    DELTAS,
    FULL,
    LOADED,
    MAMBA,
    PLAIN,
    SETTLE,
    SWA,
    WHOLE,
    WINDOWED,
    A,
    Deed,
    SignatureOf,
    move_device,
    node_of,
    renew,
)

EVERYTHING = Config(window=2, swa_pages=8, swa_host_pages=16, mamba_states=6, mamba_host_states=6)
B = Key((5,))

FirstBreach = Callable[[Config, Sequence[Operation], Deed, int, int], str | None]


@pytest.fixture
def signature_of(first_breach: FirstBreach) -> SignatureOf:
    """The breach that a look at the whole state shows once ``deed`` is done after the last step.

    Deltas must not show it.
    """

    def look(config: Config, operations: Sequence[Operation], deed: Deed) -> str | None:
        assert first_breach(config, operations, deed, len(operations), DELTAS) is None
        return first_breach(config, operations, deed, len(operations), WHOLE)

    return look


def lie(**changes: Callable[[Any], Any]) -> Deed:
    """Fields of the whole part of every observation are told otherwise from now on."""

    def told(seen: Observation) -> Observation:
        if seen.whole is None:
            return seen
        return replace(
            seen,
            whole=replace(
                seen.whole,
                **{name: change(getattr(seen.whole, name)) for name, change in changes.items()},
            ),
        )

    return lambda _: told


def lie_about_free(pool: Pool, change: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Deed:
    return lie(
        free=lambda lists: tuple(
            change(free) if at is pool else free for at, free in zip(Pool, lists, strict=True)
        )
    )


def twice(free: tuple[int, ...]) -> tuple[int, ...]:
    """One slot takes the place of another: the count is right."""
    return (*free[:-1], free[0])


def with_slot_1(free: tuple[int, ...]) -> tuple[int, ...]:
    """Slot 1, which the first node owns, takes the place of another."""
    return (*free[:-1], 1)


def without_one(free: tuple[int, ...]) -> tuple[int, ...]:
    """A slot is missing in the list that is counted as free."""
    return free[:-1]


@pytest.mark.parametrize(
    ("rule", "change"),
    [("free-twice", twice), ("free-and-owned", with_slot_1), ("free-miscounted", without_one)],
)
@pytest.mark.parametrize("pool", Pool)
def test_own_and_own_h_of_free_lists(
    signature_of: SignatureOf,
    rule: str,
    pool: Pool,
    change: Callable[[tuple[int, ...]], tuple[int, ...]],
) -> None:
    label = "OWN-H" if pool.on_host else "OWN"
    operations = [Insert(A, state=True), SETTLE]
    assert (
        signature_of(EVERYTHING, operations, lie_about_free(pool, change))
        == f"{label}/{pool.name.lower()}-{rule}"
    )


LEAVES: list[Operation] = [
    Insert(A, state=True),
    Insert(AB, state=True),
    Insert(B, state=True),
    SETTLE,
]
"""On device: a node with a leaf below it, and another leaf."""
DEMOTED: list[Operation] = [*LEAVES, Evict(4)]
"""The same, on the host."""


def leaf_set(name: str, leave: int | None = None, join: int | None = None) -> Deed:
    """A node leaves or joins a leaf set."""

    def deed(system: RadixSystem) -> None:
        leaves: dict[Node, None] = getattr(system.cache.tree, name)
        if leave is not None:
            del leaves[node_of(system, leave)]
        if join is not None:
            leaves[node_of(system, join)] = None

    return deed


def order_of(
    tier: str, component: Component, leave: int | None = None, join: int | None = None
) -> Deed:
    """A node leaves or joins an order of use."""

    def deed(system: RadixSystem) -> None:
        order = getattr(system.cache.tree, f"{tier}_order")[component]
        if leave is not None:
            order.discard(node_of(system, leave))
        if join is not None:
            order.renew(node_of(system, join))

    return deed


def lie_about_order(at: int, change: Callable[[tuple[int, ...]], tuple[int, ...] | None]) -> Deed:
    return lie(
        lru_lists=lambda orders: tuple(
            change(order) if place == at else order for place, order in enumerate(orders)
        )
    )


@pytest.mark.parametrize(
    ("rule", "operations", "deed"),
    [
        ("device-leaves", LEAVES, leaf_set("device_leaves", leave=2)),
        ("device-leaves", LEAVES, leaf_set("device_leaves", join=1)),
        ("device-leaves", [*LEAVES, Lock("r", B)], leaf_set("device_leaves", join=5)),
        ("device-leaves", DEMOTED, leaf_set("device_leaves", join=2)),
        ("device-leaves", LEAVES, lie(device_leaves=lambda _: frozenset())),
        ("host-leaves", DEMOTED, leaf_set("host_leaves", leave=2)),
        ("host-leaves", DEMOTED, leaf_set("host_leaves", join=1)),
        ("host-leaves", LEAVES, leaf_set("host_leaves", join=2)),
        ("host-leaves", [*DEMOTED, HostLock("h", B)], leaf_set("host_leaves", join=5)),
        ("swa-device-list", LEAVES, order_of("device", SWA, leave=1)),
        ("swa-device-list", DEMOTED, order_of("device", SWA, join=1)),
        ("swa-device-list", LEAVES, lie_about_order(0, lambda order: (*order, order[0]))),
        ("swa-host-list", DEMOTED, order_of("host", SWA, leave=1)),
        ("swa-host-list", LEAVES, order_of("host", SWA, join=1)),
        ("mamba-device-list", LEAVES, order_of("device", MAMBA, leave=1)),
        ("mamba-device-list", DEMOTED, order_of("device", MAMBA, join=1)),
        ("mamba-device-list", LEAVES, lie_about_order(1, lambda order: (*order, order[0]))),
        ("mamba-host-list", DEMOTED, order_of("host", MAMBA, leave=1)),
        ("mamba-host-list", LEAVES, order_of("host", MAMBA, join=1)),
        ("mamba-host-list", DEMOTED, lie_about_order(3, lambda order: order[1:])),
    ],
)
def test_leaf(
    signature_of: SignatureOf, rule: str, operations: list[Operation], deed: Deed
) -> None:
    assert signature_of(EVERYTHING, operations, deed) == f"LEAF/{rule}"


@pytest.mark.parametrize(
    ("locked", "rules"),
    [(B, set()), (A, {"LEAF/swa-host-list"})],
    ids=["the node that is missing", "another node"],
)
def test_where_locks_on_the_host_are_not_shown_what_is_locked_need_not_be_listed_there(
    tampered: Callable[..., Target],
    breaches_of: Callable[..., list[Breach]],
    locked: Key,
    rules: set[str],
) -> None:
    out = tampered(order_of("host", SWA, leave=5), len(DEMOTED) + 1)
    unshown = replace(out, sight=replace(out.sight, host_locks=()))
    history = [*DEMOTED, HostLock("h", locked), Match(B)]
    seen = {breach.signature for breach in breaches_of(unshown, EVERYTHING, history, WHOLE)}
    assert seen == rules


def test_what_a_system_cannot_show_is_not_held_against_it(radix: Target) -> None:
    hidden = obscured(radix, Sight(leaf_sets=False, lru_lists=False))
    assert run_history(hidden, History(EVERYTHING, (*DEMOTED, EvictHost(1)))) is None


@pytest.mark.parametrize(
    ("sight", "held", "signatures"),
    [
        (Sight(), True, {"LEAF/swa-host-list"}),
        (Sight(host_locks=()), True, set()),
        (Sight(host_locks=()), False, {"LEAF/swa-host-list"}),
    ],
)
def test_who_shows_no_host_locks_need_not_list_what_they_hold(
    radix: Target, sight: Sight, held: bool, signatures: set[str]
) -> None:
    """Nobody looks there for what is locked (semantics 1.6)."""
    run = Run(replace(radix, sight=sight), EVERYTHING, every=1)
    for operation in (*DEMOTED, *([HostLock("h", A)] if held else [])):
        assert run.step(operation) == []
    system = run.system
    assert isinstance(system, RadixSystem)
    order_of("host", SWA, leave=1)(system)
    found = run.step(Match(Key((9,))), whole=True)
    assert {breach.signature for breach in found} == signatures


def map_a_free_slot(system: RadixSystem) -> None:
    system.cache.memory.device.swa_of[8] = 1


def forget_map_entry(system: RadixSystem) -> None:
    system.cache.memory.device.swa_of[1] = 0


@pytest.mark.parametrize(
    ("rule", "deed"), [("stale", map_a_free_slot), ("entry", forget_map_entry)]
)
def test_map(signature_of: SignatureOf, rule: str, deed: Deed) -> None:
    """A free FULL slot leads to a SWA slot, or a node's FULL slot leads nowhere.

    Whoever gets the former inherits a stranger's window.
    """
    assert signature_of(WINDOWED, [Insert(A), SETTLE], deed) == f"MAP/{rule}"


def grow_old(system: RadixSystem) -> None:
    """What was used last counts as the oldest."""
    node_of(system, 5).accessed = 0


@pytest.mark.parametrize(
    ("rule", "deed"),
    [("access-time", grow_old), ("swa-list", renew(SWA, 1)), ("mamba-list", renew(MAMBA, 1))],
)
def test_recency(signature_of: SignatureOf, rule: str, deed: Deed) -> None:
    """The wrong order is seen before an eviction goes by it."""
    assert signature_of(EVERYTHING, LEAVES, deed) == f"RECENCY/{rule}"


def test_the_order_of_use_is_not_inspected_where_it_is_not_shown(
    tampered: Callable[..., Target],
    breaches_of: Callable[[Target, Config, Sequence[Operation], int], list[Breach]],
) -> None:
    """There it is judged when something goes by it."""
    old = tampered(grow_old, len(LEAVES))
    assert breaches_of(old, EVERYTHING, LEAVES, WHOLE)
    assert not breaches_of(obscured(old, Sight(recency=False)), EVERYTHING, LEAVES, WHOLE)


def leave_backup_mark(system: RadixSystem) -> None:
    node = node_of(system, 1)
    node.backups.append(Backup(Copy((), done=True), [node], True, None))


def leave_load_mark(system: RadixSystem) -> None:
    node, locks = node_of(system, 1), system.cache.locks
    root = system.cache.tree.root
    node.loads.append(Load(Copy((), done=True), [node], locks.lock(root), locks.lock_host(root)))


@pytest.mark.parametrize("deed", [leave_backup_mark, leave_load_mark])
@pytest.mark.parametrize(
    "operations", [[Insert(A), SETTLE], [Insert(A), SETTLE, Evict(1), LoadBack(A), LOADED]]
)
@pytest.mark.parametrize("look", [DELTAS, WHOLE])
def test_quiesce(
    first_breach: FirstBreach, operations: list[Operation], deed: Deed, look: int
) -> None:
    """A node is marked as if a copy of it were in flight: nothing of it may go, for ever."""
    assert first_breach(PLAIN, operations, deed, len(operations), look) == "QUIESCE/mark"


@pytest.mark.parametrize("look", [DELTAS, WHOLE])
def test_progress_of_a_write_back_that_is_not_awaited(first_breach: FirstBreach, look: int) -> None:
    """What has left the device is still marked as being backed up (semantics 7.8)."""
    written_back = Config(write_back=True)
    found = first_breach(written_back, [Insert(A), Evict(1)], leave_backup_mark, 2, look)
    assert found == "PROGRESS/write-back-not-awaited"


def test_quiesce_of_both_halves_of_a_node_in_flight(first_breach: FirstBreach) -> None:
    """A mark that one half is not free of is left as well."""

    def mark_again(system: RadixSystem) -> None:
        node = node_of(system, 1)
        node.backups.append(node.backups[0])

    operations: list[Operation] = [Insert(AB), Match(A), SETTLE]
    assert first_breach(PLAIN, operations, mark_again, 2, WHOLE) == "QUIESCE/mark"


def test_pin_of_a_node_in_flight_without_a_mark(first_breach: FirstBreach) -> None:
    """Nothing tells the cache that its slots are in use."""

    def forget(system: RadixSystem) -> None:
        node_of(system, 1).backups.clear()

    for look in (DELTAS, WHOLE):
        assert first_breach(PLAIN, [Insert(A), Match(A)], forget, 1, look) == "PIN/unmarked"


def test_pin_of_the_rows_of_requests(tampered: Callable[[Deed, int], Target]) -> None:
    """What a request was given is its row, by number: the model must know all, locked or not."""
    run = Run(tampered(move_device(FULL, 1), 8), PLAIN, every=WHOLE)
    for operation in (Insert(A), SETTLE, Arrive("q", AB), Match(B)):
        assert run.step(operation) == []
    found = next(filter(None, (signatures(run.step(Match(B))) for _ in range(8))))
    assert found == ["PIN/full-replaced", "STUTTER/match", "PIN/row-replaced"]
    run.close()


def scribble(pool: Pool) -> Deed:
    def deed(system: RadixSystem) -> None:
        state = node_of(system, 1).states[pool.component]
        slots = state.host if pool.on_host else state.device
        assert slots is not None
        system.pools[pool].kv[1, 1, int(slots[0])] += 1

    return deed


@pytest.mark.parametrize("pool", Pool)
def test_content(signature_of: SignatureOf, pool: Pool) -> None:
    """Bytes that nothing had a reason to touch have changed."""
    assert (
        signature_of(EVERYTHING, [Insert(A, state=True), SETTLE, Match(B)], scribble(pool))
        == f"CONTENT/{pool.name.lower()}"
    )


def test_bytes_on_the_host_count_from_when_they_have_moved(first_breach: FirstBreach) -> None:
    assert first_breach(WINDOWED, [Insert(A), Match(A)], scribble(Pool.FULL_HOST), 2, WHOLE) is None
    assert (
        first_breach(
            WINDOWED, [Insert(A), RunCopies(), Match(A)], scribble(Pool.FULL_HOST), 3, WHOLE
        )
        == "CONTENT/full_host"
    )


def test_stutter_of_a_change_that_no_step_showed(radix: Target) -> None:
    """A last line of defence: model and last sight of the system are compared page by page."""
    run = Run(radix, PLAIN, every=WHOLE)
    assert run.step(Insert(A)) == []
    trie = run.judge.model.trie
    trie.drop(trie.walk(A)[0], Pool.FULL_HOST)
    trie.changed.clear()
    assert run.seen is not None
    assert signatures(inspect(run.judge, run.seen, run.system))[:1] == ["STUTTER/unseen-change"]
    run.close()


def move_silently(system: RadixSystem) -> None:
    """A node changes its slots, and the system tells nobody."""
    tree, device = system.cache.tree, system.cache.memory.device
    tree.listener = None
    new = device.allocate(1)
    assert new is not None
    device.free(tree.swap_device(node_of(system, 1), COMPONENTS[FULL], new))


def test_a_change_that_deltas_hide_is_seen_by_the_next_whole_look(
    first_breach: FirstBreach,
) -> None:
    operations: list[Operation] = [Insert(A), SETTLE, Match(B), Match(B)]
    assert first_breach(PLAIN, operations, move_silently, 3, DELTAS) is None
    assert first_breach(PLAIN, operations, move_silently, 3, 4) == "STUTTER/match"


def test_a_run_ends_with_a_whole_look(tampered: Callable[[Deed, int], Target]) -> None:
    """However rare whole looks are, `run_history` does not end without one."""
    history = History(PLAIN, (Insert(A), SETTLE, Match(B)))
    verdict = run_history(tampered(scribble(Pool.FULL), 3), history, every=DELTAS)
    assert verdict is not None
    assert verdict.breach.signature == "CONTENT/full"
    assert verdict.step == 2


def test_finish_looks_only_at_what_has_not_been_looked_at(
    tampered: Callable[[Deed, int], Target],
) -> None:
    run = Run(tampered(scribble(Pool.FULL), 2), PLAIN, every=DELTAS)
    assert run.step(Insert(A)) == []
    assert run.step(SETTLE) == []
    assert signatures(run.finish()) == ["CONTENT/full"]
    assert run.finish() == []
    run.close()


def signatures(breaches: list[Breach]) -> list[str]:
    return [breach.signature for breach in breaches]


def lock_twice(system: RadixSystem) -> None:
    lock = system.lock
    system.lock = lambda anchor: (lock(anchor), lock(anchor))[0]  # type: ignore[method-assign]


def test_a_fast_run_looks_later_and_sees_the_same(tampered: Callable[[Deed, int], Target]) -> None:
    """After operations that leave no choice, nodes are looked at with the next one that does.

    At the end at the latest.
    """
    for rest in ([Insert(B)], []):
        run = Run(tampered(lock_twice, 0), PLAIN)
        assert [
            run.step(operation) for operation in (Insert(A), SETTLE, Lock("r1", A), Match(A))
        ] == [[]] * 4
        later = [breach for operation in rest for breach in run.step(operation)] or run.finish()
        assert signatures(later)[0] == "LOCK/full-too-many"
        run.close()


def test_a_fast_run_does_not_go_on_unseen_for_ever(tampered: Callable[[Deed, int], Target]) -> None:
    run = Run(tampered(lock_twice, 0), PLAIN)
    for operation in (Insert(A), SETTLE, Lock("r1", A)):
        assert run.step(operation) == []
    seen = next(filter(None, (run.step(Match(A)) for _ in range(2 * MOST_UNSEEN))))
    assert signatures(seen)[0] == "LOCK/full-too-many"
    run.close()
