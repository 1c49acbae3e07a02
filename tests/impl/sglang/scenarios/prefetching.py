"""Prefetches through SGLang's own functions: what they do to the tree, and what they leave."""

from __future__ import annotations

from radixproof.impl.fetching import Doing
from radixproof.impl.operations import (
    EndPrefetch,
    Evict,
    EvictHost,
    Insert,
    Operation,
    Prefetch,
    Refuse,
    WritingCheck,
)
from radixproof.impl.sglang.names import PYTHON, core_in
from radixproof.impl.system import Complaint, Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.running.run import Run

from .bench import FULL_ONLY, build, equal, look, put, settle, to_host
from .fetches import (
    KEY,
    PLAIN,
    WINDOWED,
    begun,
    caches,
    counts_on,
    did,
    found,
    keeps_locks,
    loses_slots,
    remembers,
)

FORGETS = "sglang==0.5.20"
"""Where the tokens of an aborted request are looked for under another name than they have."""


def all_of_a_prefetch_is_handed_over(release: Target) -> None:
    for system in caches(release):
        put(system, (1, 2))
        settle(system)
        before = system.available(Pool.FULL_HOST)
        begin = begun(system)
        equal((did(begin), len(begin.held[0])), ([Doing.LOCK], 6))
        equal(before - system.available(Pool.FULL_HOST), 6)
        end = system.end_prefetch(begin.handle, 6)
        equal(did(end), [Doing.INSERT, Doing.UNLOCK])
        equal([part.done for part in end.parts], [6, 0])
        equal((system.match(KEY).best, before - system.available(Pool.FULL_HOST)), (8, 6))


def the_cache_is_shown_as_it_was_before_the_unlock(release: Target) -> None:
    for system in caches(release):
        begin = begun(system)
        end = system.end_prefetch(begin.handle, 8)
        equal(any(end.parts[0].held), False)
        system.show(0)
        shown = look(system).nodes
        system.show(None)
        equal(len(shown), len(look(system).nodes))


def room_is_made_after_the_lock(release: Target) -> None:
    if not release.scope.carries_prefetches:
        return
    system = build(release, Config(page_size=2, device_pages=4, host_pages=4))
    to_host(system, (9, 8))
    begin = begun(system)
    equal((did(begin), len(begin.held[0])), ([Doing.LOCK, Doing.EVICT], 8))
    evict = begin.parts[1]
    equal((evict.tokens, evict.done, evict.held[0]), (8, 2, ()))


def storage_may_have_less(release: Target) -> None:
    for system in caches(release):
        before = system.available(Pool.FULL_HOST)
        equal(did(begun(system, stored=0)), [Doing.LOCK, Doing.UNLOCK])
        begin = begun(system, stored=4)
        equal((did(begin), len(begin.held[0])), ([Doing.LOCK], 4))
        did(system.end_prefetch(begin.handle, 4))
        equal((system.match(KEY).best, before - system.available(Pool.FULL_HOST)), (4, 4))


def nothing_is_left_of_what_was_aborted(release: Target) -> None:
    """Before anything came, when FULL has, and when all has."""
    for system in caches(release):
        before = system.available(Pool.FULL_HOST)
        for _ in range(6):
            begin = begun(system)
            equal(did(system.end_prefetch(begin.handle, 0)), [Doing.UNLOCK])
            equal((system.available(Pool.FULL_HOST), system.match(KEY).best), (before, 0))
            system.check_itself()


def a_part_is_kept_where_only_full_was_fetched(release: Target) -> None:
    """Storage lost the rest, or it was stopped there."""
    if not release.scope.carries_prefetches:
        return
    for pages in (1, 2, 3):
        system = build(release, FULL_ONLY)
        before = system.available(Pool.FULL_HOST)
        end = system.end_prefetch(begun(system).handle, 2 * pages)
        equal((did(end), end.parts[0].done), ([Doing.INSERT, Doing.UNLOCK], 2 * pages))
        equal(before - system.available(Pool.FULL_HOST), 2 * pages)
        system = build(release, WINDOWED)
        equal(did(system.end_prefetch(begun(system).handle, 2 * pages)), [Doing.UNLOCK])
        equal(system.match(KEY).best, 0)


def others_go_on_while_one_ends(release: Target) -> None:
    for system in caches(release):
        first, second = begun(system), begun(system, Key((9, 8, 7, 6)))
        did(system.end_prefetch(second.handle, 4))
        equal(did(system.end_prefetch(first.handle, 8)), [Doing.INSERT, Doing.UNLOCK])
        equal((system.match(KEY).best, system.match(Key((9, 8, 7, 6))).best), (8, 4))


def what_a_prefetch_forgets_is_reported(release: Target) -> None:
    """A slot, the count of tokens, the lock, and what its request has got."""
    if not release.scope.carries_prefetches:
        return
    aborted: list[Operation] = [Prefetch("f", KEY), EndPrefetch("f", 0)]
    done: list[Operation] = [Prefetch("f", KEY), EndPrefetch("f")]
    equal(found(release, loses_slots, aborted), "OWN-H/full_host-lost")
    equal(found(release, counts_on, aborted), "NOCRASH/self-check-prefetch-occupied")
    prefix: list[Operation] = [Insert(Key((1, 2))), WritingCheck(blocking=True)]
    kept = [*prefix, *aborted, Evict(8), EvictHost(8)]
    shown = core_in(release.name) == PYTHON
    seen = "LEAF/host-leaves" if shown else "PROGRESS/host-stopped-early"
    equal(found(release, keeps_locks, kept), seen)
    equal(found(release, remembers, done), "NOCRASH/self-check-prefetch-remembered")


def a_refused_allocation_is_made_up_for(release: Target) -> None:
    if not release.scope.carries_prefetches:
        return
    run = Run(release, PLAIN, every=1)
    for operation in (Refuse(Pool.FULL_HOST), Prefetch("f", KEY), EndPrefetch("f", 0)):
        equal(run.step(operation, whole=True), [])
    run.close()


def a_refused_allocation_is_repeated_once_room_was_made(release: Target) -> None:
    """Storage may have nothing all the same."""
    if not release.scope.carries_prefetches:
        return
    run = Run(release, WINDOWED, every=1)
    for operation in (Refuse(Pool.SWA_HOST), Prefetch("f", KEY, 0)):
        equal(run.step(operation, whole=True), [])
    run.close()


def an_aborted_request_is_forgotten(release: Target) -> None:
    """But in one release."""
    for system in caches(release):
        did(system.end_prefetch(begun(system).handle, 8))
        try:
            system.check_itself()
            forgets = False
        except Complaint as complaint:
            equal(complaint.kind, "prefetch-remembered")
            forgets = True
        equal(forgets, release.name.startswith(FORGETS))
