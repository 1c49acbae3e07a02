"""Backup: what hits make due, in which order, and the room that it takes (semantics 8)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Pool
from radixproof.model.specification.copies import Copy
from radixproof.model.specification.host_eviction import evict_host, reclaimable
from radixproof.model.specification.locking import lock, unlock
from radixproof.model.specification.nodes import nodes_of, window_nodes
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page, PagesPerPool

Evict: TypeAlias = Callable[[State, int, Component], int]
"""Frees host tokens of one component, by the rules or as it was seen (semantics 7.9)."""

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


def due_nodes(state: State, path: Sequence[Page], counted: Sequence[Page]) -> list[list[Page]]:
    """What is due on a path and lacks a host copy, node by node, ancestors first (8.2)."""
    due = due_pages(state, counted)
    nodes = nodes_of([page for page in path if page.lacks])
    return [node for node in nodes if node[-1] in due] + supplement(state, path)


def supplement(state: State, path: Sequence[Page]) -> list[list[Page]]:
    """Where hits make no supplements: the last node of a path, if it is backed and the window that
    ends there, or its state, is not; under write_back a state alone is no reason (4.4).
    """
    if state.dialect.supplements:
        return []
    *_, end = nodes_of(path)
    lacking = to_copy(state, end)
    needed = Pool.SWA_HOST in lacking if state.config.write_back else bool(lacking)
    return [end] if end[-1].has(Pool.FULL_HOST) and needed else []


def inserts_back_up(state: State) -> bool:
    """Whether inserts start any backups: there is a host tier, and no write_back, unless it makes
    supplements (4.4, 8.1).
    """
    if state.config.write_back:
        return state.dialect.windows_under_write_back
    return state.config.hosted


def hangs_from_backed(node: Sequence[Page]) -> bool:
    """The parent of a node is backed, or the root (semantics 1.4, 8.2)."""
    above = node[0].parent
    return above is None or above.parent is None or above.has(Pool.FULL_HOST)


def to_copy(
    state: State, node: Sequence[Page], marked: Collection[Page] = ()
) -> dict[Pool, list[Page]]:
    """What a backup of a node copies, per host pool: all that has no host copy; with windowed
    backups, and for a supplement, of SWA what the window that ends there lacks, up to a page that
    is ``marked`` (4.4, 8.3).
    """
    pages = {
        host: [page for page in node if page.has(device) and not page.has(host)]
        for device, host in zip(DEVICE, HOST, strict=True)
    }
    windowed = state.dialect.windowed_backups or (
        node[-1].has(Pool.FULL_HOST) and not state.dialect.supplements
    )
    if windowed and state.config.window is not None:
        pages[Pool.SWA_HOST] = window_to_copy(node[-1], state.config.window, marked)
    return {pool: lacking for pool, lacking in pages.items() if lacking}


def window_to_copy(end: Page, window: int, marked: Collection[Page]) -> list[Page]:
    """SWA without a host copy in the nodes of one window, down to where there is none (8.3)."""
    lacking: list[Page] = []
    for node in reversed(nodes_of(window_nodes(end.path(), window))):
        last = node[-1]
        if last in marked or not (last.has(Pool.SWA) or last.has(Pool.SWA_HOST)):
            break
        lacking[:0] = [page for page in node if page.has(Pool.SWA) and not page.has(Pool.SWA_HOST)]
    return lacking


# -- room for it -----------------------------------------------------------------------------------


def host_need(state: State, nodes: Iterable[Sequence[Page]]) -> Amounts:
    """Host slots that backing up these nodes takes (semantics 8.3)."""
    copied = [to_copy(state, node) for node in nodes]
    pages = ({page for targets in copied for page in targets.get(host, ())} for host in HOST)
    return Amounts(
        *(len(there) * state.config.unit(host) for there, host in zip(pages, HOST, strict=True))
    )


def written_back_to(state: State) -> list[Pool]:
    """Host pools from which a write-back may allocate: something on the device has no copy there
    (semantics 7.4, 8.3).
    """
    return [
        host
        for device, host in zip(DEVICE, HOST, strict=True)
        if any(not page.has(host) for page in state.trie.recency_in[device])
    ]


def host_room(state: State) -> Amounts:
    """Host slots per component that are free, or would be after an eviction of everything (8.3)."""
    return Amounts(
        *(state.trie.free(HOST[one]) + sum(reclaimable(state, one)) for one in COMPONENTS)
    )


def host_shortage(state: State, nodes: Iterable[Sequence[Page]]) -> Amounts:
    """Host slots missing for backups of these nodes; if negative, those left over (8.3)."""
    needs = zip(host_need(state, nodes), HOST, strict=True)
    return Amounts(*(need - state.trie.free(host) for need, host in needs))


def has_host_room(state: State, node: Sequence[Page]) -> bool:
    """The host has room for a backup of this node as it is (semantics 8.3)."""
    return max(host_shortage(state, [node])) <= 0


def can_have_host_room(state: State, node: Sequence[Page]) -> bool:
    """The host has room for a backup of this node, or can have it for all components (8.3)."""
    short = host_shortage(state, [node])
    return all(
        slots <= 0 or any(freed >= slots for freed in accumulate(reclaimable(state, component)))
        for slots, component in zip(short, COMPONENTS, strict=True)
    )


def make_host_room(state: State, node: Sequence[Page], evict: Evict = evict_host) -> bool:
    """Make room for a backup, for all components; if that is impossible, nothing is
    evicted (8.3).
    """
    if not can_have_host_room(state, node):
        return False
    for component in state.config.components:
        evict(state, host_shortage(state, [node])[component], component)
    return True


# -- making it -------------------------------------------------------------------------------------


def back_up_what_fits(
    state: State, path: Sequence[Page], counted: Sequence[Page], late: Page | None = None
) -> None:
    """The strict choice: all backups that are due, ancestors first, while there is room (8.2).

    A state that comes ``late`` waits for the next insert that ends there (4.4).
    """
    for node in due_nodes(state, path, counted):
        if hangs_from_backed(node) and make_host_room(state, node):
            back_up(state, node, to_copy(state, node))


def back_up(state: State, node: Sequence[Page], targets: PagesPerPool) -> None:
    """The host copies count from now on; the node is locked until the ack, and it and all nodes
    that are copied from are marked (semantics 8.3).
    """
    copy_to_host(state, targets)
    marked = {*node[-1].node(), *(page for pages in targets.values() for page in pages)}
    copy = state.copies.start(False, sorted(marked, key=lambda page: page.end), targets)
    lock(state, copy.holder, node[-1])


def copy_to_host(state: State, targets: PagesPerPool) -> None:
    """Pages get host copies (semantics 8.3, 7.8)."""
    for pool, pages in targets.items():
        for page in pages:
            state.trie.put(page, pool)


def wait_for_backups(state: State) -> list[Copy]:
    """Under write_back: an eviction waits for the backups of inserts, if there are any (7.8)."""
    return check(state, load=False, blocking=True) if state.config.write_back else []


def check(state: State, load: bool, blocking: bool) -> list[Copy]:
    """Complete copies are acknowledged, and release their locks (semantics 8.4, 9.5)."""
    acked = state.copies.check(load, blocking) if state.copies.flying else []
    for copy in acked:
        unlock(state, copy.holder)
    return acked
