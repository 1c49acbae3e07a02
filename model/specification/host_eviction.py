"""Host eviction: who leaves the host, in which order, and what goes along (semantics 7.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from radixproof.model.config import DEVICE, HOST, Component, Pool
from radixproof.model.specification.nodes import is_device_leaf, is_host_leaf
from radixproof.model.specification.ordering import first, in_order
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page

Choose: TypeAlias = Callable[[Iterable[Page]], Page | None]
"""Takes one of the candidates, which come in order, or none."""


def evict_host(state: State, tokens: int, component: Component, choose: Choose = first) -> int:
    """Free host tokens of one component. Returns how many were freed (semantics 7.9)."""
    freed = 0
    while freed < tokens:
        victim = choose(host_candidates(state, component))
        if victim is None:
            break
        freed += leave_host(state, victim, component)[component]
    return freed


# -- who may go ------------------------------------------------------------------------------------


def host_candidates(state: State, component: Component) -> Iterable[Page]:
    """What may leave the host, the first in order first: nodes by their ends (semantics 7.9)."""
    if component is not Component.FULL:
        return host_values(state, component)
    return full_on_host(state, duplicates(state))


def full_on_host(state: State, spare: list[Page]) -> Iterable[Page]:
    """FULL leaves the host: duplicates before host leaves (semantics 7.9)."""
    yield from spare
    if state.trie.host_only[Component.FULL]:
        leaves = (page for page in state.trie.recency if is_host_leaf(page))
        yield from in_order(leaves, state.config.eviction_policy)


def duplicates(state: State) -> list[Page]:
    """Under write_back: host copies of what is on the device, device leaves last (7.9)."""
    if not (state.config.write_back and state.dialect.duplicates_on_host):
        return []
    busy = state.copies.busy()
    spare = [page for page in state.trie.on_both if page.cut and not _is_needed(page, busy)]
    spare.sort(key=lambda page: page.used)
    return sorted(in_order(spare, state.config.eviction_policy), key=is_device_leaf)


def _is_needed(end: Page, busy: set[Page]) -> bool:
    """A host lock, or a copy in flight, needs the host copy of a node (semantics 7.9)."""
    return any(page.host_locked or page in busy for page in end.node())


def host_values(state: State, component: Component) -> Iterable[Page]:
    """SWA, or states, on the host only: neither locked there nor of a node in flight (7.9)."""
    busy = state.copies.busy()
    pool = HOST[component]
    for page in state.trie.host_only[component]:
        if page.cut and not page.locked_in(pool) and page not in busy:
            yield page


def reclaimable(state: State, component: Component) -> Iterator[int]:
    """Host slots that an eviction of everything would free, part by part (semantics 7.9, 8.3)."""
    first_to_go: set[Page] = set()
    unit = state.config.unit(HOST[component])
    for end in host_candidates(state, component):
        pages = {page for page in end.node() if page.has(HOST[component])}
        first_to_go |= pages
        yield len(pages) * unit
    if component is Component.FULL:
        stays = first_to_go | _above_what_stays(state)
        yield len(state.trie.host_only[component].keys() - stays) * unit


def _above_what_stays(state: State) -> set[Page]:
    """Pages at or above one that is locked, or in flight: no host leaf, now or later (1.6, 7.7)."""
    busy = state.copies.busy()
    held = (page for page in state.trie.recency if page.locked or page.host_locked or page in busy)
    return {above for page in held for above in page.path()}


# -- how it goes -----------------------------------------------------------------------------------


def leave_host(state: State, end: Page, component: Component) -> Amounts:
    """A host leaf is deleted with all that it holds; another node loses a value (7.9)."""
    if is_host_leaf(end):
        freed = held_by(state, end.node(), HOST)
        state.trie.delete(end.node())
        return freed
    return drop_host_value(state, end, component)


def drop_host_value(state: State, end: Page, component: Component) -> Amounts:
    """A node loses a component on the host, and with SWA its state (semantics 7.6, 7.9)."""
    node = end.node()
    pools = HOST[Component.SWA :] if component is Component.SWA else (HOST[component],)
    freed = held_by(state, node, pools)
    for page in node:
        for pool in pools:
            state.trie.drop(page, pool)
    return freed


def held_by(state: State, node: list[Page], pools: Iterable[Pool]) -> Amounts:
    """What a node holds in some pools of one tier, in slots (semantics 7.5)."""
    held = [0] * len(DEVICE)
    for pool in pools:
        pages = sum([page.resident_in[pool] for page in node])
        held[pool.component] = pages * state.config.unit(pool)
    return Amounts(*held)
