"""Backup: what hits make due, in which order, and the room that it takes (semantics 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Config, Pool
from radixproof.model.specification.copies import Copy
from radixproof.model.specification.host_eviction import evict_host, reclaimable
from radixproof.model.specification.locking import lock, unlock
from radixproof.model.specification.nodes import nodes_of
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page, PagesPerPool

# -- what is due -----------------------------------------------------------------------------------


def due_pages(state: State, counted: Sequence[Page]) -> set[Page]:
    """Pages past the threshold without a host copy, and their ancestors without one (8.2, 4.4)."""
    due = {page for page in counted if _is_due(state, page)}
    if not due:
        return due
    last = max(page.end for page in due)
    above = (page for page in counted[-1].path() if page.end <= last)
    return due | {page for page in above if not page.has(Pool.FULL_HOST)}


def _is_due(state: State, page: Page) -> bool:
    """Past the threshold; a backed node only if the dialect knows supplements (8.1, 4.4)."""
    if page.hits < state.config.threshold or not page.lacks:
        return False
    return state.dialect.supplements or not page.has(Pool.FULL_HOST)


def due_nodes(state: State, path: Iterable[Page], counted: Sequence[Page]) -> list[list[Page]]:
    """What is due on a path and lacks a host copy, node by node, ancestors first (8.2)."""
    due = due_pages(state, counted)
    nodes = nodes_of([page for page in path if page.lacks])
    return [node for node in nodes if node[-1] in due]


def hangs_from_backed(node: Sequence[Page]) -> bool:
    """The parent of a node is backed, or the root (semantics 1.4, 8.2)."""
    above = node[0].parent
    return above is None or above.parent is None or above.has(Pool.FULL_HOST)


# -- room for it -----------------------------------------------------------------------------------


def host_need(pages: Iterable[Page], component: Component, config: Config) -> int:
    """Host slots that backing up these pages takes for one component (semantics 8.3)."""
    device = DEVICE[component]
    host = HOST[component]
    missing = [page.resident_in[device] and not page.resident_in[host] for page in pages]
    return sum(missing) * config.unit(host)


def host_shortage(state: State, pages: Sequence[Page]) -> Amounts:
    """Host slots missing for a backup of these pages; if negative, those left over (8.3)."""
    needs = (host_need(pages, component, state.config) for component in COMPONENTS)
    short = (need - state.trie.free(host) for need, host in zip(needs, HOST, strict=True))
    return Amounts(*short)


def has_host_room(state: State, pages: Sequence[Page]) -> bool:
    """The host has room for a backup of these pages as it is (semantics 8.3)."""
    return max(host_shortage(state, pages)) <= 0


def make_host_room(state: State, pages: Sequence[Page]) -> bool:
    """Make room for a backup, for all components; if that is impossible, nothing is
    evicted (8.3).
    """
    short = host_shortage(state, pages)
    for component in state.config.components:
        if short[component] > 0 and short[component] > reclaimable(state, component):
            return False
    for component in state.config.components:
        evict_host(state, host_shortage(state, pages)[component], component)
    return True


# -- making it -------------------------------------------------------------------------------------


def back_up_what_fits(state: State, path: Sequence[Page], counted: Sequence[Page]) -> None:
    """The strict choice: all backups that are due, ancestors first, while there is room (8.2)."""
    for node in due_nodes(state, path, counted):
        if hangs_from_backed(node) and make_host_room(state, node):
            back_up(state, node)


def back_up(state: State, node: Sequence[Page]) -> None:
    """Host copies of all that lacks one count from now on; locked until the ack (semantics 8.3)."""
    targets = copy_to_host(state, node)
    copy = state.copies.submit(False, node[-1].node(), targets)
    lock(state, copy.holder, node[-1])


def copy_to_host(state: State, node: Sequence[Page]) -> PagesPerPool:
    """Give a node the host copies that it lacks. Returns the pages per host pool (8.3, 7.8)."""
    targets: PagesPerPool = {}
    for page in node:
        for pool in page.lacking():
            state.trie.put(page, pool)
            targets.setdefault(pool, []).append(page)
    return targets


def check(state: State, load: bool, blocking: bool) -> list[Copy]:
    """Complete copies are acknowledged, and release their locks (semantics 8.4, 9.5)."""
    acked = state.copies.check(load, blocking) if state.copies.flying else []
    for copy in acked:
        unlock(state, copy.holder)
    return acked
