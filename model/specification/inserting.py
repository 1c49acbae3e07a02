"""Insert: which part of a request's prompt the tree takes, and where nodes end afterwards (4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from radixproof.model.config import Pool
from radixproof.model.key import Key
from radixproof.model.specification.backing_up import back_up_what_fits, inserts_back_up
from radixproof.model.specification.matching import renew_path
from radixproof.model.specification.nodes import nodes_of
from radixproof.model.specification.splitting import split
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page

StartBackups: TypeAlias = Callable[[State, Sequence[Page], Sequence[Page], Page | None], None]
"""Starts the backups of an insert: it is given the path, the pages of it just hit, and the page
that gets a state only when these have had theirs.
"""


@dataclass(slots=True)
class Inserting:
    """An insert between its two halves: tokens have their place, hits and backups are not decided
    (4.4).
    """

    path: list[Page]
    existing: int = 0
    """Pages of the path that were in the tree before."""
    cuts_before: set[Page] = field(default_factory=set)
    """Where nodes ended before, if the dialect needs it."""
    evicted: int = 0
    inserted: int = 0
    """Tokens that the same request inserted before."""
    counted: bool = True
    """It is one that counts as a use where every insert is counted by itself."""
    taken: bool = False
    """The state that came with it was taken."""
    opens: bool = False
    """State was added, or some page lacks a host copy: there may be new node ends, and backups."""


# -- what is where ---------------------------------------------------------------------------------


def insert(
    state: State,
    key: Key,
    protected: int,
    evicted: int,
    has_state: bool = False,
    priority: int = 0,
    inserted: int = 0,
) -> Inserting:
    """First half: which pages are on the device afterwards (semantics 4.1, 4.2, 4.3, 4.5).

    ``protected``, ``evicted`` and ``inserted`` are in tokens. Pages that are new or come back take
    the request's slots; a page without SWA takes the request's, if the request still has it.
    """
    state.inserts += 1
    state.most_urgent = max(state.most_urgent, priority)
    path = state.trie.extend(key)
    if not path:
        return Inserting(path)
    existing = sum(page in state.trie.recency for page in path)
    evicted = max(protected, evicted)
    taken = has_state and not path[-1].has(Pool.MAMBA)
    opens = taken or not path[-1].cut
    inserting = Inserting(
        path, existing, evicted=evicted, inserted=inserted, taken=taken, opens=opens
    )
    if not state.dialect.hits_on_split_leaf:
        inserting.cuts_before = {page for page in path[:existing] if page.cut}
    backs_up = inserts_back_up(state)
    for at, page in enumerate(path):
        if at >= existing:
            page.created = state.inserts
            page.priority = page.urgency = priority
        page.priority = max(page.priority, priority)
        page.urgency = max(page.urgency, priority)
        inserting.opens |= _take_page(state, page, evicted) or (backs_up and page.lacks)
    cut_path(state, path, existing, evicted)
    renew_path(state, path)
    return inserting


def _take_page(state: State, page: Page, evicted: int) -> bool:
    """Put a page on the device, with SWA from ``evicted`` on (semantics 4.1, 4.2).

    Returns whether any of it was missing.
    """
    takes_swa = state.config.window is not None and page.end - state.config.page_size >= evicted
    whole = page.has(Pool.FULL) and (page.has(Pool.SWA) or not takes_swa)
    state.trie.put(page, Pool.FULL)
    if takes_swa:
        state.trie.put(page, Pool.SWA)
    return not whole


# -- where nodes end -------------------------------------------------------------------------------


def cut_path(state: State, path: Sequence[Page], existing: int, evicted: int) -> None:
    """Node ends that an insert makes (semantics 4.1 to 4.3).

    At its own end, where it left the tree, and where SWA or a host copy begins or ends; and one
    window before its end, if that much of a new leaf has SWA.
    """
    split(state, path[-1])
    if existing:
        split(state, path[existing - 1])
    for page, below in pairwise(path):
        if _differs(page, below, Pool.SWA) or _differs(page, below, Pool.FULL_HOST):
            split(state, page)
    window = state.config.window
    live = max(evicted, path[existing - 1].end if existing else 0)
    end = path[-1].end
    if window is not None and live < end:
        cut = window_cut(live, end, window, state.config.page_size)
        if cut > live:
            split(state, path[cut // state.config.page_size - 1])


def _differs(page: Page, below: Page, pool: Pool) -> bool:
    """One of two pages is in a pool, and the other is not: they belong to two nodes (4.1, 4.3)."""
    return page.has(pool) != below.has(pool)


def window_cut(start: int, end: int, window: int, page_size: int) -> int:
    """Where a leaf from ``start`` to ``end``, all with SWA, is cut to one window (semantics 4.3).

    ``start`` if it is no longer than that, in whole pages.
    """
    return max(start, end - -(-window // page_size) * page_size)


# -- hits ------------------------------------------------------------------------------------------


def finish_insert(
    state: State, inserting: Inserting, start_backups: StartBackups = back_up_what_fits
) -> None:
    """Second half: hits are counted, the state is attached, and backups are started (4.4, 8.2,
    8.3).
    """
    counted = count_hits(state, inserting)
    end = inserting.path[-1] if inserting.taken else None
    is_new = inserting.existing < len(inserting.path)
    late = None if is_new or state.dialect.states_in_backups else end
    if end is not None and late is None:
        state.trie.put(end, Pool.MAMBA)
    if inserting.path and inserts_back_up(state):
        start_backups(state, inserting.path, counted, late)
    if late is not None:
        state.trie.put(late, Pool.MAMBA)


def count_hits(state: State, insert: Inserting) -> list[Page]:
    """One hit for every page that a request walked or made for the first time, node by node.
    Returns those counted (8.1).
    """
    uncounted = set() if state.dialect.hits_on_split_leaf else split_pieces(insert)
    if state.config.write_back and not state.dialect.hits_under_write_back:
        return []
    for page in insert.path:
        page.inserts += insert.counted and page not in uncounted
    counted = [page for page in first_used(state, insert) if page not in uncounted]
    for page in counted:
        page.hits += 1
    return counted


def first_used(state: State, insert: Inserting) -> list[Page]:
    """Pages of the nodes that end beyond what the same request inserted before (semantics 8.1)."""
    start = insert.inserted // state.config.page_size
    while start and not insert.path[start - 1].cut:
        start -= 1
    return insert.path[start:]


def split_pieces(insert: Inserting) -> set[Page]:
    """Upper pieces that the insert itself cut off, at ``e`` or at one window (semantics 4.3, 8.1).

    Dialects that need this have counted such pieces as one node.
    """
    walked = insert.path[: insert.existing]
    new = insert.path[insert.existing :]
    pieces = {page for node in nodes_of(new)[:-1] for page in node}
    for node in nodes_of(walked):
        end = node[-1]
        if end.end == insert.evicted and end not in insert.cuts_before and end is not walked[-1]:
            pieces.update(node)
    return pieces
