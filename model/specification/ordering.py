"""The configured order in which leaves leave the device and the host (semantics 7.2)."""

from __future__ import annotations

from collections.abc import Iterable

from radixproof.model.config import EvictionPolicy
from radixproof.model.specification.trie import Page

SLRU_PROTECTED = 2
"""Hits from which a node belongs to the protected segment of SLRU (semantics 7.2)."""


def rank(end: Page, policy: EvictionPolicy) -> int:
    """What counts before recency when a leaf is chosen, smallest first (semantics 7.2)."""
    ranks = {
        EvictionPolicy.LFU: end.hits,
        EvictionPolicy.FIFO: end.created,
        EvictionPolicy.FILO: -end.created,
        EvictionPolicy.PRIORITY: end.priority,
        EvictionPolicy.SLRU: int(end.hits >= SLRU_PROTECTED),
    }
    return ranks.get(policy, 0)


def in_order(pages: Iterable[Page], policy: EvictionPolicy) -> Iterable[Page]:
    """Leaves, given least recently used first, in the order of a policy (semantics 7.2)."""
    if policy is EvictionPolicy.LRU:
        return pages
    if policy is EvictionPolicy.MRU:
        return reversed(list(pages))
    return sorted(pages, key=lambda page: rank(page, policy))


def first(candidates: Iterable[Page]) -> Page | None:
    """The strict choice: exactly the first in order, if there is any (semantics 7.1)."""
    return next(iter(candidates), None)
