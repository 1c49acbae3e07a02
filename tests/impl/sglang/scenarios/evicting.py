"""What eviction takes from the device and from the host, in which order."""

from __future__ import annotations

import pytest

from radixproof.impl.sglang.victims import Endless
from radixproof.impl.system import Target
from radixproof.model.config import HOST, Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key

from .bench import (
    ENDLESS,
    FULL_ONLY,
    HOSTLESS,
    OLD,
    SWA,
    SWA_PAGED,
    build,
    equal,
    look,
    only,
    put,
    settle,
    tags,
)


def seed_bug(release: Target) -> None:
    """A leaf split by its own insert must be backed up whole.

    0.5.12 backs up none of it, and eviction then loses the prompt.
    """
    system = build(release, SWA)
    put(system, (1, 2), evicted=1)
    settle(system)
    equal(system.evict(2, 0, 0)[0], 2)
    found = system.match(Key((1, 2)))
    equal(found.device, 0)
    equal(found.best, 0 if release.name == "sglang==0.5.12.post1" else 2)


def content_survives_demotion(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = build(release, config)
        tokens = tuple(range(1, 1 + config.page_size))
        put(system, tokens)
        settle(system)
        equal(system.evict(config.page_size, 0, 0)[0], config.page_size)
        node = only(look(system))
        equal(
            (node.slots[Pool.FULL], node.slots[Pool.SWA], node.locks, node.pending),
            (None, None, (0, 0, 0), False),
        )
        for pool in (HOST[component] for component in config.components):
            held = node.slots[pool]
            assert held is not None
            equal(system.read(pool, held), tags(tokens))
        found = system.match(Key(tokens))
        equal((found.device, found.best, found.slots), (0, config.page_size, []))


def hosts_fill_and_are_emptied(release: Target) -> None:
    system = build(release, Config(page_size=1, device_pages=4, host_pages=1))
    put(system, (1,))
    settle(system)
    put(system, (2,))
    settle(system)
    equal(look(system).free[Pool.FULL_HOST], 0)
    equal(
        [view.slots[Pool.FULL_HOST] is not None for view in look(system).nodes],
        [True, False],
    )
    equal(system.evict_host(1, Component.FULL), 0)  # its node is still on the device
    equal(system.evict(2, 0, 0)[0], 2)
    equal((system.match(Key((1,))).best, system.match(Key((2,))).best), (1, 0))
    equal(system.evict_host(1, Component.FULL), 1)
    equal(look(system).free[Pool.FULL_HOST], 1)
    equal(look(system).nodes, ())


def orders_of_eviction(release: Target) -> None:
    expected = {
        EvictionPolicy.LRU: (2, 3, 1),
        EvictionPolicy.LFU: (1, 3, 2),
        EvictionPolicy.FIFO: (1, 2, 3),
        EvictionPolicy.MRU: (1, 3, 2),
        EvictionPolicy.FILO: (3, 2, 1),
        EvictionPolicy.PRIORITY: (2, 3, 1),
        EvictionPolicy.SLRU: (1, 2, 3),
    }
    for order in release.scope.eviction_policies:
        system = build(release, Config(device_pages=8, host_pages=0, eviction_policy=order))
        for token, priority in ((1, 2), (2, 0), (3, 1), (2, 0), (2, 0), (3, 1)):
            put(system, (token,), priority=priority)
        system.match(Key((1,)))
        gone = []
        for _ in range(3):
            before = {view.segment for view in look(system).nodes}
            system.evict(1, 0, 0)
            ((token,),) = before - {view.segment for view in look(system).nodes}
            gone.append(token)
        equal((order, tuple(gone)), (order, expected[order]))


def without_a_host_tier_evicted_is_gone(release: Target) -> None:
    system = build(release, HOSTLESS)
    put(system, (1, 2, 3, 4))
    found = system.match(Key((1, 2, 3, 4)))
    equal((found.device, found.best, system.load_back(found.best_anchor, None)), (4, 4, 0))
    equal((system.run_copies(9), system.writing_check(True), system.loading_check(True)), (0, 0, 0))
    equal(system.evict(4, 0, 0)[0], 4)
    seen = look(system)
    equal((seen.nodes, seen.free), ((), (16, 16, 0, 0, 0, 0)))


def write_back_copies_at_eviction(release: Target) -> None:
    """0.5.12 gives the slots back before the copies have run, and then cannot acknowledge them."""
    system = build(release, Config(page_size=1, device_pages=4, host_pages=8, write_back=True))
    put(system, (1, 2))
    put(system, (1, 2))
    equal((system.run_copies(9), only(look(system)).slots[Pool.FULL_HOST]), (0, None))
    equal(system.evict(1, 0, 0)[0], 2)
    node = only(look(system))
    held = node.slots[Pool.FULL_HOST]
    assert held is not None
    if OLD in release.name:
        equal((node.pending, system.read(Pool.FULL_HOST, held)), (True, [-1, -1]))
        system.run_copies(1)
        with pytest.raises(AssertionError):
            system.writing_check(False)
    else:
        equal((node.pending, system.read(Pool.FULL_HOST, held)), (False, [1, 102]))


def an_eviction_that_does_not_end_raises(release: Target) -> None:
    """Under write_back, an SWA eviction tries a leaf for which the host has no room for ever.

    Up to 0.5.16.
    """
    config = Config(
        device_pages=6, window=2, swa_pages=6, host_pages=4, swa_host_pages=1, write_back=True
    )
    system = build(release, config)
    put(system, (1, 2))
    equal(system.evict(0, 0, 0), (0, 0, 0))
    if release.name.endswith(ENDLESS):
        with pytest.raises(Endless):
            system.evict(0, 1, 0)
    elif OLD in release.name:
        with pytest.raises(AssertionError):
            system.evict(0, 1, 0)
    else:
        equal(system.evict(0, 1, 0), (2, 2, 0))
