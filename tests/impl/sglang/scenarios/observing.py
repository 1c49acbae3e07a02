"""Observations: what they show, and that they repeat."""

from __future__ import annotations

from typing import Any

from radixproof.impl.observation import Observation
from radixproof.impl.system import Target
from radixproof.model.config import Component, Pool
from radixproof.model.key import Key

from .bench import SWA, build, equal, look, put, settle


def damage_is_seen(release: Target) -> None:
    system: Any = release.build(SWA)
    slots = put(system, (1, 2, 3))
    settle(system)
    parts = system._parts
    full = parts.device.components[Component.FULL].pool
    full.v_buffer[1][slots[0], 0, 1] += 1
    full.k_buffer[0][slots[2]] = full.k_buffer[0][slots[1]]
    equal(system.read(Pool.FULL, slots), [-1, 102, -1])
    equal(system.read(Pool.SWA, system.swa_of(slots)), [1, 102, 203])
    parts.host.pools[Component.SWA].kv_buffer[1, :, 1] = 0
    held = [slot for view in look(system).nodes for slot in view.slots[Pool.SWA_HOST] or ()]
    equal(system.read(Pool.SWA_HOST, held), [-1] * 3)


def observations_repeat(release: Target) -> None:
    """Equal histories give equal observations, whatever ran in the process before.

    No id is given twice.
    """

    def history() -> list[Observation]:
        system = build(release, SWA)
        seen = []
        for tokens, evicted in (((1, 2, 3), 0), ((1, 2, 4), 1), ((5,), 0)):
            put(system, tokens, evicted=evicted)
            seen.append(look(system))
        settle(system)
        system.evict(2, 1, 0)
        seen.append(look(system))
        system.reset()
        put(system, (1, 2))
        return [*seen, look(system)]

    first = history()
    equal(history(), first)
    before = {view.id for seen in first[:-1] for view in seen.nodes}
    after = {view.id for view in first[-1].nodes}
    assert after, "nothing was observed"
    equal(before & after, set())
    for seen in first:
        above = {0}
        for view in seen.nodes:
            assert view.parent in above, "a child stands before its parent"
            above.add(view.id)


def lists_and_leaves(release: Target) -> None:
    system = build(release, SWA)
    for token in (1, 2, 3):
        put(system, (token,))
    settle(system)
    by_token = {view.segment: view.id for view in look(system).nodes}
    system.match(Key((1,)))
    whole = look(system).whole
    assert whole is not None
    equal(whole.lru_lists, (tuple(by_token[(token,)] for token in (2, 3, 1)), (), (), ()))
    equal(whole.device_leaves, frozenset(by_token.values()))
    system.evict(1, 0, 0)
    whole = look(system).whole
    assert whole is not None
    assert whole.host_leaves is not None
    equal(len(whole.host_leaves), 1)
    equal(whole.lru_lists[2], tuple(whole.host_leaves))
    equal(frozenset(whole.lru_lists[0] or ()) & whole.host_leaves, frozenset())
