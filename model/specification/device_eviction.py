"""Device eviction: who goes, in which order, what goes along, what remains (7.1 to 7.8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from radixproof.model.config import DEVICE, Component, Pool
from radixproof.model.specification.backing_up import (
    copy_to_host,
    has_host_room,
    make_host_room,
    to_copy,
)
from radixproof.model.specification.host_eviction import held_by
from radixproof.model.specification.nodes import is_device_leaf
from radixproof.model.specification.ordering import first, in_order
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page


class Chooser(Protocol):
    """Decides where the rules of eviction leave a choice."""

    def may_go(self, end: Page) -> bool:
        """Whether a leaf can leave the device, or is passed over (semantics 7.4)."""

    def victim(self, component: Component, candidates: Iterable[Page]) -> Page | None:
        """Which of the candidates goes; they come in order (7.2, 7.3)."""

    def write_back(self, node: list[Page]) -> None:
        """Under write_back: make host copies before a node leaves the device (semantics 7.4)."""

    def leaving(self, end: Page, component: Component) -> Sequence[Pool]:
        """What of a victim leaves the device (semantics 7.3, 7.6)."""


class Strict:
    """Takes the first in order, and backs up what it can: nothing but the rules (7.1)."""

    def __init__(self, state: State) -> None:
        self.state = state

    def may_go(self, end: Page) -> bool:
        """By the rule; what the host has room for is written back (semantics 7.4)."""
        written_back = self.state.config.write_back and has_host_room(self.state, end.node())
        return may_go(self.state, end, written_back)

    def victim(self, component: Component, candidates: Iterable[Page]) -> Page | None:
        """Exactly the first (semantics 7.2, 7.3)."""
        return first(candidates)

    def write_back(self, node: list[Page]) -> None:
        """What of a node has no host copy gets one, if there can be room (7.3, 7.4, 7.8)."""
        if to_copy(self.state, node) and make_host_room(self.state, node):
            copy_to_host(self.state, to_copy(self.state, node))

    def leaving(self, end: Page, component: Component) -> Sequence[Pool]:
        """By the rule (semantics 7.6)."""
        return goes_along(end, component)


def evict(state: State, asked: Amounts, chooser: Chooser) -> Amounts:
    """Free device tokens: FULL, then SWA, then MAMBA, until enough is free (semantics 7.1, 7.5)."""
    freed = Amounts()
    for component in state.config.components:
        while freed[component] < asked[component]:
            victim = chooser.victim(component, candidates(state, component, chooser))
            if victim is None:
                break
            freed = freed.plus(take(state, victim, component, chooser))
    return freed


def take(state: State, victim: Page, component: Component, chooser: Chooser) -> Amounts:
    """One victim leaves the device, in whole or in part. Returns what that frees (7.3, 7.5)."""
    node = victim.node()
    if state.config.write_back:
        chooser.write_back(node)
    pools = chooser.leaving(victim, component)
    freed = held_by(state, node, pools)
    leave_device(state, node, pools)
    return freed


# -- who may go ------------------------------------------------------------------------------------


def candidates(state: State, component: Component, chooser: Chooser) -> Iterable[Page]:
    """What may leave the device, the first in order first: nodes by their ends (7.2, 7.3)."""
    if component is Component.FULL:
        return device_leaves(state, chooser)
    return device_values(state, component, chooser)


def device_leaves(state: State, chooser: Chooser) -> Iterable[Page]:
    """Device leaves that may go, in the order of the policy (semantics 7.2, 7.4)."""
    leaves = filter(is_device_leaf, state.trie.recency_in[Pool.FULL])
    return filter(chooser.may_go, in_order(leaves, state.config.eviction_policy))


def device_values(state: State, component: Component, chooser: Chooser) -> Iterable[Page]:
    """Nodes whose SWA, or state, is not locked, by the recency of the component (semantics 7.3)."""
    pool = DEVICE[component]
    values = state.trie.recency_in[pool]
    for page in (page for page in values if page.cut and not page.locked_in(pool)):
        if not is_device_leaf(page) or chooser.may_go(page):
            yield page


def may_go(state: State, end: Page, written_back: bool) -> bool:
    """Whether a leaf can leave the device (semantics 7.4).

    A backed one is demoted, and so is one that is ``written_back``. Another is deleted, but not
    while a host lock is on it or below it.
    """
    if end.has(Pool.FULL_HOST) or written_back or not state.config.hosted:
        return True
    return not any(page.host_locked for page in state.trie.subtree(end.node()))


# -- how it goes -----------------------------------------------------------------------------------


def goes_along(end: Page, component: Component) -> Sequence[Pool]:
    """A leaf leaves the device whole; another node loses a value, and with SWA its state (7.6)."""
    return DEVICE if is_device_leaf(end) else DEVICE[component:]


def leave_device(state: State, node: list[Page], pools: Sequence[Pool]) -> None:
    """Values leave the device; a node left on neither tier is deleted (semantics 7.4)."""
    if Pool.FULL in pools and not node[-1].has(Pool.FULL_HOST):
        state.trie.delete(node)
        return
    for page in node:
        for pool in pools:
            state.trie.drop(page, pool)
