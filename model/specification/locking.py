"""Locks: what a receipt covers on either tier, and how it is given back (semantics 6)."""

from __future__ import annotations

from collections.abc import Iterable

from radixproof.model.config import Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.specification.nodes import nodes_of, window_nodes
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Holder, Page, PagesPerPool

WINDOW = (Pool.SWA, Pool.MAMBA)
"""The part of a receipt that may be given back early."""


def device_lock(anchor: Page, config: Config, dialect: Dialect) -> PagesPerPool:
    """A device lock covers the FULL path, one window of nodes, and one state (semantics 6.1)."""
    path = anchor.path()
    covered: PagesPerPool = {Pool.FULL: path}
    if config.window is not None:
        covered[Pool.SWA] = window_nodes(_counted(path, Pool.SWA, dialect), config.window)
    if config.mamba_states and path and (dialect.segment_locks or anchor.has(Pool.MAMBA)):
        covered[Pool.MAMBA] = [anchor]
    return covered


def _counted(path: list[Page], pool: Pool, dialect: Dialect) -> list[Page]:
    """The pages that count for a window in a pool: where ``segment_locks`` is off, what is not
    there is passed over, and covers nothing (semantics 6.1, 6.6).
    """
    return path if dialect.segment_locks else [page for page in path if page.has(pool)]


def host_lock(anchor: Page, config: Config, dialect: Dialect) -> PagesPerPool:
    """A host lock covers the anchor's own node, one window of nodes, and one state (6.6)."""
    if anchor.parent is None:
        return {}
    covered: PagesPerPool = {Pool.FULL_HOST: anchor.node()}
    if config.window is not None:
        covered[Pool.SWA_HOST] = window_nodes(
            _counted(anchor.path(), Pool.SWA_HOST, dialect), config.window
        )
    if config.mamba_states:
        covered[Pool.MAMBA_HOST] = [anchor]
    return covered


def lock(state: State, holder: Holder, anchor: Page) -> None:
    """Lock a node on the device (semantics 6.1)."""
    hold(state, holder, device_lock(anchor, state.config, state.dialect))


def lock_host(state: State, holder: Holder, anchor: Page) -> None:
    """Lock the host copies of a node (semantics 6.6)."""
    hold(state, holder, host_lock(anchor, state.config, state.dialect))


def lock_both(state: State, holder: Holder, anchor: Page) -> None:
    """Lock a node on both tiers, as a load-back does (semantics 9.2)."""
    hold(
        state,
        holder,
        device_lock(anchor, state.config, state.dialect)
        | host_lock(anchor, state.config, state.dialect),
    )


def hold(state: State, holder: Holder, covered: PagesPerPool) -> None:
    """Take a lock of just these pages (semantics 6.1, 6.6)."""
    state.receipts[holder] = covered
    for pool, pages in covered.items():
        for page in pages:
            page.holders[pool] = (*page.holders[pool], holder)
            state.trie.changed[page] = None


def unlock(state: State, holder: Holder) -> None:
    """Undo exactly what the lock did (semantics 6.2)."""
    _let_go(state, holder, tuple(state.receipts[holder]))
    del state.receipts[holder]


def _let_go(state: State, holder: Holder, pools: Iterable[Pool]) -> None:
    """Give back the part of a receipt that is in these pools (semantics 6.2, 6.4)."""
    for pool in pools:
        for page in state.receipts[holder].pop(pool, ()):
            page.holders[pool] = tuple(other for other in page.holders[pool] if other != holder)
            state.trie.changed[page] = None


def may_release(state: State, holder: Holder) -> bool:
    """Whether a lock still has a window, or a state, to give back early (semantics 6.4)."""
    return any(pool in state.receipts[holder] for pool in WINDOW)


def release_window(state: State, holder: Holder) -> list[Page]:
    """Give window and state of a lock back early. Returns the pages that lost SWA (6.4)."""
    window = state.receipts[holder].get(Pool.SWA, [])
    _let_go(state, holder, WINDOW)
    if not state.dialect.release_frees_leaf:
        return []
    freed = [page for node in nodes_of(window) if _is_left_over(node[-1]) for page in node]
    for page in freed:
        state.trie.drop(page, Pool.SWA)
        state.trie.drop(page, Pool.MAMBA)
    return freed


def release_state(state: State, holder: Holder) -> None:
    """Give the state of a lock back, and nothing else of it (semantics 6.4)."""
    _let_go(state, holder, (Pool.MAMBA,))


def _is_left_over(end: Page) -> bool:
    """A node with SWA that no lock covers, and with nothing on the device below it (6.4)."""
    if not end.has(Pool.SWA) or end.locked_in(Pool.SWA):
        return False
    return not any(child.has(Pool.FULL) for child in end.children.values())
