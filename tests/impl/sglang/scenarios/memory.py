"""Pools and their slots."""

from __future__ import annotations

from radixproof.impl.system import Complete, Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key

from .bench import FULL_ONLY, HOSTLESS, SWA, SWA_PAGED, build, equal, look, put, submit


def pools_have_the_size_asked_for(release: Target) -> None:
    small_host = Config(
        page_size=4, window=3, device_pages=5, swa_pages=3, host_pages=2, swa_host_pages=1
    )
    for config in (FULL_ONLY, SWA, SWA_PAGED, small_host, HOSTLESS):
        system = build(release, config)
        sizes = tuple(config.slots(pool) for pool in Pool)
        page = config.page_size

        def check_empty(system: Complete = system, sizes: tuple[int, ...] = sizes) -> None:
            seen = look(system)
            assert seen.whole is not None
            equal(seen.free, sizes)
            equal(tuple(map(len, seen.whole.free)), sizes)
            assert 0 not in seen.whole.free[Pool.FULL] + seen.whole.free[Pool.SWA]
            equal((seen.nodes, seen.evictable, seen.whole.swa_of), ((), (0, 0, 0), {}))

        check_empty()
        rounds = []
        while (slots := system.allocate(page)) is not None:
            rounds.append(slots)
        equal(len(rounds), min(config.pages(pool) for pool in config.pools if not pool.on_host))
        full, swa = look(system).free[:2]
        equal(
            (full, swa),
            (sizes[0] - page * len(rounds), sizes[1] - page * len(rounds) if config.window else 0),
        )
        for slots in rounds:
            system.free(slots)
        check_empty()
        put(system, tuple(range(page)))
        system.writing_check(True)
        system.reset()
        check_empty()


def swa_slots_go_alone(release: Target) -> None:
    system = build(release, SWA_PAGED)
    slots = system.allocate(8)
    assert slots is not None
    peers = system.swa_of(slots)
    assert 0 not in peers
    system.free_swa(slots[:4])
    equal(system.swa_of(slots), [0, 0, 0, 0, *peers[4:]])
    seen = look(system)
    assert seen.whole is not None
    equal(seen.whole.swa_of, dict(zip(slots[4:], peers[4:], strict=True)))
    equal(seen.free[:2], (16, 16))
    system.free(slots)
    equal(look(system).free[:2], (24, 20))


def an_allocation_is_refused_once(release: Target) -> None:
    for pool in (Pool.FULL, Pool.SWA):
        system = build(release, SWA)
        free = look(system).free
        system.refuse(pool)
        equal((system.allocate(1), look(system).free), (None, free))
        assert system.allocate(1) is not None
        system.refuse(pool)
        system.reset()
        assert system.allocate(1) is not None
    system = build(release, SWA)
    system.refuse(Pool.FULL_HOST)
    put(system, (1,))
    equal((system.run_copies(9), look(system).free[Pool.FULL_HOST]), (0, 16))


def systems_share_nothing(release: Target) -> None:
    one, other = build(release, SWA), build(release, SWA)
    put(one, (1,))
    submit(one)
    equal(other.run_copies(9), 0)
    put(other, (2,))
    submit(other)
    equal(other.run_copies(9), 1)
    equal(other.writing_check(False), 1)
    equal(one.writing_check(False), 0)
    equal(one.match(Key((2,))).best, 0)
    equal(one.run_copies(9), 1)
    one.close()
    equal(build(release, SWA).run_copies(9), 0)
