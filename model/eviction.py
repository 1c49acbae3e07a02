"""Eviction from the device: each victim of a system must have been the first in order of what could go when its turn came."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeAlias

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.rules import host_need, is_device_leaf, rank
from radixproof.model.trie import Page, Trie, spell
from radixproof.model.verdict import Breach, Property, Witness

FULL, SWA, MAMBA = Component
Amounts: TypeAlias = tuple[int, int, int]
"""Tokens per component (MAMBA: states)."""
Candidates: TypeAlias = Callable[[], Iterable[Page]]
Pages: TypeAlias = Collection[Page]


class Choice(NamedTuple):
    """What a system chose where the rules leave a choice: per `Pool`, the pages that went in a step, and those that came."""

    gone: Sequence[Mapping[Page, None]]
    gained: Sequence[Mapping[Page, None]]
    sure: bool = True
    """No allocation may have been told to fail."""


def recency_of(component: Component) -> str:
    """What decides who goes first, unless a policy does: one name for one cause (semantics 7.2, 7.3)."""
    return "access-time" if component is FULL else f"{component.name.lower()}-list"


def in_order(pages: Iterable[Page], order: EvictionPolicy) -> Iterable[Page]:
    """Leaves, given least recently used first, in the order of a policy (semantics 7.2)."""
    if order is EvictionPolicy.LRU:
        return pages
    return (
        reversed(list(pages))
        if order is EvictionPolicy.MRU
        else sorted(pages, key=lambda page: rank(page, order))
    )


def choose(
    candidates: Candidates,
    wanted: Pages | None,
    component: Component,
    order: EvictionPolicy,
    breaches: list[Breach],
) -> Page | None:
    """The next victim: the first candidate, or, to follow a system, the first that it took (a breach if others came before)."""
    first: Page | None = None
    for page in candidates():
        if wanted is None or page in wanted:
            if first is not None:
                by_policy = component is FULL and rank(first, order) != rank(page, order)
                text = f"{spell(page.node())} was evicted before {spell(first.node())}, which should have gone first"
                witness = Witness(
                    page.key(), Pool.FULL if page.has(Pool.FULL) else Pool.FULL_HOST, held=True
                )
                breaches.append(
                    Breach(
                        Property.RECENCY,
                        order.value if by_policy else recency_of(component),
                        text,
                        witness,
                    )
                )
            return page
        first = first or page
    return None


def stopped_early(
    candidates: Candidates, rule: str, asked: int, freed: int, breaches: list[Breach]
) -> None:
    idle = next(iter(candidates()), None)
    if idle is not None:
        text = f"asked for {asked}, freed {freed}, but {spell(idle.node())} could still go"
        breaches.append(Breach(Property.PROGRESS, rule, text))


@dataclass(slots=True)
class Eviction:
    """One eviction as it goes: what was asked for per component, and the victims with what each freed.

    ``back_up`` is called under write_back with a node that leaves the device un-backed, to make it backed if it can (7.3, 7.4).
    """

    trie: Trie
    dialect: Dialect
    asked: Amounts
    choice: Choice | None
    back_up: Callable[[list[Page]], None]
    victims: list[Amounts] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    def freed(self, component: Component) -> int:
        return sum(victim[component] for victim in self.victims)

    def run(self) -> None:
        """FULL leaves, then SWA and MAMBA values, the first in order first, until enough is free (semantics 7.1 to 7.3)."""
        for component in self.trie.config.components:
            asked, wanted = (
                self.asked[component],
                None if self.choice is None else self.choice.gone[component],
            )
            candidates = partial(self._candidates, component)
            while self.freed(component) < asked:
                victim = choose(
                    candidates, wanted, component, self.trie.config.eviction_policy, self.breaches
                )
                if victim is None:
                    if self.choice is None or self.choice.sure:
                        stopped_early(
                            candidates, "stopped-early", asked, self.freed(component), self.breaches
                        )
                    break
                self._evict_node(victim, component)
        if self.choice is not None:
            self._evict_unasked(self.choice)

    def _candidates(self, component: Component) -> Iterable[Page]:
        """What may go, in order: of FULL leaves, of SWA and MAMBA also values of other nodes."""
        pages = self.trie.recency_in[component]
        if component is FULL:
            return in_order(
                (page for page in pages if is_device_leaf(page) and self._may_go(page)),
                self.trie.config.eviction_policy,
            )
        values = (page for page in pages if page.cut and not page.locked_in(DEVICE[component]))
        return (page for page in values if not is_device_leaf(page) or self._may_go(page))

    def _may_go(self, end: Page) -> bool:
        """A leaf with a host copy is demoted, another deleted: not while a host lock is on it or below it (semantics 7.4)."""
        choice = self.choice
        if choice is not None and (end in choice.gone[FULL] or end in choice.gone[Pool.FULL_HOST]):
            return end in choice.gone[FULL]
        if end.has(Pool.FULL_HOST) or not self.trie.config.hosted:
            return True
        deletes = self.dialect.failed_backup_deletes
        if self.trie.config.write_back and (
            not deletes or (choice is None and self._has_room(end.node()))
        ):
            return deletes
        return not any(page.host_locked for page in self.trie.subtree(end.node()))

    def _evict_node(self, end: Page, component: Component) -> None:
        """A leaf leaves the device whole; another node loses a component, and with SWA MAMBA (semantics 7.3, 7.4, 7.6)."""
        node, leaf = end.node(), is_device_leaf(end)
        if leaf and self.choice is not None and end not in self.choice.gone[FULL]:
            text = f"{spell(node)} lost a value as an interior node, before what hung below it and should have gone first"
            self.breaches.append(
                Breach(Property.RECENCY, recency_of(SWA if end.has(Pool.SWA) else MAMBA), text)
            )
            leaf = False
        if self.trie.config.write_back:
            self.back_up(node)
        pools = (
            DEVICE
            if leaf
            else tuple(pool for pool in DEVICE[1:] if self._goes(end, pool, component))
        )
        self.victims.append(_amounts(node, pools, self.trie))
        if any(
            HOST[pool] in page.owed and not page.has(HOST[pool]) for page in node for pool in pools
        ):
            hits = f"{end.hits} hit{'' if end.hits == 1 else 's'} (threshold {self.trie.config.threshold})"
            self._lost(
                node,
                "never-backed-up",
                f"has {hits} and the host had room for it, but it was never backed up",
            )
        elif (
            self.trie.config.write_back
            and not end.has(Pool.FULL_HOST)
            and self._could_be_backed_up(node)
        ):
            self._lost(
                node, "not-written-back", "was not written back, although the host has room for it"
            )
        if leaf and not end.has(Pool.FULL_HOST):
            self.trie.delete(node)
            return
        for page in node:
            for pool in pools:
                self.trie.drop(page, pool)

    def _goes(self, end: Page, pool: Pool, component: Component) -> bool:
        """Whether a victim that is not a leaf loses its SWA, or its MAMBA, which goes with SWA (semantics 7.6)."""
        if self.choice is None:
            return pool >= component
        return end in self.choice.gone[pool] or (
            pool is Pool.MAMBA and end in self.choice.gone[SWA]
        )

    def _lost(self, node: list[Page], rule: str, why: str) -> None:
        text = (
            f"{spell(node)} {why}; the eviction lost it where it should have demoted it to the host"
        )
        self.breaches.append(
            Breach(
                Property.PROGRESS, rule, text, Witness(node[-1].key(), Pool.FULL_HOST, held=True)
            )
        )

    def _could_be_backed_up(self, node: list[Page]) -> bool:
        """Surely: the host has room, and no other victim of this step can have taken it for a while."""
        choice = self.choice
        if choice is None or not (choice.sure and self.dialect.room_before_backup):
            return False
        return self._has_room(node) and not any(
            page.cut and page is not node[-1] for pool in DEVICE for page in choice.gone[pool]
        )

    def _has_room(self, node: list[Page]) -> bool:
        """The host has room for a backup of a node as it is."""
        config = self.trie.config
        return all(
            host_need(node, component, config) <= self.trie.free(HOST[component])
            for component in config.components
        )

    def _evict_unasked(self, choice: Choice) -> None:
        """Adopt what went beyond what had to go, and say why it should not have."""
        last = None
        for pool in DEVICE:
            left = [page for page in choice.gone[pool] if page.cut and page.has(pool)]
            for page in sorted(left, key=lambda page: -page.end):
                if page.has(pool) and (
                    is_device_leaf(page) or (pool is not Pool.FULL and not page.locked_in(pool))
                ):
                    last = spell(page.node())
                    self._evict_node(page, pool.component)
        if last is None or any(breach.violates is Property.RECENCY for breach in self.breaches):
            return
        wrong = self._explained_by_order()
        if wrong is not None:
            text = f"{last} was evicted before data that should have gone first, which alone would have been enough"
            self.breaches.append(Breach(Property.RECENCY, recency_of(wrong), text))
        else:
            self.breaches.append(
                Breach(
                    Property.PROGRESS,
                    "freed-too-much",
                    f"{last} was evicted although enough had been freed",
                )
            )

    def _explained_by_order(self) -> Component | None:
        """The component whose victims were not too many, had they only been taken in another order: all but one did not suffice."""
        for component in COMPONENTS:
            most = max((victim[component] for victim in self.victims), default=0)
            if self.asked[component] and self.freed(component) - most < self.asked[component]:
                return component
        return None


def _amounts(node: list[Page], pools: Sequence[Pool], trie: Trie) -> Amounts:
    """What a node frees in some pools, per component."""
    full, swa, mamba = (
        sum(page.has(pool) for page in node) * trie.config.unit(pool) if pool in pools else 0
        for pool in DEVICE
    )
    return full, swa, mamba
