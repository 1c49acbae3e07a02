"""Sabotage of acknowledgements."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.sabotage.planting import (
    ALL,
    FULL,
    HOSTED,
    THROUGH,
    Situation,
    Strikes,
    kind,
)
from radixproof.impl.sabotage.seams import around
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.outstanding import Outstanding

Acks: TypeAlias = "Callable[[Outstanding[Any], Strikes], None]"
BACKUPS = (Situation.BACKING_UP,)
LOADS = (Situation.LOADING,)
ACKED = (
    "Backups are acknowledged in the order in which they were queued, only those whose bytes have"
    " moved, or, if the caller waits, all of them."
)
RELEASES = "The ack releases the lock and removes the pending mark from every piece of the node"
LIKEWISE = "As in 8.4, in an order of its own: both locks are released and the marks are gone."
FAILS = (
    "A copy fails if it is told to: its targets hold garbage, and the next check, polling or"
    " blocking, submits it again, at the end of its queue, while it keeps its place in the order of"
    " acks."
)


def _of_either(name: str, wrong: str) -> Callable[[Acks], Acks]:
    """Register a kind for the acks of backups, and one for those of load-backs."""

    def register(plant: Acks) -> Acks:
        def of_backups(cache: RadixCache, strikes: Strikes) -> None:
            plant(cache.backups._outstanding, strikes)

        def of_loads(cache: RadixCache, strikes: Strikes) -> None:
            plant(cache.loader._outstanding, strikes)

        of_backups.__name__, of_loads.__name__ = f"backup_{name}", f"load_{name}"
        backup, load = wrong.format("a backup"), wrong.format("a load-back")
        kind(backup, "8.4", ACKED, policies=THROUGH, needs=BACKUPS)(of_backups)
        kind(load, "9.5", LIKEWISE, policies=HOSTED, needs=LOADS)(of_loads)
        return plant

    return register


@_of_either("ack_withheld", "the ack of {} is withheld until the next check")
def withheld(outstanding: Outstanding[Any], strikes: Strikes) -> None:
    @around(outstanding, "finish")
    def one_less(finish: Callable[..., list[Any]], blocking: bool, limit: int | None) -> list[Any]:
        finished = finish(blocking, limit)
        if finished and strikes(FULL):
            outstanding._entries.appendleft(finished.pop())
        return finished


@_of_either("ack_early", "{} is acknowledged before its bytes have moved")
def early(outstanding: Outstanding[Any], strikes: Strikes) -> None:
    @around(outstanding, "done")
    def one_more(done: Callable[..., int]) -> int:
        count = done()
        return count + 1 if count < len(outstanding) and strikes(FULL) else count


@_of_either("acks_swapped", "{}'s ack goes to the one behind it")
def swapped(outstanding: Outstanding[Any], strikes: Strikes) -> None:
    @around(outstanding, "finish")
    def another(finish: Callable[..., list[Any]], blocking: bool, limit: int | None) -> list[Any]:
        finished = finish(blocking, limit)
        if finished and outstanding._entries and strikes(FULL):
            following = outstanding._entries.popleft()
            outstanding._entries.appendleft(finished.pop())
            finished.append(following)
        return finished


@kind(
    "backups that are acknowledged together are so in the wrong order",
    "8.4",
    ACKED,
    policies=THROUGH,
    needs=BACKUPS,
)
def backup_acks_reversed(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.backups._outstanding, "finish")
    def reverse(finish: Callable[..., list[Any]], blocking: bool, limit: int | None) -> list[Any]:
        finished = finish(blocking, limit)
        return finished[::-1] if len(finished) > 1 and strikes(FULL) else finished


def _counted_twice(cache: RadixCache, check: str, strikes: Strikes) -> None:
    @around(cache, check)
    def twice(check: Callable[..., int], *how: Any) -> int:
        count = check(*how)
        return count + 1 if count and strikes(FULL) else count


@kind("an ack of a backup is counted twice", "8.4", ACKED, policies=THROUGH, needs=BACKUPS)
def backup_ack_counted_twice(cache: RadixCache, strikes: Strikes) -> None:
    _counted_twice(cache, "writing_check", strikes)


@kind("an ack of a load-back is counted twice", "9.5", LIKEWISE, policies=HOSTED, needs=LOADS)
def load_ack_counted_twice(cache: RadixCache, strikes: Strikes) -> None:
    _counted_twice(cache, "loading_check", strikes)


@kind("an ack of a backup releases a lock twice", "8.4", RELEASES, ALL, THROUGH, BACKUPS)
def backup_ack_doubled(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.backups, "_finish")
    def again(finish: Callable[..., None], backup: Any) -> None:
        finish(backup)
        node = backup.receipt.anchor if backup.receipt is not None else cache.tree.root
        for component in COMPONENTS:
            if node.states[component].locks and strikes(Component(component)):
                cache.tree.release(node, component)


@kind("an ack of a backup leaves a lock", "8.4", RELEASES, ALL, THROUGH, BACKUPS)
def backup_ack_keeps_lock(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.backups, "_finish")
    def keep(finish: Callable[..., None], backup: Any) -> None:
        finish(backup)
        for component in cache.config.components:
            if backup.receipt is not None and strikes(Component(component)):
                cache.tree.hold(backup.receipt.anchor, component)


@kind("an ack of a backup leaves the mark", "8.4", RELEASES, policies=THROUGH, needs=BACKUPS)
def backup_ack_keeps_mark(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.backups, "_finish")
    def keep(finish: Callable[..., None], backup: Any) -> None:
        finish(backup)
        if strikes(FULL):
            backup.fragments[-1].backups.append(backup)
            cache.tree.changed(backup.fragments[-1])


def _load_acked(cache: RadixCache, then: Callable[[Any], None]) -> None:
    """Let ``then`` see every load-back that was acknowledged."""
    outstanding = cache.loader._outstanding
    finished: list[Any] = []

    @around(outstanding, "finish")
    def note(finish: Callable[..., list[Any]], blocking: bool, limit: int | None) -> list[Any]:
        finished[:] = finish(blocking, limit)
        return list(finished)

    @around(cache.loader, "acknowledge")
    def and_then(acknowledge: Callable[..., int], *how: Any) -> int:
        finished.clear()
        count = acknowledge(*how)
        for load in finished:
            then(load)
        return count


@kind("an ack of a load-back leaves a lock on the device", "9.5", LIKEWISE, ALL, HOSTED, LOADS)
def load_ack_keeps_lock(cache: RadixCache, strikes: Strikes) -> None:
    def keep(load: Any) -> None:
        for component in cache.config.components:
            if strikes(Component(component)):
                cache.tree.hold(load.receipt.anchor, component)

    _load_acked(cache, keep)


@kind("an ack of a load-back leaves a lock on the host", "9.5", LIKEWISE, ALL, HOSTED, LOADS)
def load_ack_keeps_host_lock(cache: RadixCache, strikes: Strikes) -> None:
    def keep(load: Any) -> None:
        for component in cache.config.components:
            if strikes(Component(component)):
                cache.tree.hold_host(load.host_receipt.anchor, component)

    _load_acked(cache, keep)


@kind("an ack of a load-back leaves the mark", "9.5", LIKEWISE, policies=HOSTED, needs=LOADS)
def load_ack_keeps_mark(cache: RadixCache, strikes: Strikes) -> None:
    def keep(load: Any) -> None:
        if strikes(FULL):
            load.fragments[-1].loads.append(load)
            cache.tree.changed(load.fragments[-1])

    _load_acked(cache, keep)


@kind("a copy that failed is taken for one that was made", "17.4", FAILS, policies=HOSTED)
def failed_copy_acknowledged(cache: RadixCache, strikes: Strikes) -> None:
    def call_it_done(repeat: Callable[..., None], outstanding: Outstanding[Any]) -> None:
        for entry in outstanding._ahead:
            if entry.copy.failed and strikes(FULL):
                entry.copy.done, entry.copy.failed = True, False
        repeat()

    for outstanding in (cache.backups._outstanding, cache.loader._outstanding):

        @around(outstanding, "_repeat")
        def wrapped(repeat: Callable[..., None], of: Outstanding[Any] = outstanding) -> None:
            call_it_done(repeat, of)
