"""Locks on the device and on the host."""

from __future__ import annotations

from radixproof.impl.operations import HostLock, ReleaseWindow
from radixproof.impl.system import Target
from radixproof.model.config import Component
from radixproof.model.key import Key

from .bench import SWA, equal, only, put, settle, to_host


def locks_protect(release: Target) -> None:
    system = release.build(SWA)
    put(system, (1, 2))
    settle(system)
    receipt = system.lock(system.match(Key((1, 2))).anchor)
    seen = system.observe(True)
    equal((seen.evictable[Component.FULL], seen.protected[Component.FULL]), (0, 2))
    equal(
        seen.protected[Component.SWA], 1 if len(seen.nodes) == 2 else 2
    )  # newer releases cut a leaf to one window
    equal(system.evict(2, 0, 0), (0, 0, 0))
    system.unlock(receipt)
    equal(system.observe(True).protected, (0, 0, 0))
    equal(system.evict(2, 0, 0), (2, 2, 0))


def host_locks_keep_host_copies(release: Target) -> None:
    system = release.build(SWA)
    to_host(system, (1,))
    if HostLock not in release.scope.operations:
        equal(only(system.observe(True)).host_locks, None)
        return
    receipt = system.lock_host(system.match(Key((1,))).best_anchor)
    equal(only(system.observe(True)).host_locks, (1, 1, 0))
    equal(system.evict_host(1, Component.FULL), 0)
    system.unlock_host(receipt)
    equal(only(system.observe(True)).host_locks, (0, 0, 0))
    equal(system.evict_host(1, Component.FULL), 1)


def windows_are_released_early(release: Target) -> None:
    if ReleaseWindow not in release.scope.operations:
        return
    system = release.build(SWA)
    put(system, (1, 2))
    settle(system)
    receipt = system.lock(system.match(Key((1, 2))).anchor)
    system.release_window(receipt)
    equal(system.observe(True).protected, (2, 0, 0))
    system.unlock(receipt)
    equal(system.observe(True).protected, (0, 0, 0))
