"""Rules in which releases of a system legitimately differ, as named fields instead of version tests (semantics 15)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Rules in which releases legitimately differ.

    The defaults are the rules of our own implementation: the newest ones, and where SGLang counts the pieces of a node unevenly,
    the even one.

    Defects are not dialects: what a release does wrong is reported, never excused here.
    """

    segment_locks: bool = True
    """SWA locks count every node they cover; before 0.5.20 tombstones were skipped and covered nothing (semantics 6.1)."""
    split_keeps_hits: bool = True
    """The upper half of a split inherits the hit count; before 0.5.13 it started at 0 (semantics 5.4)."""
    hits_on_split_leaf: bool = True
    """All pieces of a new leaf that its own insert splits count one hit; in SGLang only the lowest does (semantics 4.3, 8.1)."""
    leaf_cut_to_window: bool = True
    """The live part of a new leaf ends in a node of one window, so that a lock pins no more; since 0.5.13 (semantics 4.3)."""
    pending_follows_split: bool = True
    """Both halves of a node in flight are marked as such; before 0.5.13 only the lower one is (semantics 5.4)."""
    room_before_backup: bool = True
    """A backup makes room on the host for all that it copies, or evicts nothing; SGLang may evict in vain (semantics 8.3)."""
    swa_recency_in_window: bool = True
    """A match renews SWA recency only within window + page of its end; before 0.5.13 along the whole path (semantics 3.5)."""
