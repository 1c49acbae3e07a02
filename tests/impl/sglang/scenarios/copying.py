"""Backups, load-backs, and who performs and acknowledges them."""

from __future__ import annotations

from radixproof.impl.revealing import Ordering
from radixproof.impl.streams import BACKUP, COMPUTE, LOAD, Access, Awaited
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key

from .bench import (
    FULL_ONLY,
    OLD,
    SWA,
    SWA_PAGED,
    build,
    equal,
    look,
    moved,
    only,
    put,
    put_with_state,
    settle,
    submit,
    tags,
    to_host,
    with_states,
)


def copies_wait_to_be_told(release: Target) -> None:
    system = build(release, SWA)
    slots = put(system, (1,))
    submit(system)
    put(system, (2,))
    node = look(system).nodes[0]
    equal((node.pending, node.locks), (True, (1, 1, 0)))
    equal(system.read(Pool.FULL_HOST, node.slots[Pool.FULL_HOST] or ()), [-1])
    equal(system.writing_check(False), 0)
    equal(system.evict(99, 99, 0), (0, 0, 0))
    system.write(slots, [77])  # a copy that runs late copies what is there then
    equal(system.run_copies(1), 1)
    equal(system.read(Pool.FULL_HOST, node.slots[Pool.FULL_HOST] or ()), [77])
    equal([view.pending for view in look(system).nodes], [True, True])
    equal(system.writing_check(False), 1)
    equal([view.pending for view in look(system).nodes], [False, True])
    equal(system.writing_check(True), 1)
    equal([view.pending for view in look(system).nodes], [False, False])
    equal(system.run_copies(9), 0)


def backups_that_were_held_back_are_one_copy(release: Target) -> None:
    system = build(release, FULL_ONLY)
    for tokens in ((1, 2), (3, 4), (5, 6)):
        put(system, tokens)
    copies = 1 if release.dialect.held_backups else 3
    if release.dialect.held_backups:
        equal((system.run_copies(9), system.in_flight()), (0, 3))
    submit(system)
    equal((system.in_flight(), system.run_copies(9), system.copied(load=False)), 3 * (copies,))
    equal((system.writing_check(False), system.in_flight()), (copies, 0))
    equal([view.pending for view in look(system).nodes], [False] * 3)


def copies_say_what_they_move_and_what_they_wait_for(release: Target) -> None:
    system = build(release, SWA)
    assert isinstance(system, Ordering)
    put(system, (1,))
    submit(system)
    equal(moved(system, BACKUP), dict.fromkeys((Pool.FULL, Pool.SWA), False))
    settle(system)
    system.evict(1, 1, 0)
    system.load_back(system.match(Key((1,))).best_anchor, None)
    equal(moved(system, LOAD), dict.fromkeys((Pool.FULL, Pool.SWA), True))
    system.attend(system.match(Key((1,))).slots)
    entries = system.ordering()
    waits = [one for one in entries if isinstance(one, Awaited)]
    reads = [one for one in entries if isinstance(one, Access)]
    equal([one.stream for one in waits], [COMPUTE])  # the event that ends the load-back
    equal([(one.pool, one.writes) for one in reads], [(Pool.FULL, False), (Pool.SWA, False)])


def copies_of_states_say_what_they_move(release: Target) -> None:
    for system in with_states(release, hosted=True):
        assert isinstance(system, Ordering)
        put_with_state(system)
        submit(system)
        assert moved(system, BACKUP)[Pool.MAMBA] is False


def threshold_counts_hits(release: Target) -> None:
    system = build(release, Config(page_size=1, device_pages=4, host_pages=8, threshold=2))
    put(system, (1,))
    equal(only(look(system)).pending, False)
    put(system, (1,))
    equal(only(look(system)).pending, True)


def what_was_demoted_is_loaded_back(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = build(release, config)
        tokens = tuple(range(1, 1 + 2 * config.page_size))
        to_host(system, tokens)
        found = system.match(Key(tokens))
        equal((found.device, found.best), (0, len(tokens)))
        equal(system.load_back(found.best_anchor, None), len(tokens))
        seen = look(system)
        equal(seen.evictable[Component.FULL], 0)
        slots = system.match(Key(tokens)).slots
        if config.page_size == 1:
            equal(system.read(Pool.FULL, slots), [-1, -1])  # published before the copy has run
        equal((system.copied(load=True), system.loading_check(False)), (0, 0))
        equal(
            (
                system.run_copies(9, load=True),
                system.copied(load=True),
                system.loading_check(False),
            ),
            (1, 1, 1),
        )
        equal(system.read(Pool.FULL, slots), tags(tokens))
        if config.window is not None:
            equal(system.read(Pool.SWA, system.swa_of(slots[-1:])), tags(tokens)[-1:])
        seen = look(system)
        equal(seen.protected, (0, 0, 0))
        equal(system.load_back(system.match(Key(tokens)).best_anchor, None), 0)


def loads_are_refused_below_the_threshold_and_above_the_quota(release: Target) -> None:
    system = build(release, Config(page_size=2, device_pages=8, host_pages=16, load_threshold=4))
    to_host(system, (1, 2))
    to_host(system, (3, 4, 5, 6))
    equal(system.load_back(system.match(Key((1, 2))).best_anchor, None), 0)
    equal(system.load_back(system.match(Key((3, 4, 5, 6))).best_anchor, 3), 0)
    equal(system.load_back(system.match(Key((3, 4, 5, 6))).best_anchor, 4), 4)


def many_loads_wait_in_order(release: Target) -> None:
    system = build(release, FULL_ONLY)
    keys = [(start, start + 1) for start in range(0, 12, 2)]
    for tokens in keys:
        to_host(system, tokens)
    for tokens in keys:
        equal(system.load_back(system.match(Key(tokens)).best_anchor, None), 2)
    equal(system.run_copies(4, load=True), 4)
    equal(system.loading_check(False), 4)
    equal(system.loading_check(True), 2)


def ranks_agree_on_what_to_acknowledge(release: Target) -> None:
    """A poll acknowledges what all ranks can. 0.5.12 does not ask the others about load-backs."""
    system = build(release, FULL_ONLY)
    for tokens in ((1, 2), (3, 4), (5, 6)):
        put(system, tokens)
        submit(system)
    system.run_copies(3)
    equal([system.writing_check(False, limit) for limit in (0, 1, None)], [0, 1, 2])
    system.evict(6, 0, 0)
    for tokens in ((1, 2), (3, 4)):
        system.load_back(system.match(Key(tokens)).best_anchor, None)
    system.run_copies(2, load=True)
    equal(
        [system.loading_check(False, 1), system.loading_check(False)],
        [2, 0] if OLD in release.name else [1, 1],
    )
