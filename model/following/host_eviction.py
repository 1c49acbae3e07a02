"""Following a host eviction, by itself or to make room: what went, in order, and not too much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Pool
from radixproof.model.following import breaches as wording
from radixproof.model.following.choice import Choice
from radixproof.model.specification.host_eviction import (
    drop_host_value,
    duplicates,
    full_on_host,
    host_candidates,
    leave_host,
)
from radixproof.model.specification.nodes import is_device_leaf, is_host_leaf
from radixproof.model.specification.ordering import first
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page
from radixproof.model.verdict import Breach


def kept_leaves(choice: Choice) -> list[Breach]:
    """A host leaf that loses SWA or a state should have been deleted (semantics 7.9)."""
    breaches = []
    for pool in HOST[1:]:
        lost = (page for page in choice.gone[pool] if is_host_leaf(page))
        kept = first(page for page in lost if page not in choice.gone[Pool.FULL_HOST])
        if kept is not None:
            breaches.append(wording.host_leaf_kept(kept, pool))
    return breaches


@dataclass(slots=True)
class FollowedHostEviction:
    """The system had to free ``wanted`` host slots per component, none if 0 or less (semantics
    7.9).

    Unless the eviction is ``exact``, it may have freed more, for unobservable reasons. Releases
    order host values of SWA and MAMBA at different moments of a split; so where some have to go,
    any of them may.
    """

    state: State
    wanted: Amounts
    choice: Choice
    exact: bool = True
    victims: list[Amounts] = field(default_factory=list)
    """What each freed."""
    in_order: list[Page] = field(default_factory=list)
    """Those that went by the order of FULL."""
    breaches: list[Breach] = field(default_factory=list)

    def run(self) -> None:
        """Adopt what went; say what was wrong with it (semantics 7.9, 8.3)."""
        self.breaches += kept_leaves(self.choice)
        enough_before_the_last = self._take_in_order()
        self._take_the_rest()
        if not self.exact or self.breaches or not self.victims:
            return
        if all(self._freed_too_much(component) for component in COMPONENTS):
            self.breaches.append(wording.host_freed_too_much(len(self.victims), self.wanted))
        elif enough_before_the_last:
            policy = self.state.config.eviction_policy
            self.breaches.append(wording.host_out_of_order(self.in_order, policy))

    # -- FULL, in its order ------------------------------------------------------------------------

    def _take_in_order(self) -> bool:
        """Take FULL, and whole leaves, in order, unless SWA or states had to go (semantics 7.9).

        Returns whether one went after enough was free.
        """
        if self.wanted.swa > 0 or self.wanted.mamba > 0 or self._others_were_refused():
            return False
        too_many = False
        freed = 0
        for _ in [page for page in self.choice.gone[Pool.FULL_HOST] if page.cut]:
            victim = self._next()
            if victim is None:
                break
            too_many = too_many or freed >= self.wanted.full
            self.in_order.append(victim)
            self.victims.append(leave_host(self.state, victim, Component.FULL))
            freed += self.victims[-1].full
        return too_many

    def _others_were_refused(self) -> bool:
        """Room for SWA or states may have been made because they were refused (semantics 17.4)."""
        return not self.exact and not self.state.refusing.isdisjoint(HOST[1:])

    def _next(self) -> Page | None:
        """The first in order that went; passing others over is a breach (semantics 7.2, 7.9)."""
        before: Page | None = None
        for page in self._candidates():
            if page in self.choice.gone[Pool.FULL_HOST]:
                if before is not None:
                    policy = self.state.config.eviction_policy
                    breach = wording.out_of_order(page, before, Component.FULL, policy, self.choice)
                    self.breaches.append(breach)
                return page
            before = before or page
        return None

    def _candidates(self) -> Iterable[Page]:
        """By the rule; where duplicates have no order, those that went come first, and the largest
        of them last, as none may have gone when enough was free (7.9).
        """
        if self.state.dialect.duplicates_in_order:
            return host_candidates(self.state, Component.FULL)
        gone = self.choice.gone[Pool.FULL_HOST]
        spare = duplicates(self.state)
        spare.sort(key=lambda page: (is_device_leaf(page), page not in gone, len(page.node())))
        return full_on_host(self.state, spare)

    # -- SWA and states, and what should have stayed -----------------------------------------------

    def _take_the_rest(self) -> None:
        """Take whatever else was allowed to go, from the bottom up (semantics 7.9)."""
        ends = dict.fromkeys(page for pool in HOST for page in self.choice.gone[pool] if page.cut)
        for page in sorted(ends, key=lambda page: -page.end):
            component = self._what_went(page)
            if component is None:
                continue
            if page in self.choice.gone[Pool.FULL_HOST]:
                self.victims.append(leave_host(self.state, page, component))
            else:
                self.victims.append(drop_host_value(self.state, page, component))

    def _what_went(self, page: Page) -> Component | None:
        """The first wanted component that a node lost, and was allowed to lose (7.9)."""
        for component, pool in zip(COMPONENTS, HOST, strict=True):
            wanted = not self.exact or self.wanted[component] > 0
            if wanted and page in self.choice.gone[pool] and self._could_go(page, component):
                return component
        return None

    def _could_go(self, page: Page, component: Component) -> bool:
        """The host copy is a duplicate, or the only one, and no lock keeps it (semantics 7.9)."""
        pool = HOST[component]
        if not page.has(pool) or page.locked_in(pool):
            return False
        spare = component is Component.FULL and self.state.config.write_back
        return spare or not page.has(DEVICE[component])

    def _freed_too_much(self, component: Component) -> bool:
        """One victim fewer would have been enough for a component (semantics 7.9)."""
        freed = [victim[component] for victim in self.victims]
        return sum(freed) - max(freed) >= self.wanted[component]
