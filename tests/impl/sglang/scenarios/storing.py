"""What was fetched from storage is handed over on the host."""

from __future__ import annotations

from radixproof.impl.operations import HostInsert
from radixproof.impl.system import Target
from radixproof.model.config import Pool
from radixproof.model.key import Key

from .bench import ENDLESS, FULL_ONLY, build, equal, fetch, look, only, put, settle, tags


def what_was_fetched_is_on_the_host_and_is_loaded(release: Target) -> None:
    """Not below what is not backed up, since 0.5.17: what was fetched for that is free again."""
    if HostInsert not in release.scope.offers():
        return
    system = build(release, FULL_ONLY)
    free = look(system).free[Pool.FULL_HOST]
    equal((fetch(system, (1, 2, 3, 4)), fetch(system, (1, 2, 3, 4, 5, 6))), (4, 2))
    equal(look(system).free[Pool.FULL_HOST], free - 6)
    found = system.match(Key((1, 2, 3, 4, 5, 6)))
    equal((found.device, found.best, system.load_back(found.best_anchor, None)), (0, 6, 6))
    equal((system.run_copies(1, load=True), system.loading_check(False)), (1, 1))
    slots = system.match(Key((1, 2, 3, 4, 5, 6))).slots
    equal(system.read(Pool.FULL, slots), tags((1, 2, 3, 4, 5, 6)))
    system = build(release, FULL_ONLY)
    system.refuse(Pool.FULL_HOST)
    put(system, (1, 2))
    settle(system)
    hangs = release.name.endswith(ENDLESS)  # below anything, in the same releases
    kept = 2 if hangs else 0
    equal((fetch(system, (1, 2, 3, 4)), look(system).free[Pool.FULL_HOST]), (kept, free - kept))
    if hangs:
        return
    equal(only(look(system)).segment, (1, 2))
