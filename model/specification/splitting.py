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
    page.cut = True
    if page.children and not state.dialect.split_keeps_hits:
        for upper in page.node():
            upper.hits = upper.inserts = 0
