"""Which allocation met a refusal is not seen, so each possibility is tried (semantics 17.4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from itertools import permutations
from typing import NamedTuple

from radixproof.model.config import HOST, Pool
from radixproof.model.following.choice import Choice
from radixproof.model.following.host_room import HostLog
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page, Trie


@dataclass(slots=True)
class Refusals:
    """One possibility: what is pending, in the order in which pools are asked (semantics 17.4)."""

    pending: Sequence[Pool]
    all_at_once: bool = False
    """Whoever is refused has asked all pools, not only those up to the first that refused."""

    def meet(self, asked: Collection[Pool]) -> bool:
        """Slots are asked for: whether any are refused. What was met is over (semantics 17.4)."""
        met = [pool for pool in self.pending if pool in asked]
        if not self.all_at_once:
            met = met[:1]
        self.pending = [pool for pool in self.pending if pool not in met]
        return bool(met)


def possible_refusals(pools: Collection[Pool]) -> Iterator[Refusals]:
    """All that may be the case where refusals of these pools may be pending (semantics 17.4)."""
    for count in range(len(pools) + 1):
        for pending in permutations(sorted(pools), count):
            yield Refusals(pending)
            if count > 1 and list(pending) == sorted(pending):
                yield Refusals(pending, all_at_once=True)


class Trial(NamedTuple):
    """What came of trying all possibilities (semantics 17.4)."""

    refusals: Refusals
    """By which all came about that is seen; if by none, that nothing was pending."""
    pending: set[Pool]
    """What may be pending afterwards."""
    hidden: bool
    """It may have come about in several orders."""


def tried(state: State, choice: Choice, evict: Callable[[Refusals], HostLog | None]) -> Trial:
    """Try all possibilities of what is pending on the host. ``evict`` follows the eviction by one
    of them, and returns what happened on the host, in order, unless anything was wrong (17.4).
    """
    right: list[Refusals] = []
    pending: set[Pool] = set()
    orders: list[object] = []
    for refusals in possible_refusals(state.refusing.intersection(HOST)):
        with undone(state.trie) as before:
            log = evict(last := replace(refusals))
            if log is not None and _came_about(before, choice):
                right.append(refusals)
                pending.update(last.pending)
                orders.append((log, [list(order) for order in state.trie.host_only]))
    several = any(order != orders[0] for order in orders)
    return Trial(right[0] if right else Refusals(()), pending, several)


def _came_about(before: Mapping[Page, Sequence[bool]], choice: Choice) -> bool:
    """Every page is where it is seen, but for what a load-back is yet to bring (17.4)."""
    return all(
        page.has(pool) == (page not in choice.gone[pool] and (here or page in choice.gained[pool]))
        for page, resident in before.items()
        for pool, here in zip(Pool, resident, strict=True)
        if here or pool.on_host
    )


@contextmanager
def undone(trie: Trie) -> Iterator[dict[Page, list[bool]]]:
    """What leaves a tier within, or comes to it, was only tried, and is undone. Gives where each
    page was (semantics 17.4).
    """
    pages = [*trie.recency, *trie.roots.values()]
    above = {page.parent: None for page in pages if page.parent is not None}
    before = {page: page.resident_in.copy() for page in pages}
    children = {page: page.children.copy() for page in [*above, *pages]}
    kept = {name: copy(value) for name, value in vars(trie).items() if name != "config"}
    orders = [[order.copy() for order in kept[name]] for name in ("host_only", "recency_in")]
    try:
        yield before
    finally:
        for page, resident in before.items():
            page.resident_in = resident
        for page, below in children.items():
            page.children = below
        vars(trie).update(kept)
        trie.host_only, trie.recency_in = map(tuple, orders)
