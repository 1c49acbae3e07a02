"""All that the specification knows of one cache: the state that every chapter's
transitions change.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from radixproof.model.config import Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.specification.copies import Copies
from radixproof.model.specification.trie import Holder, Page, PagesPerPool, Trie

LEAST_URGENT = -sys.maxsize
"""The priority of SGLang's root before the first insert (semantics 10.3)."""


class Kept(NamedTuple):
    """What a match found, to be used later (semantics 3.7)."""

    device: Page
    best: Page
    windows: int
    """`Trie.windows` at that time: with SWA that comes later, slots may be exchanged (4.1)."""


class State:
    """One cache: its tree, who locks which part of it, and what is in flight."""

    def __init__(self, config: Config, dialect: Dialect) -> None:
        self.config = config
        self.dialect = dialect
        self.trie = Trie(config)
        self.receipts: dict[Holder, PagesPerPool] = {}
        """What each lock covers: pages, so that no later split or revival changes it (6.2)."""
        self.kept: dict[str, Kept] = {}
        """Matches that may be used later, by name (3.7)."""
        self.copies = Copies(config.ranks, dialect.held_backups)
        self.inserts = 0
        """How many inserts there were, of both kinds: numbers a new node (7.2)."""
        self.most_urgent = LEAST_URGENT
        """The highest priority of any insert; see `Page.urgency`."""
        self.refusing: set[Pool] = set()
        """Pools whose next allocation was made to fail, and may still be to come (17.4)."""
        self.missed: list[set[Pool]] = []
        """Allocations that have failed since the last of these was told to, each by the pools of
        which one has met its refusal.
        """
