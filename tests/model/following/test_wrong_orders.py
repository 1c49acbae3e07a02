"""What an order is called by what explains that it was broken: a split, an urgency, or uses that
were counted otherwise. Nothing else has the name of any of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from radixproof.model.config import Component, EvictionPolicy
from radixproof.model.following import wrong_orders
from radixproof.model.specification.trie import Page

FULL, SWA, MAMBA = Component
LRU, MRU, LFU = EvictionPolicy.LRU, EvictionPolicy.MRU, EvictionPolicy.LFU
SLRU, FIFO, PRIORITY = EvictionPolicy.SLRU, EvictionPolicy.FIFO, EvictionPolicy.PRIORITY
ROOT = Page((), None, 0)
PLAIN = ("access-time", "")


def leaf(token: int, used: int = 0, **fields: Any) -> Page:
    """A node of one page, used at some time; in the list of SWA at ``swa``."""
    renewed = [0, fields.pop("swa", 0), 0]
    page = Page((token,), ROOT, 1, cut=True, used=used, renewed=renewed)
    for name, value in fields.items():
        setattr(page, name, value)
    return page


def by_split(of: int) -> str:
    return f"; a split, which is no use, makes [{of}] count as used"


OF_HALF = ("access-time-of-half", by_split(1))


@pytest.mark.parametrize(
    ("component", "policy", "page", "taken", "half"),
    [
        # What should have gone, used first, was split after the other was used.
        (FULL, LRU, {"used": 3, "halved": 9}, {"used": 5}, 1),
        (FULL, LRU, {"used": 3, "halved": 4}, {"used": 5}, None),
        (FULL, LRU, {"used": 3, "halved": 5}, {"used": 5}, None),
        (FULL, LRU, {"used": 3, "halved": 6}, {"used": 5, "halved": 7}, None),
        (FULL, LRU, {"used": 3, "halved": 8}, {"used": 5, "halved": 7}, 1),
        (FULL, LRU, {"used": 9, "halved": 8}, {"used": 5}, None),
        (FULL, LRU, {"used": 3}, {"used": 5, "halved": 9}, None),
        # By MRU, what was taken counts as the newest.
        (FULL, MRU, {"used": 5}, {"used": 3, "halved": 9}, 2),
        (FULL, MRU, {"used": 5, "halved": 9}, {"used": 3}, None),
        # In a list of its own, SWA knows no policy and no use.
        (SWA, MRU, {"swa": 3, "halved": 9}, {"swa": 5, "used": 20}, 1),
        (SWA, LRU, {"swa": 3, "halved": 4}, {"swa": 5}, None),
        (SWA, LRU, {"swa": 3, "halved": 9, "used": 20}, {"swa": 5}, 1),
    ],
)
def test_what_counts_as_newer_since_a_split(
    component: Component,
    policy: EvictionPolicy,
    page: dict[str, int],
    taken: dict[str, int],
    half: int | None,
) -> None:
    first, second = leaf(1, **page), leaf(2, **taken)
    found = wrong_orders.newer_half(first, second, component, policy)
    assert found is {1: first, 2: second, None: None}[half]


BY_INSERT = ("hits-by-insert", "; several inserts of one request are one use")
UNCHANGED = ": its priority is 3, and that of the other is 4; inserts elsewhere do not change that"
LATE = "; so [3] below it, which was used less recently, went late"
MORE_INSERTS = {"hits": 1, "inserts": 3}
"""Of one request, whose inserts are one use."""


@pytest.mark.parametrize(
    ("component", "policy", "taken", "kept", "named"),
    [
        (FULL, LRU, leaf(2, 5), [leaf(1, 3)], PLAIN),
        (FULL, LRU, leaf(2, 5), [leaf(1, 3, halved=9)], OF_HALF),
        (FULL, LRU, leaf(2, 5), [leaf(3, 2), leaf(1, 3, halved=9)], OF_HALF),
        (FULL, LRU, leaf(2, 5), [leaf(3, 2), leaf(1, 3)], PLAIN),
        (SWA, LRU, leaf(2, swa=5), [leaf(1, swa=3)], ("swa-list", "")),
        (SWA, LRU, leaf(2, swa=5), [leaf(1, swa=3, halved=9)], ("swa-list-of-half", by_split(1))),
        (MAMBA, LRU, leaf(2), [leaf(1)], ("mamba-list", "")),
        # Of as many hits, the one with fewer inserts went: each counts as a use.
        (
            FULL,
            LFU,
            leaf(2, 5, hits=1, inserts=1),
            [leaf(1, 3, **MORE_INSERTS)],
            BY_INSERT,
        ),
        (FULL, LFU, leaf(2, 5, **MORE_INSERTS), [leaf(1, 3, hits=1, inserts=1)], PLAIN),
        (FULL, LFU, leaf(2, 5, hits=1, inserts=1), [leaf(1, 3, hits=1, inserts=1)], PLAIN),
        # In the list of SWA no policy counts, nor where the first had not its turn.
        (SWA, LFU, leaf(2, 5, hits=1, inserts=1), [leaf(1, 3, **MORE_INSERTS)], ("swa-list", "")),
        (FULL, LFU, leaf(2, 3, hits=1, inserts=1), [leaf(1, 5, **MORE_INSERTS)], PLAIN),
        (FULL, LFU, leaf(2, 3, hits=1, inserts=1), [leaf(1, 3, **MORE_INSERTS)], PLAIN),
        (
            FULL,
            PRIORITY,
            leaf(2, 5, priority=1, urgency=1),
            [leaf(1, 3, priority=1, urgency=4)],
            ("priority-of-root", "; inserts elsewhere make it no more urgent"),
        ),
        (
            FULL,
            PRIORITY,
            leaf(2, 5, priority=1, urgency=4),
            [leaf(1, 3, priority=1, urgency=4)],
            PLAIN,
        ),
    ],
)
def test_recency_is_named_after_what_explains_that_another_was_taken(
    component: Component,
    policy: EvictionPolicy,
    taken: Page,
    kept: Sequence[Page],
    named: tuple[str, str],
) -> None:
    assert wrong_orders.by_recency(component, taken, kept, policy) == named


@pytest.mark.parametrize(
    ("component", "policy", "gone", "stayed", "named"),
    [
        (FULL, LRU, [leaf(2, 5)], [leaf(1, 3)], PLAIN),
        (FULL, LRU, [leaf(2, 5)], [leaf(1, 3, halved=9)], OF_HALF),
        (FULL, LRU, [leaf(2, 5)], [leaf(1, 5, halved=9)], OF_HALF),
        (FULL, LRU, [leaf(2, 3)], [leaf(1, 5, halved=9)], PLAIN),
        (FULL, LRU, [leaf(2, 5), leaf(1, 3, halved=9)], [], OF_HALF),
        (FULL, MRU, [leaf(1, 3, halved=9)], [leaf(2, 5)], OF_HALF),
        (FULL, MRU, [leaf(1, 5, halved=9)], [leaf(2, 3)], PLAIN),
        # Where the hits decide, no split explains it.
        (FULL, LFU, [leaf(2, 5, hits=1)], [leaf(1, 3, hits=2, halved=9)], PLAIN),
        (FULL, LFU, [leaf(2, 5, hits=1)], [leaf(1, 3, hits=1, halved=9)], OF_HALF),
        # The drive of FULL, or the list of SWA, may have taken it.
        (SWA, LRU, [leaf(2, 5)], [leaf(1, 3, halved=9)], ("swa-list-of-half", by_split(1))),
        (
            SWA,
            MRU,
            [leaf(2, 20, swa=5)],
            [leaf(1, 1, swa=3, halved=9)],
            ("swa-list-of-half", by_split(1)),
        ),
        (SWA, LFU, [leaf(2, 5, hits=1, swa=9)], [leaf(1, 3, hits=2, halved=7)], ("swa-list", "")),
        (
            FULL,
            LFU,
            [leaf(2, 5, hits=1, inserts=1)],
            [leaf(1, 3, **MORE_INSERTS)],
            BY_INSERT,
        ),
    ],
)
def test_of_what_went_together_any_may_explain_it(
    component: Component,
    policy: EvictionPolicy,
    gone: Sequence[Page],
    stayed: Sequence[Page],
    named: tuple[str, str],
) -> None:
    assert wrong_orders.among(gone, stayed, component, policy) == named


@pytest.mark.parametrize(
    ("policy", "taken", "before", "below", "named"),
    [
        (
            LFU,
            leaf(2, hits=3, inserts=3),
            leaf(1, hits=1, inserts=1),
            [],
            ("lfu", ": it has 1 hit, and the other has 3"),
        ),
        (
            LFU,
            leaf(2, 5, hits=3, inserts=3),
            leaf(1, hits=2, inserts=2),
            [leaf(3, 5, hits=3, inserts=3)],
            ("lfu", ": it has 2 hits, and the other has 3"),
        ),
        (
            LFU,
            leaf(2, hits=3, inserts=3),
            leaf(1, hits=2, inserts=9),
            [],
            BY_INSERT,
        ),
        # As many inserts, but more hits: then recency decides, or the number of hits does.
        (
            LFU,
            leaf(2, 9, hits=3, inserts=3),
            leaf(1, 5, hits=2, inserts=3),
            [],
            BY_INSERT,
        ),
        (
            SLRU,
            leaf(2, hits=2, inserts=3),
            leaf(1, hits=1, inserts=1),
            [],
            ("slru", ": it has 1 hit, and the other has 2, and is protected from 2 on"),
        ),
        (
            SLRU,
            leaf(2, 9, hits=2, inserts=3),
            leaf(1, 5, hits=1, inserts=2),
            [],
            BY_INSERT,
        ),
        (
            FIFO,
            leaf(2, created=4),
            leaf(1, created=3),
            [],
            ("fifo", ": insert number 3 made it, and number 4 made the other"),
        ),
        (
            PRIORITY,
            leaf(2, priority=4, urgency=4),
            leaf(1, priority=3, urgency=3),
            [],
            ("priority", ": its priority is 3, and that of the other is 4"),
        ),
        (
            PRIORITY,
            leaf(2, priority=4, urgency=2),
            leaf(1, priority=3, urgency=3),
            [],
            ("priority-of-root", UNCHANGED),
        ),
        # As urgent as the other, it is recency that was broken, perhaps after a split.
        (
            PRIORITY,
            leaf(2, 5, priority=4, urgency=3),
            leaf(1, 3, priority=3, urgency=3, halved=9),
            [],
            ("access-time-of-half", UNCHANGED),
        ),
        (
            PRIORITY,
            leaf(2, 3, priority=4, urgency=3),
            leaf(1, 5, priority=3, urgency=3, halved=9),
            [],
            ("priority-of-root", UNCHANGED),
        ),
        # What is below it was used less recently, and came late for that.
        (
            PRIORITY,
            leaf(2, 5, priority=4, urgency=4),
            leaf(1, priority=3, urgency=3),
            [leaf(3, 4, priority=4, urgency=6)],
            ("priority-of-root", LATE),
        ),
        (
            FIFO,
            leaf(2, 5, created=4),
            leaf(1, created=3),
            [leaf(3, 4, created=4)],
            ("access-time", LATE),
        ),
        (
            FIFO,
            leaf(2, 5, created=4),
            leaf(1, created=3),
            [leaf(3, 4, created=4, halved=9)],
            ("access-time-of-half", LATE),
        ),
        (
            FIFO,
            leaf(2, 5, created=4),
            leaf(1, created=3),
            [leaf(3, 5, created=4), leaf(4, 4, created=2)],
            ("fifo", ": insert number 3 made it, and number 4 made the other"),
        ),
    ],
)
def test_a_policy_is_named_unless_something_explains_that_it_was_broken(
    policy: EvictionPolicy,
    taken: Page,
    before: Page,
    below: Sequence[Page],
    named: tuple[str, str],
) -> None:
    assert wrong_orders.against_policy(taken, before, below, policy) == named


def test_only_a_priority_is_more_urgent() -> None:
    early, late = leaf(1, 3, urgency=2), leaf(2, 5, urgency=2)
    assert wrong_orders.is_more_urgent(early, late, PRIORITY)
    assert not wrong_orders.is_more_urgent(late, early, PRIORITY)
    assert not wrong_orders.is_more_urgent(early, early, PRIORITY)
    assert not wrong_orders.is_more_urgent(early, late, LFU)
