"""Following the room that is made on the host, where the rules leave no choice (semantics 7.9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from radixproof.model.config import DEVICE, HOST, Component, Pool
from radixproof.model.following import breaches as wording
from radixproof.model.following.choice import Choice
from radixproof.model.specification.host_eviction import evict_host
from radixproof.model.specification.nodes import is_host_leaf
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page, PagesPerPool
from radixproof.model.verdict import Breach

HostLog: TypeAlias = Sequence[tuple[bool, list[Page]]]
"""Pages that got a host copy of FULL, or lost it, one group after the other."""


def alone(component: Component, tokens: int) -> Amounts:
    """So much of one component, and nothing of the others (semantics 7.9)."""
    return Amounts(*(tokens if component is other else 0 for other in Component))


def is_settled(state: State, choice: Choice) -> bool:
    """Whether the rules leave no choice on the host, and all that decides is known (7.9, 14.10)."""
    rules = state.dialect
    same = rules.room_before_backup and rules.supplements and rules.states_in_backups
    ordered = rules.host_values_in_order and rules.duplicates_in_order
    return same and ordered and choice.sure and choice.ordered


@dataclass(slots=True)
class FollowedHostRoom:
    """Host evictions and copies to the host of one step, one after the other, as they had to come.

    Only what is on the host after the step is seen; a copy may have left and been made again, or
    been made and left (semantics 7.9, 14.10).
    """

    state: State
    choice: Choice
    victims: int = 0
    wanted: Amounts = field(default_factory=Amounts)
    lost: set[tuple[Page, Pool]] = field(default_factory=set)
    """Host copies from before the step that have gone."""
    fresh: dict[tuple[Page, Pool], None] = field(default_factory=dict)
    """Host copies that were not there before the step."""
    log: list[tuple[bool, list[Page]]] = field(default_factory=list)
    """What happened on the host, in order."""
    breaches: list[Breach] = field(default_factory=list)

    def evict(self, state: State, tokens: int, component: Component) -> int:
        """The first in order go, until enough is free (semantics 7.9, 14.10)."""
        self.wanted = self.wanted.plus(alone(component, max(0, tokens)))
        return evict_host(state, tokens, component, partial(self._victim, component))

    def _victim(self, component: Component, candidates: Iterable[Page]) -> Page | None:
        """The first in order that can have gone; passing others over is a breach (7.9)."""
        before: Page | None = None
        for page in candidates:
            if self._can_have_gone(page, component):
                if before is not None:
                    self.breaches.append(self._out_of_order(page, before, component))
                self._note(page, component)
                return page
            before = before or page
        return None

    def _can_have_gone(self, page: Page, component: Component) -> bool:
        """It is not there now, or it leaves the device yet, and may be copied again (7.4)."""
        if not self.remains(page, HOST[component]):
            return True
        leaves = any(page.has(pool) and page in self.choice.gone[pool] for pool in DEVICE)
        return leaves and page.has(DEVICE[component])

    def _out_of_order(self, page: Page, before: Page, component: Component) -> Breach:
        """One was taken before another that is first in order (semantics 7.9)."""
        if component is Component.FULL:
            policy = self.state.config.eviction_policy
            return wording.out_of_order(page, before, component, policy, self.choice)
        return wording.host_value_out_of_order(page, before, HOST[component])

    def _note(self, end: Page, component: Component) -> None:
        """A node is about to lose host copies (semantics 7.9)."""
        self.victims += 1
        held = {(page, pool) for page in end.node() for pool in HOST if page.has(pool)}
        self.lost |= held - self.fresh.keys()
        if component is Component.FULL or is_host_leaf(end):
            self.log.append((False, end.node()))

    def copied(self, targets: PagesPerPool) -> None:
        """These host copies have been made (semantics 8.3)."""
        made = ((page, pool) for pool, pages in targets.items() for page in pages)
        self.log.append((True, list(targets.get(Pool.FULL_HOST, ()))))
        self.fresh.update({copy: None for copy in made if copy not in self.lost})

    def remains(self, page: Page, pool: Pool) -> bool:
        """Whether a page has a host copy after the step (semantics 7.9)."""
        if page in self.choice.gained[pool]:
            return True
        here = (page, pool) in self.lost or (page.has(pool) and (page, pool) not in self.fresh)
        return here and page not in self.choice.gone[pool]

    def finish(self) -> None:
        """Adopt what went beyond that, and what was not copied; say what was wrong with it
        (7.4, 7.9).
        """
        gone = [(page, pool) for pool in HOST for page in self.choice.gone[pool] if page.has(pool)]
        if gone and not self.breaches:
            self.breaches.append(self._why_too_much(gone))
        missing = [copy for copy in self.fresh if copy[0].has(copy[1]) and not self.remains(*copy)]
        if missing and not self.breaches:
            page, pool = missing[0]
            self.breaches.append(wording.not_written_back(page.node(), pool.component))
        for page, pool in missing:
            self.state.trie.drop(page, pool)
        adopt_host_losses(self.state, self.choice, (page for page, _ in missing))

    def _why_too_much(self, gone: Sequence[tuple[Page, Pool]]) -> Breach:
        """Why what went had to stay (7.9)."""
        busy = self.state.copies.busy()
        for page, pool in gone:
            if page in busy:
                return wording.evicted_in_flight(page, pool)
        return wording.host_freed_too_much(self.victims + 1, self.wanted)


def adopt_host_losses(state: State, choice: Choice, others: Iterable[Page] = ()) -> None:
    """Adopt what left the host, whoever it was; a node that is locked stays (7.9, 14.10)."""
    for pool in HOST:
        for page in choice.gone[pool]:
            state.trie.drop(page, pool)
    gone = [*choice.gone[Pool.FULL_HOST], *others]
    for page in sorted(gone, key=lambda page: -page.end):
        nowhere = not any((*page.resident_in, *page.holders, page.children))
        if nowhere and page in state.trie.recency:
            state.trie.remove(page)
