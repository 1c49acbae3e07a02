"""Copies in flight: their queues, acknowledgement, failure, and ranks (semantics 8.4, 9.5, 17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.specification.copies import Copies, Copy, batches
from radixproof.model.specification.trie import Page

Start = Callable[..., Any]


def test_polling_acknowledges_the_copies_that_ran_in_queue_order(start: Start) -> None:
    cache = start()
    for text in ("1", "2", "3"):
        cache.put(text)
    assert cache.cache.check(load=False, blocking=False) == []
    assert [copy.node[-1] for copy in cache.cache.copies.run(2)] == [
        cache.page("1"),
        cache.page("2"),
    ]
    assert cache.page("1").locked
    assert [copy.node[-1] for copy in cache.cache.check(load=False, blocking=False)] == [
        cache.page("1"),
        cache.page("2"),
    ]
    assert [cache.page(text).locked for text in "123"] == [False, False, True]
    assert cache.cache.copies.run(5) == cache.cache.copies.flying
    assert cache.cache.copies.run(5) == []


def test_blocking_waits_for_all_copies(start: Start) -> None:
    cache = start()
    for text in ("1", "2"):
        cache.put(text)
    assert len(cache.cache.check(load=False, blocking=True)) == 2
    assert cache.flying() == []
    assert cache.cache.check(load=False, blocking=True) == []


def test_a_backup_follows_a_split(start: Start) -> None:
    """Both pieces stay locked, and marked, until the one ack."""
    cache = start()
    cache.put("1 2 3")
    cache.match("1")
    assert [cache.page(text).locked for text in ("1", "1 2", "1 2 3")] == [True] * 3
    assert cache.cache.copies.busy() == set(cache.all_pages())
    assert len(cache.cache.check(load=False, blocking=True)) == 1
    assert not any(page.locked for page in cache.all_pages())


@pytest.fixture
def page() -> Page:
    return Page((1,), None, 1)


def names(copies: list[Copy]) -> list[int]:
    """Copies by the number that they were submitted under."""
    return [copy.holder.number for copy in copies]


def test_backups_that_are_held_back_are_submitted_as_one_by_a_check(page: Page) -> None:
    copies = Copies(1, held=True)
    for load in (False, True, False):
        copies.start(load, [page], {})
    assert names(copies.run(9)) == []
    assert names(copies.run(9, load=True)) == [2]
    assert copies.check(load=False, blocking=False) == []
    copies.start(False, [page], {})
    assert names(copies.run(1)) == [1, 3]
    acked = copies.check(load=False, blocking=False)
    assert (names(acked), batches(acked)) == ([1, 3], 1)
    acked = copies.check(load=False, blocking=True)
    assert (names(acked), batches(acked)) == ([4], 1)


def test_backups_and_load_backs_are_queues_of_their_own(page: Page) -> None:
    copies = Copies(1)
    for load in (False, True, False, True):
        copies.start(load, [page], {})
    assert names(copies.run(1, load=True)) == [2]
    assert names(copies.check(load=False, blocking=False)) == []
    assert names(copies.check(load=True, blocking=False)) == [2]
    assert names(copies.check(load=False, blocking=True)) == [1, 3]
    assert names(copies.flying) == [4]


def test_a_failed_copy_is_made_again_behind_the_others_and_acknowledged_in_its_old_place(
    page: Page,
) -> None:
    copies = Copies(1)
    for _ in range(3):
        copies.start(False, [page], {})
    assert names(copies.run(1, fail=True)) == [1]
    assert names(copies.run(1)) == [2]
    assert names(copies.check(load=False, blocking=False)) == [], (
        "the first is not complete, and goes into the queue again"
    )
    assert names(copies.queued[False, 0]) == [3, 1]
    assert names(copies.run(1)) == [3]
    assert names(copies.check(load=False, blocking=False)) == []
    assert names(copies.run(1)) == [1]
    assert names(copies.check(load=False, blocking=False)) == [1, 2, 3]


def test_a_failed_copy_does_not_run_before_it_is_submitted_again(page: Page) -> None:
    copies = Copies(1)
    copies.start(False, [page], {})
    copies.run(1, fail=True)
    assert copies.run(1) == []
    assert names(copies.check(load=True, blocking=True)) == []
    assert copies.run(1) == [], "a check of the load-backs does not submit backups"
    assert names(copies.check(load=False, blocking=True)) == [1], (
        "waiting submits it again, and performs it"
    )


def test_a_copy_may_fail_more_than_once(page: Page) -> None:
    copies = Copies(1)
    copies.start(True, [page], {})
    for _ in range(3):
        assert names(copies.run(1, load=True, fail=True)) == [1]
        assert copies.check(load=True, blocking=False) == []
    assert names(copies.run(1, load=True)) == [1]
    assert names(copies.check(load=True, blocking=False)) == [1]


def test_a_copy_is_complete_when_it_is_on_every_rank(page: Page) -> None:
    """All ranks acknowledge the same, the least that any of them could (semantics 8.4)."""
    copies = Copies(2)
    for _ in range(2):
        copies.start(False, [page], {})
    copies.run(2, rank=0)
    assert copies.check(load=False, blocking=False) == []
    copies.run(1, rank=1)
    assert names(copies.check(load=False, blocking=False)) == [1]
    assert names(copies.check(load=False, blocking=True)) == [2]


def test_a_failure_on_one_rank_holds_the_ack_back_on_all(page: Page) -> None:
    copies = Copies(2)
    copies.start(False, [page], {})
    copies.run(1, rank=0)
    copies.run(1, rank=1, fail=True)
    assert copies.check(load=False, blocking=False) == []
    copies.run(1, rank=1)
    assert names(copies.check(load=False, blocking=False)) == [1]
