"""What only a look at the whole state shows: each case is clean as long as deltas alone are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.radix.backup import Backup
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.recency import RecencyList
from radixproof.impl.radix.system import RadixSystem
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.history import History
from radixproof.model.observation import Observation
from radixproof.model.operations import Evict, EvictHost, Insert, Key, Lock, Match, Operation, RunCopies, WritingCheck
from radixproof.model.verdict import Breach
from radixproof.properties.interpreter import MOST_UNSEEN, Run, run_history

FULL, SWA = Component
DELTAS, WHOLE = 10**9, 1
PLAIN = Config()
WINDOWED = Config(window=2, swa_pages=8, swa_host_pages=16)

A, B, AB = Key((1,)), Key((5,)), Key((1, 2))
SETTLE = WritingCheck(blocking=True)

Deed = Callable[[RadixSystem], Callable[[Observation], Observation] | None]
FirstBreach = Callable[[Config, Sequence[Operation], Deed, int, int], str | None]


@pytest.fixture
def signature_of(first_breach: FirstBreach) -> Callable[..., str | None]:
    """The breach that a whole look after every step shows when ``deed`` is done after the last one; deltas must not show it."""

    def look(config: Config, operations: Sequence[Operation], deed: Deed) -> str | None:
        assert first_breach(config, operations, deed, len(operations), DELTAS) is None
        return first_breach(config, operations, deed, len(operations), WHOLE)

    return look


def node_of(system: RadixSystem, *segment: int) -> Node:
    """The node with that segment."""
    return next(node for node in system.cache.tree.nodes() if node.segment == segment)


def lie(**changes: Callable[[Any], Any]) -> Deed:
    """Fields of the whole part of every observation are told otherwise from now on."""

    def told(seen: Observation) -> Observation:
        if seen.whole is None:
            return seen
        return replace(
            seen, whole=replace(seen.whole, **{name: change(getattr(seen.whole, name)) for name, change in changes.items()})
        )

    return lambda _: told


def lie_about_free(pool: Pool, change: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Deed:
    return lie(free=lambda lists: tuple(change(free) if at is pool else free for at, free in zip(Pool, lists, strict=True)))


def twice(free: tuple[int, ...]) -> tuple[int, ...]:
    """One slot takes the place of another: the count is right."""
    return (*free[:-1], free[0])


def with_slot_1(free: tuple[int, ...]) -> tuple[int, ...]:
    """Slot 1, which the first node owns, takes the place of another."""
    return (*free[:-1], 1)


@pytest.mark.parametrize(
    ("rule", "pool", "change"),
    [
        ("OWN/full-free-twice", Pool.FULL, twice),
        ("OWN/swa-free-twice", Pool.SWA, twice),
        ("OWN-H/full_host-free-twice", Pool.FULL_HOST, twice),
        ("OWN-H/swa_host-free-twice", Pool.SWA_HOST, twice),
        ("OWN/full-free-and-owned", Pool.FULL, with_slot_1),
        ("OWN/swa-free-and-owned", Pool.SWA, with_slot_1),
        ("OWN-H/full_host-free-and-owned", Pool.FULL_HOST, with_slot_1),
        ("OWN-H/swa_host-free-and-owned", Pool.SWA_HOST, with_slot_1),
    ],
)
def test_free_lists(
    signature_of: Callable[..., str | None], rule: str, pool: Pool, change: Callable[[tuple[int, ...]], tuple[int, ...]]
) -> None:
    assert signature_of(WINDOWED, [Insert(A), SETTLE], lie_about_free(pool, change)) == rule


LEAVES = [Insert(A), Insert(AB), Insert(B), SETTLE]
"""On device: a node with a leaf below it, and another leaf."""
DEMOTED = [*LEAVES, Evict(4)]
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


def swa_list(name: str, leave: int | None = None, join: int | None = None) -> Deed:
    """A node leaves or joins a SWA LRU list."""

    def deed(system: RadixSystem) -> None:
        order: RecencyList[Node] = getattr(system.cache.tree, name)
        if leave is not None:
            order.discard(node_of(system, leave))
        if join is not None:
            order.renew(node_of(system, join))

    return deed


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
        ("swa-device-list", LEAVES, swa_list("swa_order", leave=1)),
        ("swa-device-list", DEMOTED, swa_list("swa_order", join=1)),
        ("swa-device-list", LEAVES, lie(swa_order=lambda order: (*order, order[0]))),
        ("swa-host-list", DEMOTED, swa_list("swa_host_order", leave=1)),
        ("swa-host-list", LEAVES, swa_list("swa_host_order", join=1)),
    ],
)
def test_leaf(signature_of: Callable[..., str | None], rule: str, operations: list[Operation], deed: Deed) -> None:
    assert signature_of(WINDOWED, operations, deed) == f"LEAF/{rule}"


def test_what_a_system_cannot_show_is_not_held_against_it(first_breach: FirstBreach) -> None:
    hidden = lie(**dict.fromkeys(("device_leaves", "host_leaves", "swa_order", "swa_host_order"), lambda _: None))
    assert first_breach(WINDOWED, [*DEMOTED, EvictHost(1)], hidden, 1, WHOLE) is None


def map_a_free_slot(system: RadixSystem) -> None:
    system.cache.memory.device.swa_of[8] = 1


def forget_map_entry(system: RadixSystem) -> None:
    system.cache.memory.device.swa_of[1] = 0


@pytest.mark.parametrize(("rule", "deed"), [("stale", map_a_free_slot), ("entry", forget_map_entry)])
def test_map(signature_of: Callable[..., str | None], rule: str, deed: Deed) -> None:
    """A free FULL slot leads to a SWA slot, so that whoever gets it inherits a stranger's window; or a node's leads nowhere."""
    assert signature_of(WINDOWED, [Insert(A), SETTLE], deed) == f"MAP/{rule}"


def grow_old(system: RadixSystem) -> None:
    """What was used last counts as the oldest."""
    node_of(system, 5).accessed = 0


@pytest.mark.parametrize(("rule", "deed"), [("access-time", grow_old), ("swa-list", swa_list("swa_order", join=1))])
def test_recency(signature_of: Callable[..., str | None], rule: str, deed: Deed) -> None:
    """The wrong order is seen before an eviction goes by it."""
    assert signature_of(WINDOWED, LEAVES, deed) == f"RECENCY/{rule}"


def test_the_order_of_use_is_not_inspected_where_ages_are_not_shown(first_breach: FirstBreach) -> None:
    """There it is judged when something goes by it."""
    assert first_breach(WINDOWED, LEAVES, both(grow_old, lie(ages=lambda _: None)), len(LEAVES), WHOLE) is None


def both(first: Deed, second: Deed) -> Deed:
    return lambda system: (first(system), second(system))[1]


def leave_mark(system: RadixSystem) -> None:
    node = node_of(system, 1)
    node.pending = Backup(system.cache.locks.lock(system.cache.tree.root), [node])


def test_quiesce(signature_of: Callable[..., str | None]) -> None:
    assert signature_of(PLAIN, [Insert(A), SETTLE], leave_mark) == "QUIESCE/mark"


def scribble(pool: Pool) -> Deed:
    def deed(system: RadixSystem) -> None:
        state = node_of(system, 1).states[pool.component]
        slots = state.host if pool.on_host else state.device
        assert slots is not None
        system.cache.memory.pools[pool].kv[1, 1, int(slots[0])] += 1

    return deed


@pytest.mark.parametrize("pool", Pool)
def test_content(signature_of: Callable[..., str | None], pool: Pool) -> None:
    """Bytes that nothing had a reason to touch have changed."""
    assert signature_of(WINDOWED, [Insert(A), SETTLE, Match(B)], scribble(pool)) == f"CONTENT/{pool.name.lower()}"


def test_bytes_on_the_host_count_from_when_they_have_moved(first_breach: FirstBreach) -> None:
    assert first_breach(WINDOWED, [Insert(A), Match(A)], scribble(Pool.FULL_HOST), 2, WHOLE) is None
    assert first_breach(WINDOWED, [Insert(A), RunCopies(), Match(A)], scribble(Pool.FULL_HOST), 3, WHOLE) == "CONTENT/full_host"


def move_silently(system: RadixSystem) -> None:
    """A node changes its slots, and the system tells nobody."""
    tree, device = system.cache.tree, system.cache.memory.device
    tree.on_change = None
    new = device.allocate(1)
    assert new is not None
    device.free(tree.swap_device(node_of(system, 1), FULL, new))


def test_a_change_that_deltas_hide_is_seen_by_the_next_whole_look(first_breach: FirstBreach) -> None:
    operations = [Insert(A), SETTLE, Match(B), Match(B)]
    assert first_breach(PLAIN, operations, move_silently, 3, DELTAS) is None
    assert first_breach(PLAIN, operations, move_silently, 3, 4) == "STUTTER/match"


def test_a_run_ends_with_a_whole_look(tampered: Callable[[Deed, int], Target]) -> None:
    """However rare whole looks are, `run_history` does not end without one."""
    history = History(PLAIN, (Insert(A), SETTLE, Match(B)))
    verdict = run_history(tampered(scribble(Pool.FULL), 3), history, every=DELTAS)
    assert verdict is not None
    assert verdict.breach.signature == "CONTENT/full"
    assert verdict.step == 2


def test_finish_looks_only_at_what_has_not_been_looked_at(tampered: Callable[[Deed, int], Target]) -> None:
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
    """Where an operation leaves no choice, the nodes are looked at with the next one that does, and at the end at the latest."""
    for rest in ([Insert(B)], []):
        run = Run(tampered(lock_twice, 0), PLAIN)
        assert [run.step(operation) for operation in (Insert(A), SETTLE, Lock("r1", A), Match(A))] == [[]] * 4
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
