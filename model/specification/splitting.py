"""Split: a node ends where none ended before (semantics 5)."""

from __future__ import annotations

from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page


def split(state: State, page: Page) -> None:
    """A node ends with ``page`` from now on; no page changes its state (semantics 5.1, 5.5).

    The upper half keeps the hits of the whole, except in releases where they start at 0 (5.4).
    """
    if page.cut:
        return
    if page.children:
        _note_halves(state, page)
    page.cut = True
    if page.children and not state.dialect.split_keeps_hits:
        for upper in page.node():
            upper.hits = upper.inserts = 0


def _note_halves(state: State, page: Page) -> None:
    """A split is no use of the node that ``page`` is in: neither of what hangs below it there, nor
    of the page itself and what is above it (semantics 5.5).
    """
    state.trie.uses += 1
    halves = [*page.node(), *page.children.values()]
    for half in halves:
        half.halved = state.trie.uses
        if half.end > page.end and not half.cut:
            halves += half.children.values()
