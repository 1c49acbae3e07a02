"""What may have met a refusal: each possibility is tried, and nothing of that stays (17.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Pool
from radixproof.model.following.refusals import Refusals, possible_refusals, undone

Start = Callable[..., Any]
FULL, SWA = Pool.FULL_HOST, Pool.SWA_HOST


@pytest.mark.parametrize(
    ("pending", "all_at_once", "asked", "met", "left"),
    [
        ((FULL, SWA), False, [FULL, SWA], True, [SWA]),
        ((SWA, FULL), False, [FULL, SWA], True, [FULL]),
        ((FULL, SWA), False, [SWA], True, [FULL]),
        ((FULL, SWA), True, [FULL, SWA], True, []),
        ((FULL,), False, [SWA], False, [FULL]),
    ],
)
def test_who_is_refused_meets_the_first_pool_that_refuses(
    pending: tuple[Pool, ...], all_at_once: bool, asked: list[Pool], met: bool, left: list[Pool]
) -> None:
    refusals = Refusals(pending, all_at_once=all_at_once)
    assert refusals.meet(asked) == met
    assert list(refusals.pending) == left


def test_all_that_may_be_pending_is_tried_nothing_first() -> None:
    """In every order of the pools; whoever asks all of them at once meets all, in any."""
    assert list(possible_refusals([])) == [Refusals(())]
    assert list(possible_refusals([FULL])) == [Refusals(()), Refusals((FULL,))]
    assert list(possible_refusals([SWA, FULL])) == [
        Refusals(()),
        Refusals((FULL,)),
        Refusals((SWA,)),
        Refusals((FULL, SWA)),
        Refusals((FULL, SWA), all_at_once=True),
        Refusals((SWA, FULL)),
    ]


def test_what_is_tried_is_undone(start: Start) -> None:
    cache = start(window=1, mamba=True, write_back=True)
    cache.put("1 2", state=True)
    cache.put("7", state=True)
    cache.evict(1)
    trie = cache.cache.trie
    before = cache.tree(), trie.used.copy(), list(trie.recency), list(trie.host_only[0])
    with undone(trie):
        cache.evict(9)
        cache.cache.evict_host(9, Pool.FULL_HOST.component)
        assert cache.tree() == {}
    assert before == (cache.tree(), trie.used, list(trie.recency), list(trie.host_only[0]))


@pytest.mark.parametrize(
    ("gone", "gained", "wrong", "left"),
    [
        (["1", "2"], ["2"], [], set()),
        (["1", "2"], ["1"], ["PROGRESS/not-written-back"], None),
        (["1", "2"], ["1", "2"], [], set()),
        (["1", "2"], [], ["PROGRESS/not-written-back"], None),
    ],
    ids=["first", "second", "over before", "twice"],
)
def test_one_refusal_keeps_one_victim_from_being_copied(
    start: Start, gone: list[str], gained: list[str], wrong: list[str], left: set[Pool] | None
) -> None:
    cache = start(write_back=True)
    cache.put("1")
    cache.put("2")
    cache.cache.refuse(FULL)
    breaches = cache.evict_as((2, 0, 0), {"F": gone}, {"f": gained}, sure=False)[1]
    assert breaches[:1] == wrong
    assert left is None or cache.cache.refusing == left


def test_a_refusal_that_nobody_met_is_still_pending(start: Start) -> None:
    cache = start(write_back=True)
    cache.put("1")
    cache.put("2")
    cache.evict(1)
    cache.put("1")
    cache.cache.refuse(FULL)
    assert cache.evict_as((0, 0, 0), {}, {}, sure=False)[1] == []
    assert cache.cache.refusing == {FULL}
