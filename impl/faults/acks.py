"""Bugs in acknowledging copies."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.backup import Backup
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.loading import Load
    from radixproof.impl.radix.outstanding import Outstanding


def queues(cache: RadixCache) -> tuple[Outstanding[Backup], Outstanding[Load]]:
    """What is yet to be acknowledged: backups, and load-backs."""
    return cache.backups._outstanding, cache.loader._outstanding


@fault(
    "SGLang pull requests 5499 and 5543",
    "a backup is acknowledged, but its node stays locked on the device",
    Property.LOCK,
)
def ack_keeps_lock(cache: RadixCache) -> None:
    backups = cache.backups
    finish = backups._finish

    def without_unlocking(backup: Backup) -> None:
        backup.receipt = None
        finish(backup)

    backups._finish = without_unlocking  # type: ignore[method-assign]


@fault(
    "family of B42, SGLang pull request 27330",
    "a backup is acknowledged before one that was started earlier, whose copy failed at first",
    Property.PROGRESS,
)
def acks_out_of_order(cache: RadixCache) -> None:
    outstanding = cache.backups._outstanding
    finish = outstanding.finish

    def whatever_is_done(blocking: bool, limit: int | None) -> list[Backup]:
        finished = finish(blocking, limit)
        others = [backup for backup in outstanding._entries if backup.copy.done]
        for backup in others:
            outstanding._entries.remove(backup)
        return finished + others

    outstanding.finish = whatever_is_done  # type: ignore[method-assign]


@fault(
    "B53, SGLang pull request 29819",
    "a poll acknowledges load-backs that the engine has not made yet",
    Property.PROGRESS,
)
def load_acknowledged_before_the_copy(cache: RadixCache) -> None:
    outstanding = cache.loader._outstanding

    def all_of_them() -> int:
        return len(outstanding)

    outstanding.done = all_of_them  # type: ignore[method-assign]


@fault(
    "family of B53, SGLang issue 29812",
    "a poll acknowledges one backup more than the engine has made",
    Property.PROGRESS,
)
def one_ack_too_many(cache: RadixCache) -> None:
    outstanding = cache.backups._outstanding
    done = outstanding.done

    def one_more() -> int:
        return min(done() + 1, len(outstanding))

    outstanding.done = one_more  # type: ignore[method-assign]


@fault(
    "family of B03, SGLang pull request 27108",
    "a copy that failed is taken for one that was made",
    Property.CONTENT,
)
def failed_copy_acknowledged(cache: RadixCache) -> None:
    for outstanding in queues(cache):
        _call_it_done(outstanding)


def _call_it_done(outstanding: Outstanding[Backup] | Outstanding[Load]) -> None:
    repeat = outstanding._repeat

    def call_it_done() -> None:
        for entry in outstanding._ahead:
            entry.copy.done, entry.copy.failed = entry.copy.done or entry.copy.failed, False
        repeat()

    outstanding._repeat = call_it_done  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 37103",
    "a copy that failed is not made again, and never acknowledged",
    Property.PROGRESS,
)
def failed_copy_lost(cache: RadixCache) -> None:
    outstanding = cache.backups._outstanding

    def drop_failed() -> None:
        while outstanding._ahead and (
            outstanding._ahead[0].copy.done or outstanding._ahead[0].copy.failed
        ):
            outstanding._ahead.popleft()

    outstanding._repeat = drop_failed  # type: ignore[method-assign]


@fault(
    "family of B42, SGLang pull request 27330",
    "a backup whose copy failed goes to the end of those that wait for their acknowledgement",
    Property.PROGRESS,
)
def failed_copy_loses_its_place(cache: RadixCache) -> None:
    outstanding = cache.backups._outstanding
    repeat = outstanding._repeat

    def to_the_end() -> None:
        for backup in [backup for backup in outstanding._entries if backup.copy.failed]:
            outstanding._entries.remove(backup)
            outstanding._entries.append(backup)
        repeat()

    outstanding._repeat = to_the_end  # type: ignore[method-assign]


@fault(
    "B42, SGLang pull request 27330",
    "each rank acknowledges what is complete there, without asking the others",
    Property.RANK,
)
def ranks_poll_alone(cache: RadixCache) -> None:
    outstanding = cache.backups._outstanding
    finish = outstanding.finish

    def without_limit(blocking: bool, limit: int | None) -> list[Backup]:
        return finish(blocking, None)

    outstanding.finish = without_limit  # type: ignore[method-assign]


@fault(
    "B42, SGLang pull request 27330",
    "a poll for load-backs returns early unless the last of them is complete",
    Property.PROGRESS,
)
def poll_returns_early(cache: RadixCache) -> None:
    outstanding = cache.loader._outstanding
    finish = outstanding.finish

    def all_or_none(blocking: bool, limit: int | None) -> list[Load]:
        if not blocking and outstanding.done() < len(outstanding):
            return []
        return finish(blocking, limit)

    outstanding.finish = all_or_none  # type: ignore[method-assign]


@fault(
    "family of B42 and B68, SGLang pull requests 27330 and 27010",
    "what is complete beyond the number that the ranks agreed on is forgotten",
    Property.RANK,
)
def acks_beyond_the_agreed_number_lost(cache: RadixCache) -> None:
    outstanding = cache.backups._outstanding
    finish = outstanding.finish

    def up_to_the_limit(blocking: bool, limit: int | None) -> list[Backup]:
        return finish(blocking, None)[:limit]

    outstanding.finish = up_to_the_limit  # type: ignore[method-assign]


@fault(
    "family of B03, SGLang pull request 27108: what is made again",
    "of a copy that failed FULL alone is copied again",
    Property.CONTENT,
)
def only_full_copied_again(cache: RadixCache) -> None:
    for outstanding in queues(cache):
        _copy_again_in_part(outstanding)


def _copy_again_in_part(outstanding: Outstanding[Backup] | Outstanding[Load]) -> None:
    repeat = outstanding._repeat

    def of_the_first_component() -> None:
        for entry in outstanding._ahead:
            if entry.copy.failed:
                entry.copy.transfers = entry.copy.transfers[:1]
        repeat()

    outstanding._repeat = of_the_first_component  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 37103: when it is made again",
    "a copy that failed is made again by a check that waits, and by no poll",
    Property.PROGRESS,
)
def failed_copies_wait_for_a_blocking_check(cache: RadixCache) -> None:
    for outstanding in queues(cache):
        _copy_again_if_blocking(outstanding)


def _copy_again_if_blocking(outstanding: Outstanding[Any]) -> None:
    finish, repeat = outstanding.finish, outstanding._repeat

    def nothing() -> None:
        pass

    def finish_what_is_done(blocking: bool, limit: int | None) -> list[Any]:
        outstanding._repeat = repeat if blocking else nothing  # type: ignore[method-assign]
        return finish(blocking, limit)

    outstanding.finish = finish_what_is_done  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 37103: how many are made again",
    "of several copies that have failed one is made again, and the next when that has run",
    Property.PROGRESS,
)
def failed_copies_made_again_one_at_a_time(cache: RadixCache) -> None:
    for outstanding in queues(cache):
        _copy_one_again(outstanding)


def _copy_one_again(outstanding: Outstanding[Any]) -> None:
    ahead = outstanding._ahead

    def the_first() -> None:
        while ahead and ahead[0].copy.done:
            ahead.popleft()
        if ahead and ahead[0].copy.failed:
            ahead[0].copy = outstanding._engine.submit(ahead[0].copy.transfers)

    outstanding._repeat = the_first  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 37103: how often is made again",
    "a copy that has failed for the third time is taken to be done",
    Property.PROGRESS,
)
def third_failure_taken_for_the_end(cache: RadixCache) -> None:
    for outstanding in queues(cache):
        _give_up_after(2, outstanding)


def _give_up_after(most: int, outstanding: Outstanding[Any]) -> None:
    repeat = outstanding._repeat
    failures: Counter[Any] = Counter()

    def while_patient() -> None:
        for entry in outstanding._ahead:
            failures[entry] += entry.copy.failed
            if entry.copy.failed and failures[entry] > most:
                entry.copy.failed = False
                entry.copy.done = True
        repeat()

    outstanding._repeat = while_patient  # type: ignore[method-assign]
