"""What is in the tree after an insert, and what a match finds of it."""

from __future__ import annotations

from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key

from .bench import FULL_ONLY, OLD, SWA, SWA_PAGED, build, equal, look, only, put, settle, tags


def prompt_comes_back(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = build(release, config)
        tokens = tuple(range(1, 1 + 2 * config.page_size))
        slots = put(system, tokens)
        found = system.match(Key(tokens))
        equal((found.device, found.best, found.slots), (len(tokens), len(tokens), slots))
        equal(system.read(Pool.FULL, found.slots), tags(tokens))
        if config.window is not None:
            equal(system.read(Pool.SWA, system.swa_of(slots)), tags(tokens))


def duplicates_are_freed_but_not_the_protected_prefix(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = build(release, config)
        page = config.page_size
        tokens = tuple(range(1, 1 + 2 * page))
        first = put(system, tokens)
        free = look(system).free
        put(system, tokens)
        equal(look(system).free, free)
        mine = system.allocate(page)
        assert mine is not None
        equal(system.insert(Key(tokens), [*first[:page], *mine], page, 0).reused, 2 * page)
        equal(look(system).free, free)
        equal(system.match(Key(tokens)).slots, first)


def matches_split_at_pages_and_namespaces_part(release: Target) -> None:
    system = build(release, SWA_PAGED)
    tokens = tuple(range(1, 13))
    put(system, tokens)
    equal(system.match(Key((*tokens[:6], 99))).device, 4)
    equal(look(system).nodes[0].segment, tokens[:4])
    equal(system.match(Key(tokens[:3])).device, 0)
    equal(system.match(Key(tokens, "tenant")).device, 0)
    put(system, tokens[:4], "tenant")
    equal(system.match(Key(tokens, "tenant")).device, 4)
    equal({view.namespace for view in look(system).nodes}, {"", "tenant"})


def bigram_keys_are_seen_as_pairs(release: Target) -> None:
    system = build(release, Config(page_size=2, device_pages=8, host_pages=8, bigram=True))
    slots = system.allocate(4)
    assert slots is not None
    system.insert(Key((1, 2, 3, 4, 5)), slots, 0, 0)
    equal(only(look(system)).segment, ((1, 2), (2, 3), (3, 4), (4, 5)))
    found = system.match(Key((1, 2, 3, 9, 9)))
    equal((found.device, found.best, found.slots), (2, 2, slots[:2]))


def host_hits_are_told_per_component(release: Target) -> None:
    system = build(release, FULL_ONLY)
    put(system, (1, 2))
    put(system, (1, 2, 3, 4))
    settle(system)
    system.evict(2, 0, 0)
    equal(system.match(Key((1, 2, 3, 4))).host, None if OLD in release.name else (2, 0, 0))
