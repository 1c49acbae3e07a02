"""Replicas: one cache to whoever uses them, as long as they give the same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from radixproof.impl.observation import Event
from radixproof.impl.operations import (
    EndPrefetch,
    Evict,
    Insert,
    LoadBack,
    LoadingCheck,
    Operation,
    Prefetch,
    WritingCheck,
)
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.radix_adapter.target import target
from radixproof.impl.replicas import Diverged, Replicas
from radixproof.impl.system import Fetched, Insertion, Lookup
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.accepting.methods import complete
from radixproof.properties.running.run import Run

SHAPE = Config(window=2, swa_pages=8, swa_host_pages=16, mamba_states=4, mamba_host_states=4)
AB = Key((1, 2))


@pytest.fixture
def pair() -> Replicas:
    radix = target()
    return Replicas([complete(radix.build(SHAPE), radix.scope) for _ in range(2)])


def insert(system: Replicas) -> Lookup:
    slots, state = system.allocate(2), system.allocate_state()
    assert slots is not None
    system.write(slots, [1, 2])
    inserted = system.insert(AB, slots, 0, 0, state)
    assert isinstance(inserted, Insertion)
    assert system.path_slots(inserted.anchor) == slots
    return system.match(AB)


def test_replicas_are_one_cache_to_the_scheduler(pair: Replicas) -> None:
    found = insert(pair)
    assert (found.device, found.best) == (2, 2)
    assert len(found.anchor) == len(found.best_anchor) == 2
    receipt = pair.lock(found.anchor)
    assert pair.observe(True).protected == (2, 2, 1)
    pair.release_window(receipt)
    pair.unlock(receipt)
    assert (pair.run_copies(1), pair.copied(load=False), pair.writing_check(False)) == (1, 1, 1)
    pair.unlock_host(pair.lock_host(found.best_anchor))
    assert pair.read(Pool.FULL, found.slots) == [1, 2]
    assert pair.read(Pool.SWA, pair.swa_of(found.slots)) == [1, 2]
    assert pair.evict(2, 0, 0)[0] == 2
    pair.reset()
    assert pair.match(AB).best == 0
    pair.close()


def _turned(slots: list[int]) -> list[int]:
    return slots[::-1]


def _another(slots: list[int]) -> list[int]:
    return [*slots[1:], 99]


def _one_fewer(slots: list[int]) -> list[int]:
    return slots[1:]


@pytest.mark.parametrize(
    ("pool", "other_free", "same"),
    [
        (Pool.FULL, _turned, True),
        (Pool.FULL, _another, False),
        (Pool.FULL_HOST, _turned, True),
        (Pool.FULL_HOST, _another, True),
        (Pool.FULL_HOST, _one_fewer, False),
    ],
)
def test_in_which_order_slots_became_free_is_a_ranks_own_affair_and_on_the_host_which_they_are(
    pair: Replicas,
    monkeypatch: pytest.MonkeyPatch,
    pool: Pool,
    other_free: Callable[[Any], list[int]],
    same: bool,
) -> None:
    insert(pair)
    other = pair.systems[1]
    seen = other.observe(True)
    assert seen.whole is not None
    assert seen.whole.free is not None
    free = [other_free(one) if at == pool else one for at, one in enumerate(seen.whole.free)]
    turned = replace(seen, whole=replace(seen.whole, free=tuple(free)))  # type: ignore[arg-type]
    monkeypatch.setattr(other, "observe", lambda whole: turned)
    if same:
        assert pair.observe(True).free == seen.free
    else:
        with pytest.raises(Diverged, match=r"tree.*: replica 0 has"):
            pair.observe(True)


def test_which_slots_of_the_host_what_is_fetched_gets_is_a_ranks_own_affair(pair: Replicas) -> None:
    other = pair.systems[1]
    assert other.allocate_host(Pool.FULL_HOST, 1) is not None
    slots = pair.allocate_host(Pool.FULL_HOST, 3)
    assert slots is not None
    pair.write_host(Pool.FULL_HOST, slots, [1, 2, 3])
    pair.free_host(Pool.FULL_HOST, slots[2:])
    assert pair.insert_host(AB, Fetched(slots[:2]), 0) == 2
    for system in pair.systems:
        (node,) = system.observe(True).nodes
        held = node.slots[Pool.FULL_HOST]
        assert held is not None
        assert list(system.read(Pool.FULL_HOST, held)) == [1, 2]
    with pytest.raises(Diverged, match="allocate_host: replica 0 has 14, replica 1 has None"):
        pair.allocate_host(Pool.FULL_HOST, 14)


def test_which_slots_of_the_host_a_node_gets_is_a_ranks_own_affair() -> None:
    """Every step is inspected, with all bytes, in whatever order one rank gives its slots out."""
    run = Run(target(), Config(ranks=2), every=1)
    _, other = systems = [cast(RadixSystem, system) for system in run.systems]
    other.allocators[Pool.FULL_HOST]._free.reverse()
    operations: tuple[Operation, ...] = (
        Insert(AB),
        WritingCheck(blocking=True),
        Evict(2),
        LoadBack(AB),
        LoadingCheck(blocking=True),
        Prefetch("f", Key((1, 2, 3))),
        EndPrefetch("f"),
        Evict(2),
    )
    for operation in operations:
        assert run.step(operation) == [], operation
    held = [[view.slots for view in system.observe(True).nodes] for system in systems]
    assert held[0] != held[1]
    run.close()


def test_what_went_in_one_step_may_be_told_in_any_order(
    pair: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Event("removed", on_host=True, blocks=(1, 2))
    for system, events in zip(
        pair.systems, [(gone,), (gone._replace(blocks=(2, 1)),)], strict=True
    ):
        seen = replace(system.observe(True), events=events)
        monkeypatch.setattr(system, "observe", lambda whole, seen=seen: seen)
    assert pair.observe(True).events == (gone,)


def test_what_came_and_went_is_told_in_that_order(
    pair: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = Event("stored", True, (1,), None, (5,))
    gone = Event("removed", True, (1,))
    for system, events in zip(pair.systems, [(came, gone), (gone, came)], strict=True):
        seen = replace(system.observe(True), events=events)
        monkeypatch.setattr(system, "observe", lambda whole, seen=seen: seen)
    with pytest.raises(Diverged, match=r"tree.*: replica 0 has"):
        pair.observe(True)


def test_replicas_that_disagree_say_in_what(pair: Replicas) -> None:
    insert(pair.systems[0])  # type: ignore[arg-type]
    with pytest.raises(Diverged, match=r"match .1 2.: replica 0 has .2, 2"):
        pair.match(AB)
    with pytest.raises(Diverged, match=r"tree.*: replica 0 has"):
        pair.observe(True)
    with pytest.raises(Diverged, match="writing_check: replica 0 has 1, replica 1 has 0"):
        pair.writing_check(True)
    pair.close()


def test_bytes_are_read_where_all_replicas_have_the_same(pair: Replicas) -> None:
    slots = insert(pair).slots
    pair.systems[1].write(slots[1:], [9])
    assert pair.read(Pool.FULL, slots) == [1, -1]
    pair.close()
