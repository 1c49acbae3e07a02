"""Why the wrong one was taken: what an order is called, by what explains that it was broken
(semantics 5.5, 7.2, 8.1, 10.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radixproof.model.config import Component, EvictionPolicy
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.ordering import SLRU_PROTECTED, rank
from radixproof.model.specification.trie import Page

HITS_BY_INSERT = "hits-by-insert"
"""The rule that is broken where every insert of a request counts as a use of its own (8.1)."""
URGENCY_OF_ROOT = "priority-of-root"
"""The rule that is broken where what is fetched below the root takes the priority of the most
urgent insert (10.3). Where that makes two alike, recency decides, and is wrong.
"""
OF_HALF = "-of-half"
"""Follows on the name of an order where a half of a split node counts as used (5.5)."""
NO_URGENCY = "; inserts elsewhere make it no more urgent"
ONE_USE = "; several inserts of one request are one use"


def recency_of(component: Component) -> str:
    """The order that decides who goes first, unless a policy does: names a cause (7.2, 7.3)."""
    if component is Component.FULL:
        return "access-time"
    return f"{component.name.lower()}-list"


def by_recency(
    component: Component, taken: Page, kept: Sequence[Page], policy: EvictionPolicy
) -> tuple[str, str]:
    """The order that was broken when one was ``taken``, and why: of that and what was ``kept`` and
    should have gone first, something counts as newer since a split, as more urgent, or as used
    more often (semantics 5.5, 8.1, 10.3).
    """
    first, *_ = kept
    ranked = policy if component is Component.FULL else EvictionPolicy.LRU
    if (found := _by_rank(first, taken, ranked)) is not None:
        return found
    halves = (newer_half(page, taken, component, policy) for page in kept)
    return _named(component, next(filter(None, halves), None))


def among(
    gone: Sequence[Page], stayed: Iterable[Page], component: Component, policy: EvictionPolicy
) -> tuple[str, str]:
    """The order that was broken, and why, if what has gone went in the wrong one, or in place of
    what stayed, in the drive of FULL or in its own (semantics 5.5, 7.1, 8.1, 10.3).
    """
    pairs = [(page, taken) for page in (*gone, *stayed) for taken in gone]
    for page, taken in pairs:
        if (found := _by_rank(page, taken, policy)) is not None:
            return found
    for order in (Component.FULL, component):
        newest_first = policy is EvictionPolicy.MRU and order is Component.FULL
        for page, taken in pairs:
            older = _last(page, order) <= _last(taken, order)
            first = older is not newest_first and not ranks_apart(taken, page, order, policy)
            half = newer_half(page, taken, order, policy)
            if first and half is not None:
                return _named(component, half)
    return _named(component, None)


def _by_rank(page: Page, taken: Page, policy: EvictionPolicy) -> tuple[str, str] | None:
    """The same, where a page has its turn before what was taken, and what explains that is no use
    of it, or no urgency of its own (semantics 8.1, 10.3).
    """
    if (rank(page, policy), page.used) >= (rank(taken, policy), taken.used):
        return None
    if _first_by_inserts(taken, page, policy):
        return HITS_BY_INSERT, ONE_USE
    return (URGENCY_OF_ROOT, NO_URGENCY) if is_more_urgent(taken, page, policy) else None


def _named(component: Component, half: Page | None) -> tuple[str, str]:
    """What an order is called, and why it was broken where that was for ``half`` a split node
    (semantics 5.5).
    """
    if half is None:
        return recency_of(component), ""
    why = f"; a split, which is no use, makes {spell(half.node())} count as used"
    return f"{recency_of(component)}{OF_HALF}", why


def newer_half(
    page: Page, taken: Page, component: Component, policy: EvictionPolicy
) -> Page | None:
    """What counts as newer since a split of its node, so that another was taken in place of a page
    (semantics 5.5).
    """
    newest_first = policy is EvictionPolicy.MRU and component is Component.FULL
    newer, older = (taken, page) if newest_first else (page, taken)
    since = max(_last(newer, component), _last(older, component), older.halved)
    return newer if newer.halved > since else None


def _last(page: Page, component: Component) -> int:
    """When a page became the newest in the order of a component (semantics 1.7)."""
    return page.used if component is Component.FULL else page.renewed[component]


def against_policy(
    taken: Page, before: Page, below: Sequence[Page], policy: EvictionPolicy
) -> tuple[str, str]:
    """The rule that is broken, and why, where a policy puts another before a victim; what is
    ``below`` that one went (semantics 7.2, 8.1).
    """
    later = [page for page in below if _is_more_recent(taken, page, policy)]
    compared = _compared(before, taken, policy)
    if any(_first_by_inserts(taken, one, policy) for one in (before, *below)):
        return HITS_BY_INSERT, ONE_USE
    if policy is EvictionPolicy.PRIORITY and taken.urgency <= before.urgency:
        rule, _ = by_recency(Component.FULL, taken, [before], policy)
        return rule, f": {compared}; inserts elsewhere do not change that"
    if later:
        why = f"; so {spell(later[0].node())} below it, which was used less recently, went late"
        return by_recency(Component.FULL, taken, later, policy)[0], why
    return policy.value, f": {compared}"


def _is_more_recent(taken: Page, before: Page, policy: EvictionPolicy) -> bool:
    """Whether recency alone puts another leaf before a victim (semantics 7.2)."""
    return rank(taken, policy) == rank(before, policy) and taken.used > before.used


def _compared(page: Page, other: Page, policy: EvictionPolicy) -> str:
    """What a policy ranks two nodes by, in words (semantics 7.2)."""
    if policy is EvictionPolicy.PRIORITY:
        return f"its priority is {page.priority}, and that of the other is {other.priority}"
    if policy in (EvictionPolicy.FIFO, EvictionPolicy.FILO):
        return f"insert number {page.created} made it, and number {other.created} made the other"
    hits = f"it has {page.hits} hit{'' if page.hits == 1 else 's'}, and the other has {other.hits}"
    protected = f", and is protected from {SLRU_PROTECTED} on"
    return hits + (protected if policy is EvictionPolicy.SLRU else "")


def ranks_apart(taken: Page, before: Page, component: Component, policy: EvictionPolicy) -> bool:
    """Whether more than recency says which of both goes first (semantics 7.2)."""
    return component is Component.FULL and rank(before, policy) != rank(taken, policy)


def is_more_urgent(taken: Page, before: Page, policy: EvictionPolicy) -> bool:
    """Whether the victim is the first of both if what is fetched below the root takes the priority
    of the most urgent insert (semantics 10.3).
    """
    return policy is EvictionPolicy.PRIORITY and (
        (taken.urgency, taken.used) < (before.urgency, before.used)
    )


def _first_by_inserts(taken: Page, before: Page, policy: EvictionPolicy) -> bool:
    """Whether the victim is the first of both if every insert is a use, or the policy does not tell
    them apart then, and recency decides (semantics 7.2, 8.1).
    """
    uses = [page.inserts for page in (taken, before)]
    if policy is EvictionPolicy.SLRU:
        uses = [int(count >= SLRU_PROTECTED) for count in uses]
    elif policy is not EvictionPolicy.LFU:
        return False
    alike = uses[0] == uses[1]
    told = rank(taken, policy) > rank(before, policy)
    return uses[0] < uses[1] or (alike and (told or taken.used < before.used))
