"""Two cores in lockstep: what both show must be the same, and what only one shows is passed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.observation import Event, Observation, SlotsPerPool
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.radix_adapter.target import target
from radixproof.impl.sglang.lockstep import CoresDiffer, Lockstep, shared
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key

AB, ABC = Key((1, 2)), Key((1, 2, 3))


class Reticent(RadixSystem):
    """Shows what a core in Rust shows: which pools of the host have a node, but not where."""

    def observe(self, whole: bool) -> Observation:
        seen = super().observe(whole)
        nodes = [node._replace(locks=None, slots=_hidden(node.slots)) for node in seen.nodes]
        return replace(seen, nodes=tuple(nodes))


def _hidden(slots: SlotsPerPool) -> SlotsPerPool:
    *device, full, swa, mamba = slots
    on_host = (None if held is None else (0,) * len(held) for held in (full, swa, mamba))
    return (*device, *on_host)  # type: ignore[return-value]


@pytest.fixture
def cores() -> Lockstep:
    python, rust = (target().build(Config()) for _ in range(2))
    rust.__class__ = Reticent
    return Lockstep(python, rust)


def insert(system: Lockstep) -> list[int]:
    slots = system.allocate(2)
    assert slots is not None
    system.write(slots, [1, 2])
    system.insert(AB, slots, 0, 0)
    system.match(Key((1,)))
    return slots


def test_cores_that_do_the_same_are_one_cache(cores: Lockstep) -> None:
    slots = insert(cores)
    assert (cores.run_copies(1), cores.writing_check(False)) == (1, 1)
    seen = cores.observe(True)
    assert all(node.locks is not None for node in seen.nodes)
    assert cores.read(Pool.FULL, slots) == [1, 2]
    (upper,) = [node for node in seen.nodes if node.segment == (1,)]
    assert cores.read(Pool.FULL_HOST, upper.slots[Pool.FULL_HOST] or ()) == [1]


DEEDS: dict[str, tuple[Callable[[Any], object], str]] = {
    "lock": (lambda rust: rust.lock(rust.match(ABC).anchor), "free slots and sizes"),
    "eviction": (lambda rust: rust.evict(1, 0, 0), "nodes"),
    "split": (lambda rust: rust.match(AB), "nodes"),
}


@pytest.mark.parametrize(("deed", "what"), DEEDS.values(), ids=DEEDS)
def test_a_core_that_does_something_else_is_found_out(
    cores: Lockstep, deed: Callable[[Any], object], what: str
) -> None:
    slots = cores.allocate(3)
    assert slots is not None
    cores.insert(ABC, slots, 0, 0)
    cores.run_copies(1)
    cores.writing_check(False)
    cores.observe(True)
    deed(cores.systems[1])
    with pytest.raises(CoresDiffer, match=f"{what}: the Python core has"):
        cores.observe(True)


def test_an_ack_that_only_one_core_has_heard_is_found_out(cores: Lockstep) -> None:
    insert(cores)
    cores.run_copies(1)
    cores.systems[1].writing_check(True)
    with pytest.raises(CoresDiffer, match="nodes: the Python core has"):
        cores.observe(True)


def test_an_event_that_only_one_core_sends_is_found_out(cores: Lockstep) -> None:
    insert(cores)
    cores.systems[1].observe(True)
    with pytest.raises(CoresDiffer, match=r"events: the Python core has \[Event"):
        cores.observe(True)


def test_what_is_removed_may_be_said_together(cores: Lockstep) -> None:
    insert(cores)
    python, rust = (system.observe(True) for system in cores.systems)
    blocks = [event.blocks for event in python.events or () if event.kind == "stored"]
    whole = (Event("removed", False, sum(blocks, ())),)
    parts = tuple(Event("removed", False, (block,)) for block in whole[0].blocks)
    python, rust = replace(python, events=whole), replace(rust, events=parts)
    assert len(parts) == 2
    assert shared(python).events == shared(rust).events


def test_answers_that_differ_name_the_core(cores: Lockstep) -> None:
    slots = insert(cores)
    cores.systems[1].write(slots[1:], [9])
    assert cores.read(Pool.FULL, slots) == [1, -1]
    cores.writing_check(True)
    cores.systems[1].evict(2, 0, 0)
    with pytest.raises(CoresDiffer, match=r"evict: the Python core has .*, the Rust core has"):
        cores.evict(2, 0, 0)
