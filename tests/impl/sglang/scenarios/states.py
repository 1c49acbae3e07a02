"""MAMBA: the states of requests and of nodes."""

from __future__ import annotations

from radixproof.impl.system import Target
from radixproof.model.config import Component, Pool
from radixproof.model.key import Key

from .bench import (
    PROMPT,
    STATES,
    STATES_HOSTLESS,
    build,
    equal,
    look,
    only,
    put_with_state,
    settle,
    with_states,
)


def a_state_is_taken_once(release: Target) -> None:
    for system in with_states(release):
        state, taken = put_with_state(system)
        assert taken
        settle(system)
        node = only(look(system))
        equal(node.slots[Pool.MAMBA], (state,))
        equal((look(system).free[Pool.MAMBA], look(system).evictable[Component.MAMBA]), (2, 1))
        other, taken = put_with_state(system)
        assert not taken
        equal(look(system).free[Pool.MAMBA], 1)
        system.free_state(other)
        equal((look(system).free[Pool.MAMBA], system.available(Pool.MAMBA)), (2, 2))
        settle(system)
        equal(system.evict(0, 0, 1)[Component.MAMBA], 1)
        equal(look(system).free[Pool.MAMBA], 3)


def a_state_goes_to_the_host_and_back(release: Target) -> None:
    for system in with_states(release, hosted=True):
        put_with_state(system)
        settle(system)
        system.evict(4, 0, 0)
        found = system.match(Key(PROMPT))
        equal((found.device, found.best), (0, 4))
        equal(look(system).free[Pool.MAMBA_HOST], 5)
        equal(system.load_back(found.best_anchor, None), 4)
        (loaded,) = only(look(system)).slots[Pool.MAMBA] or ()
        equal(system.match(Key(PROMPT)).device, 4)
        equal((system.run_copies(1, load=True), system.loading_check(False)), (1, 1))
        equal(system.read(Pool.MAMBA, [loaded]), [14])
        system.reset()
        free = look(system).free
        equal((free[Pool.MAMBA], free[Pool.MAMBA_HOST]), (3, 6))


def a_request_copies_a_state(release: Target) -> None:
    for system in with_states(release):
        state, _ = put_with_state(system)
        copy = system.copy_state(system.match(Key(PROMPT)).anchor)
        assert copy not in (None, state)
        assert copy is not None
        system.write_state(state, 15)  # each is written to without the other
        equal(system.read(Pool.MAMBA, [state, copy]), [15, 14])
        equal(look(system).free[Pool.MAMBA], 1)


def a_state_is_copied_while_it_arrives(release: Target) -> None:
    """The request that loads it back gets its copy from the host."""
    system = build(release, STATES)
    put_with_state(system)
    settle(system)
    system.evict(4, 0, 0)
    system.load_back(system.match(Key(PROMPT)).best_anchor, None)
    copy = system.copy_state(system.match(Key(PROMPT)).anchor)
    assert copy is not None
    equal(system.read(Pool.MAMBA, [copy]), [14])


def a_copy_evicts_another_state_or_is_refused(release: Target) -> None:
    system = build(release, STATES_HOSTLESS)
    put_with_state(system, (1, 2), 12)
    put_with_state(system, (3, 4), 14)
    held = system.allocate_state()
    copy = system.copy_state(system.match(Key((3, 4))).anchor)
    assert copy is not None
    equal(system.read(Pool.MAMBA, [copy]), [14])
    equal(only(look(system)).segment, (3, 4))
    equal(system.copy_state(system.match(Key((3, 4))).anchor), None)
    assert held is not None
    system.free_state(held)
    equal(look(system).free[Pool.MAMBA], 1)
