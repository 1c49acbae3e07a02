"""Sabotage of acknowledgements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.sabotage.planting import FULL, THROUGH, Situation, Strikes, kind

if TYPE_CHECKING:
    from radixproof.impl.radix.backup import Backup
    from radixproof.impl.radix.cache import RadixCache


@kind(
    "the ack of a backup is withheld until the next check",
    "8.4",
    "Backups are acknowledged in the order in which they were queued, only those whose bytes have"
    " moved, or, if the caller waits, all of them.",
    policies=THROUGH,
    needs=(Situation.BACKING_UP,),
)
def backup_ack_withheld(cache: RadixCache, strikes: Strikes) -> None:
    outstanding = cache.backups._outstanding
    finish = outstanding.finish

    def one_less(blocking: bool, limit: int | None) -> list[Backup]:
        finished = finish(blocking, limit)
        if finished and strikes(FULL):
            outstanding._entries.appendleft(finished.pop())
        return finished

    outstanding.finish = one_less  # type: ignore[method-assign]
