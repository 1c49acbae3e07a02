"""Eviction, on both tiers.

Which victims go is the system's choice, given as the pages that went (`Gone`). It is followed victim by victim: each must have been
evictable when its turn came and the least recently used of those that were, and nothing more may go than was asked for. Without a
choice, the strict one is made: exactly the least recently used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from radixproof.model.config import Component, Pool
from radixproof.model.rules import is_device_leaf, is_host_leaf
from radixproof.model.trie import Page, Trie, spell
from radixproof.model.verdict import Breach, Property, Witness

FULL, SWA = Component.FULL, Component.SWA

Gone: TypeAlias = Sequence[dict[Page, None]]
"""Per `Pool`, the pages that the system's pool held before a step and does not hold after it: the system's choice."""

RECENCY_OF = {FULL: "access-time", SWA: "swa-list"}
"""The recency that each component is evicted by: one name for one cause (semantics 7.2, 7.3)."""

Candidates: TypeAlias = Callable[[], Iterable[Page]]


@dataclass(slots=True)
class Eviction:
    """One eviction on the device as it goes: what was asked for per component, and the victims with the tokens each freed."""

    trie: Trie
    asked: tuple[int, int]
    gone: Gone | None
    threshold: int
    victims: list[tuple[int, int]] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    def freed(self, component: Component) -> int:
        return sum(victim[component] for victim in self.victims)

    def run(self) -> None:
        """FULL leaves, then SWA values, least recently used first, until enough is free (semantics 7.1 to 7.3)."""
        for component, candidates in ((FULL, self._device_leaves), (SWA, self._swa_victims)):
            asked, wanted = self.asked[component], None if self.gone is None else self.gone[component]
            while self.freed(component) < asked:
                victim = _choose(candidates, wanted, component, self.breaches)
                if victim is None:
                    _stopped_early(candidates, "stopped-early", asked, self.freed(component), self.breaches)
                    break
                self._evict_node(victim)
        if self.gone is not None:
            self._evict_unasked(self.gone)

    def _device_leaves(self) -> Iterable[Page]:
        return (page for page in self.trie.device_order if is_device_leaf(page))

    def _swa_victims(self) -> Iterable[Page]:
        return (page for page in self.trie.swa_order if page.cut and not page.held(SWA))

    def _evict_node(self, end: Page) -> None:
        """A leaf leaves the device whole: demoted if backed, else deleted. Another node only loses its SWA (semantics 7.3, 7.4)."""
        node, leaf = end.node(), is_device_leaf(end)
        if leaf and self.gone is not None and end not in self.gone[Pool.FULL]:
            text = f"{spell(node)} lost its SWA as an interior node, before what hung below it and was used less recently"
            self.breaches.append(Breach(Property.RECENCY, RECENCY_OF[SWA], text))
            leaf = False
        size = self.trie.config.page_size
        self.victims.append((size * len(node) if leaf else 0, size * sum(page.has(Pool.SWA) for page in node)))
        if leaf and not end.has(Pool.FULL_HOST):
            if any(page.owed for page in node):
                witness = Witness(end.key(), Pool.FULL_HOST, held=True)
                self.breaches.append(Breach(Property.PROGRESS, "never-backed-up", _lost(node, self.threshold), witness))
            self.trie.delete(node)
            return
        for page in node:
            self.trie.drop(page, Pool.SWA)
            if leaf:
                self.trie.drop(page, Pool.FULL)

    def _evict_unasked(self, gone: Gone) -> None:
        """Adopt what went beyond what had to go, and say why it should not have."""
        last = None
        for pool in (Pool.FULL, Pool.SWA):
            left = [page for page in gone[pool] if page.cut and page.has(pool)]
            for page in sorted(left, key=lambda page: -page.end):
                if is_device_leaf(page) or (pool is Pool.SWA and not page.held(SWA)):
                    last = spell(page.node())
                    self._evict_node(page)
        if last is None or any(breach.violates is Property.RECENCY for breach in self.breaches):
            return
        wrong_order = self._explained_by_order()
        if wrong_order is not None:
            text = f"{last} was evicted before data used less recently, which alone would have been enough"
            self.breaches.append(Breach(Property.RECENCY, RECENCY_OF[wrong_order], text))
        else:
            self.breaches.append(Breach(Property.PROGRESS, "freed-too-much", f"{last} was evicted although enough had been freed"))

    def _explained_by_order(self) -> Component | None:
        """The component whose victims were not too many, had they only been taken in another order: all but one did not suffice."""
        for component in Component:
            most = max((victim[component] for victim in self.victims), default=0)
            if self.asked[component] and self.freed(component) - most < self.asked[component]:
                return component
        return None


def evict_host(trie: Trie, tokens: int, component: Component, gone: Gone | None = None) -> tuple[int, list[Breach]]:
    """Host leaves are deleted; for SWA, other nodes only lose their host window (semantics 7.9). Returns the freed tokens."""
    pool = Pool.FULL_HOST if component is FULL else Pool.SWA_HOST
    candidates = _host_leaves if component is FULL else _swa_host_victims
    before = trie.free(pool)
    breaches: list[Breach] = []
    if gone is not None:
        breaches = follow_host_eviction(trie, (tokens, 0) if component is FULL else (0, tokens), gone)
    else:
        while trie.free(pool) - before < tokens and (victim := next(iter(candidates(trie)), None)) is not None:
            _take_off_host(trie, victim, whole=is_host_leaf(victim))
    freed = trie.free(pool) - before
    if freed < tokens:
        _stopped_early(partial(candidates, trie), "host-stopped-early", tokens, freed, breaches)
    return freed, breaches


def follow_host_eviction(trie: Trie, wanted: tuple[int, int], gone: Gone, counted: bool = True) -> list[Breach]:
    """Follow a system that had to free ``wanted`` host tokens per component (none if 0 or less): what went, in order, not too much.

    Unless ``counted``, it may have freed more for reasons that do not show. Releases put SWA host values into their order at
    different moments of a split, so that where SWA has to go, any may.
    """
    breaches: list[Breach] = []
    victims: list[tuple[int, int]] = []
    ordered, too_many = wanted[SWA] <= 0, False
    kept = next((page for page in gone[Pool.SWA_HOST] if is_host_leaf(page) and page not in gone[Pool.FULL_HOST]), None)
    if kept is not None:
        text = f"{spell(kept.node())} is a host leaf and lost its SWA, but was not deleted"
        breaches.append(Breach(Property.PROGRESS, "host-leaf-kept", text))
    for _ in range(sum(page.cut for page in gone[Pool.FULL_HOST]) if ordered else 0):
        victim = _choose(partial(_host_leaves, trie), gone[Pool.FULL_HOST], FULL, breaches)
        if victim is None:
            break
        too_many = too_many or sum(freed[FULL] for freed in victims) >= wanted[FULL]
        victims.append(_take_off_host(trie, victim, whole=True))
    ends = [page for page in gone[Pool.FULL_HOST] | gone[Pool.SWA_HOST] if page.cut]
    for page in sorted(ends, key=lambda page: -page.end):
        if is_host_leaf(page) if page in gone[Pool.FULL_HOST] else page.has(Pool.SWA_HOST) and not page.has(Pool.SWA):
            victims.append(_take_off_host(trie, page, whole=page in gone[Pool.FULL_HOST]))
    if counted and not breaches and victims:
        surely = all(
            sum(freed[component] for freed in victims) - max(freed[component] for freed in victims) >= wanted[component]
            for component in (FULL, SWA)
        )
        if surely:
            text = f"{len(victims)} nodes went from the host, more than freeing {max(0, *wanted)} tokens takes"
            breaches.append(Breach(Property.PROGRESS, "host-freed-too-much", text))
        elif too_many:
            text = "the nodes that went from the host were too many in order of use, so that they went in another"
            breaches.append(Breach(Property.RECENCY, RECENCY_OF[FULL], text))
    return breaches


def _host_leaves(trie: Trie) -> Iterable[Page]:
    return (page for page in trie.order if is_host_leaf(page)) if trie.host_only else ()


def _swa_host_victims(trie: Trie) -> Iterable[Page]:
    return (page for page in trie.order if page.cut and page.has(Pool.SWA_HOST) and not page.has(Pool.SWA))


def _take_off_host(trie: Trie, end: Page, whole: bool) -> tuple[int, int]:
    """Delete a host leaf, or drop the SWA host value of a node. Returns the host tokens that this freed, per component."""
    before = trie.free(Pool.FULL_HOST), trie.free(Pool.SWA_HOST)
    if whole:
        trie.delete(end.node())
    else:
        for page in end.node():
            trie.drop(page, Pool.SWA_HOST)
    return trie.free(Pool.FULL_HOST) - before[0], trie.free(Pool.SWA_HOST) - before[1]


def _choose(candidates: Candidates, wanted: Collection[Page] | None, component: Component, breaches: list[Breach]) -> Page | None:
    """The next victim: the first candidate, or, to follow a system, the first that it took (a breach if others came before)."""
    first: Page | None = None
    for page in candidates():
        if wanted is None or page in wanted:
            if first is not None:
                text = f"{spell(page.node())} was evicted before {spell(first.node())}, which was used less recently"
                pool = Pool(component) if page.has(Pool.FULL) else Pool.FULL_HOST
                breaches.append(Breach(Property.RECENCY, RECENCY_OF[component], text, Witness(page.key(), pool, held=True)))
            return page
        first = first or page
    return None


def _stopped_early(candidates: Candidates, rule: str, asked: int, freed: int, breaches: list[Breach]) -> None:
    idle = next(iter(candidates()), None)
    if idle is not None:
        text = f"asked for {asked} tokens, freed {freed}, but {spell(idle.node())} could still go"
        breaches.append(Breach(Property.PROGRESS, rule, text))


def _lost(node: list[Page], threshold: int) -> str:
    hits = node[-1].hits
    return (
        f"{spell(node)} has {hits} hit{'' if hits == 1 else 's'} (threshold {threshold}) and the host had room for it, but it was "
        "never backed up; the eviction deleted it where it should have demoted it to the host, and the prefix is lost"
    )
