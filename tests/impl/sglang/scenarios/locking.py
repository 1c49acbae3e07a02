"""Locks on the device and on the host."""

from __future__ import annotations

from dataclasses import replace

from radixproof.impl.operations import HostLock, ReleaseWindow
from radixproof.impl.system import Target
from radixproof.model.config import Component
from radixproof.model.key import Key

from .bench import FULL_ONLY, SWA, build, equal, look, only, put, settle, to_host


def locks_protect(release: Target) -> None:
    system = build(release, SWA)
    put(system, (1, 2))
    settle(system)
    receipt = system.lock(system.match(Key((1, 2))).anchor)
    seen = look(system)
    equal((seen.evictable[Component.FULL], seen.protected[Component.FULL]), (0, 2))
    equal(
        seen.protected[Component.SWA], 1 if len(seen.nodes) == 2 else 2
    )  # newer releases cut a leaf to one window
    equal(system.evict(2, 0, 0), (0, 0, 0))
    system.unlock(receipt)
    equal(look(system).protected, (0, 0, 0))
    equal(system.evict(2, 0, 0), (2, 2, 0))


def host_locks_are_not_shown(release: Target) -> None:
    system = build(release, SWA)
    to_host(system, (1,))
    equal(only(look(system)).host_locks, None)


def what_is_locked_on_the_host_stays_there(release: Target) -> None:
    """An engine locks there what has a host copy."""
    if HostLock not in release.scope.offers():
        return
    system = build(release, FULL_ONLY)
    to_host(system, (3, 4))
    receipt = system.lock_host(system.match(Key((3, 4))).best_anchor)
    equal(system.evict_host(9, Component.FULL), 0)
    system.unlock_host(receipt)
    equal(system.evict_host(9, Component.FULL), 2)
    unbacked = build(release, replace(FULL_ONLY, threshold=2))
    put(unbacked, (1, 2))
    equal(unbacked.lock_host(unbacked.match(Key((1, 2))).best_anchor), None)


def windows_are_released_early(release: Target) -> None:
    if ReleaseWindow not in release.scope.operations:
        return
    system = build(release, SWA)
    put(system, (1, 2))
    settle(system)
    receipt = system.lock(system.match(Key((1, 2))).anchor)
    system.release_window(receipt)
    equal(look(system).protected, (2, 0, 0))
    system.unlock(receipt)
    equal(look(system).protected, (0, 0, 0))
