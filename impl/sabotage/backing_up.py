"""Sabotage of backups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.sabotage.planting import FULL, THROUGH, Strikes, kind

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node


@kind(
    "a backup that is due, and has room, is not started",
    "8.2",
    "What was due and had room is *owed*: if eviction later takes it from the device for want of a"
    " host copy, that is a breach.",
    policies=THROUGH,
)
def backup_not_started(cache: RadixCache, strikes: Strikes) -> None:
    backups = cache.backups
    start = backups._start

    def not_at_all(node: Node, lock: bool) -> bool:
        needed = backups._missing(node)
        room = cache.memory.host
        fits = all(len(slots) <= room[one].available for one, slots in needed.items())
        return False if fits and lock and strikes(FULL) else start(node, lock)

    backups._start = not_at_all  # type: ignore[method-assign]
