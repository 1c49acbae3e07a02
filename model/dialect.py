"""Rules in which releases legitimately differ, as fields and not as tests for versions (15)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Rules in which releases legitimately differ.

    The defaults are the rules of our own implementation: the newest ones, and where SGLang counts
    the pieces of a node unevenly, the even one. Defects are not dialects: what a release does
    wrong is reported, never excused here.
    """

    segment_locks: bool = True
    """SWA and MAMBA locks count every node they cover; before 0.5.20 tombstones were skipped, and
    covered nothing (6.1).
    """
    split_keeps_hits: bool = True
    """The upper half of a split keeps the hits of the whole; before 0.5.13 it started
    at 0 (5.4).
    """
    hits_on_split_leaf: bool = True
    """All pieces of a leaf that its own insert splits count one hit; in SGLang only the lowest does
    (semantics 4.3, 8.1).
    """
    room_before_backup: bool = True
    """A backup makes room on the host for all that it copies, or evicts nothing; SGLang may evict
    in vain (semantics 8.3).
    """
    swa_recency_in_window: bool = True
    """A match renews SWA recency only within window + page of its end; before 0.5.13 along the
    whole path (semantics 3.5).
    """
    mamba_recency_at_end: bool = True
    """A match renews the recency of the state at its end only; before 0.5.16 of all states along
    the path (semantics 3.5).
    """
    supplements: bool = True
    """What is attached after a node's first backup is backed up with its next hit; in SGLang only
    where a key ends, whatever the hits: its state, and the window there (semantics 4.4).
    """
    windowed_backups: bool = False
    """A backup takes along the SWA of one window that has no host copy; since 0.5.20 (semantics
    8.3).
    """
    windows_under_write_back: bool = False
    """Under write_back inserts make supplements, too, where a window lacks its copy, and evictions
    wait for these; on 0.5.22, and in another way on the two before (semantics 4.4, 7.8).
    """
    held_backups: bool = False
    """Backups are held back until the next check of them, and then submitted as one copy; since
    0.5.21 (semantics 8.3).
    """
    states_in_backups: bool = True
    """A state that an insert brings to a node is part of the backup that it starts there; in SGLang
    it is attached after that backup, unless the node is new (semantics 8.3).
    """
    release_frees_leaf: bool = True
    """A window released early is freed at once where nothing hangs below it on the device; SGLang
    never reaches that branch (semantics 6.4).
    """
    host_insert_refills: bool = True
    """A host insert gives nodes it passes the host copy that they lack; since 0.5.22 (10.3)."""
    room_before_load: bool = True
    """A load-back makes room for every component, and is refused only if there cannot be enough;
    SGLang may run short of SWA, and have evicted in vain (9.3).
    """
    duplicates_on_host: bool = True
    """Under write_back, host copies of what the device still has are evicted before all else; since
    0.5.18 (semantics 7.9).
    """
    duplicates_in_order: bool = True
    """These duplicates go in the configured order; in SGLang in the order in which they became such
    (semantics 7.9).
    """
    host_values_in_order: bool = True
    """SWA and MAMBA leave the host in the order in which they became host-only; in SGLang a split
    changes that order (semantics 7.9).
    """
    hits_under_write_back: bool = True
    """Hits count under write_back, so that they order evictions; in SGLang they do not (8.1)."""
