"""Milestones: situations that most bugs need and that random histories rarely reach (semantics
17.6).

A search that finds nothing says little unless it has been where the bugs are. Every milestone
states in one line what the situation is and what a system must offer for it to arise.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TypeAlias

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Evict,
    EvictHost,
    Finish,
    HostInsert,
    HostLock,
    LoadBack,
    LoadingCheck,
    Lock,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    WritingCheck,
)
from radixproof.model.config import Component, EvictionPolicy
from radixproof.properties.coverage.needs import (
    BIGRAM,
    ENDS_AT_STOPS,
    FAILING,
    HOSTED,
    HOSTLESS,
    KEPT,
    LAUNCHES,
    LOAD_THRESHOLDS,
    NAMESPACES,
    PAGED,
    RANKS,
    WRITE_BACK,
    WRITE_THROUGH,
    AnyOf,
    Need,
)

FULL, SWA, MAMBA = Component

AUX: AnyOf = (SWA, MAMBA)
LOCKS: AnyOf = (Lock, Arrive)
USING: AnyOf = (Lock, HostLock, LoadBack)
NOT_LRU: AnyOf = tuple(order for order in EvictionPolicy if order is not EvictionPolicy.LRU)


class Milestone(Enum):
    """A situation in words, and what it needs; of needs in parentheses, one is enough. Match and
    Insert are always assumed.
    """

    # A prompt is looked up.
    SPLIT_LOCKED = "a key ends inside a node that a receipt locks", LOCKS
    SPLIT_IN_FLIGHT = "a key ends inside a node whose backup is in flight", HOSTED
    SPLIT_LOADING = "a key ends inside a node whose load-back is in flight", LoadBack, Evict
    SPLIT_HOST_LOCKED = "a key ends inside a node that a receipt locks on the host", HostLock
    SPLIT_HOST_ONLY = "a key ends inside a node that is on the host only", HOSTED, Evict
    SPLIT_TOMBSTONE = "a key ends inside a node without SWA state", SWA
    SPLIT_ABOVE_STATE = (
        "a key ends inside a node with a MAMBA state, which stays with the lower half",
        MAMBA,
    )
    HOST_HIT = "a match reaches further with the host than on the device", HOSTED, Evict
    WINDOW_VETO = "a match stops short of FULL data because a whole window of SWA is not there", SWA
    STATE_VETO = "a match stops short of FULL data because no MAMBA state is there", MAMBA
    TOMBSTONES_APART = "a key leads over two tombstones, with SWA between them", SWA
    NAMESPACES_SHARE = "the same tokens are in the tree under two namespaces", NAMESPACES
    BIGRAM_MATCH = "a key that is seen as pairs of tokens is in the tree", BIGRAM

    # An insert.
    DUPLICATE = "an insert brings nothing new"
    REUSE = "an insert extends the prefix that it matched"
    REVIVE = "an insert brings a host-only node back to the device", HOSTED, Evict
    REVIVE_BELOW_BOUNDARY = (
        "an insert brings a host-only node back without its SWA",
        SWA,
        HOSTED,
        Evict,
    )
    RECOVER = "an insert gives a node its SWA back", SWA
    RECOVER_LOCKED = "an insert gives a node its SWA back under a live receipt", SWA, LOCKS
    BOUNDARY_INSIDE_NODE = "the SWA boundary is strictly inside a node that is there", SWA
    BOUNDARY_INSIDE_PAGED_NODE = (
        "the SWA boundary is strictly inside a node that is there, and a page has several tokens",
        SWA,
        PAGED,
    )
    BOUNDARY_INSIDE_LEAF = "the SWA boundary is strictly inside a new leaf", SWA
    LEAF_BELOW_BOUNDARY = "a new leaf is wholly below the SWA boundary", SWA
    LEAF_LONGER_THAN_WINDOW = "a new leaf with SWA is longer than a window", SWA
    STATE_ATTACHED = "an insert attaches its MAMBA state to a node that is there", MAMBA
    STATE_TWICE = "an insert brings a MAMBA state where there is one", MAMBA
    STATE_REVIVED = (
        "an insert brings a MAMBA state back to the device that was on the host only",
        MAMBA,
        HOSTED,
        Evict,
    )
    INSERT_REFUSED = "an insert is refused an allocation for which there is room", Refuse

    # A backup.
    BACKUP_OF_ANCESTORS = "a node is due for backup below one that has none", HOSTED, WRITE_THROUGH
    BACKUP_MAKES_ROOM = (
        "a backup needs host room that only eviction can make",
        HOSTED,
        WRITE_THROUGH,
    )
    BACKUP_SHORT_OF_TWO = (
        "a backup needs room for two components on the host, which only eviction can make",
        AUX,
        HOSTED,
        WRITE_THROUGH,
    )
    BACKUP_MAKES_ROOM_WHILE_LOADING = (
        "a backup needs host room that only eviction can make, with a load-back in flight",
        HOSTED,
        WRITE_THROUGH,
        LoadBack,
        Evict,
    )
    BACKUP_UNDER_HOST_LOCK = (
        "a backup is due while something is locked on the host",
        HOSTED,
        WRITE_THROUGH,
        HostLock,
    )
    BACKUP_TOO_LARGE = "a backup is due for which the host cannot have room", HOSTED, WRITE_THROUGH
    BACKUP_REFUSED = "a backup is due whose allocation is refused", HOSTED, WRITE_THROUGH, Refuse
    SUPPLEMENT_WINDOW = (
        "SWA that was attached after its node's first backup is due for backup",
        SWA,
        HOSTED,
        WRITE_THROUGH,
    )
    SUPPLEMENT_STATE = (
        "a MAMBA state that was attached after its node's first backup is due for backup",
        MAMBA,
        HOSTED,
        WRITE_THROUGH,
    )

    # Receipts.
    WINDOW_INSIDE_NODE = "the window of a lock begins strictly inside a node", SWA, LOCKS
    WINDOW_SHARED = (
        "the window of a lock begins strictly inside a node whose window another receipt has",
        SWA,
        LOCKS,
    )
    UNLOCK_AFTER_SPLIT = "a receipt is given back after a node under it was split", LOCKS
    UNLOCK_AFTER_REVIVAL = "a receipt is given back after SWA state appeared under it", SWA, LOCKS
    UNLOCK_AFTER_RELEASE = (
        "a receipt is given back whose window was given back before",
        AUX,
        ReleaseWindow,
    )
    RELEASE = "a window, or a state, is given back early", AUX, ReleaseWindow
    RELEASE_SHARED = (
        "a window is given back early that another receipt still has",
        SWA,
        ReleaseWindow,
    )
    RELEASE_OF_LEAF = (
        "a window is given back early, and nothing needs its last node on the device",
        SWA,
        ReleaseWindow,
    )

    # An eviction from the device.
    DEMOTION = "an eviction starts with a leaf that is backed up", HOSTED, Evict
    DELETION = (
        "an eviction starts with a leaf that is lost for want of a backup",
        HOSTED,
        WRITE_THROUGH,
        Evict,
    )
    EVICTION_IN_FLIGHT = "something is evicted while backups are in flight", HOSTED, Evict
    EVICTION_WHILE_LOADING = "something is evicted while load-backs are in flight", Evict, LoadBack
    EVICTION_OF_TOO_MUCH = "more is asked for than is evictable", Evict
    EVICTION_BY_OTHER_ORDER = (
        "an eviction order other than LRU starts with another leaf than LRU would",
        Evict,
        NOT_LRU,
    )
    EVICTION_UNDER_HOST_LOCK = (
        "an un-backed leaf must not be deleted, as a host lock is on it or below it",
        Evict,
        HostLock,
    )
    EVICTION_WITHOUT_HOST = "something is evicted from a cache without a host tier", Evict, HOSTLESS
    SWA_EVICTION_INTERIOR = "an SWA eviction starts with a node that is not a leaf", SWA, Evict
    STATE_EVICTION_INTERIOR = "a MAMBA eviction starts with a node that is not a leaf", MAMBA, Evict
    STATE_LOST_WITH_WINDOW = (
        "a node loses its MAMBA state because it loses its SWA",
        SWA,
        MAMBA,
        Evict,
    )
    WRITE_BACK_OF_LEAF = (
        "an eviction under write_back starts with a leaf that the host has room for",
        Evict,
        WRITE_BACK,
    )
    WRITE_BACK_MAKES_ROOM = (
        "an eviction under write_back starts with a leaf that the host has room for only "
        "after an eviction of its own",
        Evict,
        WRITE_BACK,
    )
    WRITE_BACK_INTERIOR = (
        "an interior node loses SWA or MAMBA under write_back, and has no host copy",
        Evict,
        WRITE_BACK,
        AUX,
    )
    WRITE_BACK_DELETION = (
        "under write_back a leaf goes that cannot be backed up, with host-only nodes below",
        Evict,
        WRITE_BACK,
    )

    # An eviction from the host.
    HOST_EVICTION_OF_CHAIN = (
        "a host eviction meets a host-only chain of at least two nodes",
        Evict,
        EvictHost,
    )
    HOST_EVICTION_OF_WINDOW = (
        "a host eviction takes an SWA value off a node that stays",
        SWA,
        Evict,
        EvictHost,
    )
    HOST_EVICTION_OF_STATE = (
        "a host eviction takes a MAMBA state off a node that stays",
        MAMBA,
        Evict,
        EvictHost,
    )
    HOST_EVICTION_OF_DUPLICATE = (
        "a host eviction under write_back reclaims the copy of a node on the device",
        EvictHost,
        WRITE_BACK,
    )
    HOST_EVICTION_LOCKED = (
        "a host eviction has to spare a leaf that a receipt locks on the host",
        Evict,
        EvictHost,
        HostLock,
    )
    HOST_EVICTION_WHILE_LOADING = (
        "a host eviction must not take what a load-back still reads",
        Evict,
        EvictHost,
        LoadBack,
    )

    # A load-back.
    LOAD_OF_CHAIN = "a load-back brings two nodes or more below one on the device", Evict, LoadBack
    LOAD_UNDER_PRESSURE = "a load-back needs room that only eviction can make", Evict, LoadBack
    LOAD_WRITES_BACK = (
        "a load-back needs room that only eviction can make, by writing something back",
        Evict,
        LoadBack,
        WRITE_BACK,
    )
    LOAD_OVER_QUOTA = "a load-back is refused for its quota", Evict, LoadBack
    LOAD_TOO_SHORT = (
        "a load-back is refused for its threshold",
        LOAD_THRESHOLDS,
        Evict,
        LoadBack,
    )
    LOAD_TOO_LARGE = "a load-back is refused because no eviction can make room", Evict, LoadBack
    LOAD_REFUSED = (
        "a load-back is refused an allocation for which there is room",
        Evict,
        LoadBack,
        Refuse,
    )
    LOAD_SHORT_WITH_AUX = (
        "a load-back below the threshold goes ahead, as a window or a state comes along",
        LOAD_THRESHOLDS,
        Evict,
        LoadBack,
        AUX,
    )
    LOAD_OF_AUX = "a load-back brings a window or a state alone", Evict, LoadBack, AUX
    LOAD_ON_LOAD = "a load-back ends below another that is in flight", Evict, LoadBack
    LOAD_UNDER_RECEIPT = (
        "a load-back brings SWA back under a live receipt",
        SWA,
        Evict,
        LoadBack,
        LOCKS,
    )

    # KV fetched to the host.
    HOST_INSERT_ADDS = "a host insert adds a node", HostInsert
    HOST_INSERT_DROPPED = (
        "a host insert is dropped, as it would hang below a node without a host copy",
        HostInsert,
    )
    HOST_INSERT_REFILLS = (
        "a host insert passes a node on the device that lacks a host copy",
        HostInsert,
        AUX,
    )
    FETCHED_WINDOW_FILLS = "a window is fetched for nodes that lack it on the host", HostInsert, SWA
    FETCHED_WINDOW_CUTS = "a window that is fetched begins within a new node", HostInsert, SWA
    FETCHED_WINDOW_SPLITS = (
        "a window that is fetched begins within a node that is there",
        HostInsert,
        SWA,
    )
    FETCHED_STATE_FILLS = (
        "a state is fetched for a node that lacks it on the host",
        HostInsert,
        MAMBA,
    )

    # Prefetches.
    PREFETCH_MAKES_ROOM = "a prefetch begins for which host data has to go", Prefetch
    PREFETCH_IN_PART = "a prefetch ends before all of it has come", Prefetch
    PREFETCH_OVERTAKEN = "a prefetch ends with what the host has by now", Prefetch
    PREFETCH_PREFIX_SPLIT = "a prefetch ends after its prefix was split", Prefetch
    PREFETCH_ON_HOST_ONLY = (
        "a prefetch ends below a prefix that has left the device meanwhile",
        Prefetch,
        Evict,
    )

    # Copies.
    POLL_TOO_EARLY = "a poll finds only copies that have not run", (WritingCheck, LoadingCheck)
    POLL_PARTLY = "a poll finds some backups run and others not", RunCopies, WritingCheck
    POLL_ONE_RANK_AHEAD = "a poll finds copies that have run on some ranks only", RunCopies, RANKS
    ACK_AFTER_EVICTION = (
        "a backup is acknowledged after something was evicted in the meantime",
        Evict,
        WritingCheck,
    )
    LOAD_ACK_AFTER_EVICTION = (
        "a load-back is acknowledged after something was evicted in the meantime",
        Evict,
        LoadBack,
    )
    BACKUP_FAILS = "a backup fails, and has to be made again", RunCopies, FAILING
    LOAD_FAILS = "a load-back fails, and has to be made again", Evict, LoadBack, RunCopies, FAILING

    # Requests.
    REQUESTS_SHARE = "a request arrives whose prefix another one alive has locked", Arrive
    REQUEST_OVERTAKEN = "a request computes what the tree has by now", Arrive, Prefill
    REQUEST_RETRIED = "a request arrives with the prompt of one that was aborted", Arrive, Abort
    ABORT_WHILE_LOADING = (
        "a request is aborted while its prefix is loaded back",
        Arrive,
        Abort,
        LoadBack,
        Evict,
    )
    FINISH_AFTER_SPLIT = (
        "a request ends after a node under its lock was split",
        Arrive,
        (Finish, Abort),
    )
    FINISH_WHILE_COMPUTED = (
        "a request ends whose last token a forward pass has yet to compute",
        Arrive,
        Finish,
        HOSTED,
        LAUNCHES,
    )
    COPIED_WHILE_COMPUTED = (
        "a backup is copied after a request ended whose last token has yet to be computed",
        Arrive,
        Finish,
        RunCopies,
        LAUNCHES,
    )
    LOADED_WHILE_COMPUTED = (
        "a load-back is copied after a request ended whose last token has yet to be computed",
        Arrive,
        (Finish, Abort),
        LoadBack,
        RunCopies,
        LAUNCHES,
    )
    FINISH_AT_PROMPT = "a request ends whose answer is not to be kept", Arrive, Finish
    FINISH_AT_STOP = (
        "a request ends at a stop beyond which it has computed",
        Arrive,
        Finish,
        ENDS_AT_STOPS,
    )
    STATE_COPY_MAKES_ROOM = (
        "a request needs a copy of a state, and another state has to go for it",
        MAMBA,
        Arrive,
    )
    STATE_COPY_REFUSED = (
        "a request needs a copy of a state for which there is no room",
        MAMBA,
        Arrive,
    )

    # What a match found is used after other operations.
    LATE_AFTER_SPLIT = "a match is used after its node was split", KEPT, USING
    LATE_AFTER_GROWTH = "a match is used after something was hung below its node", KEPT, USING
    LATE_AFTER_BACKUP = (
        "a match is used after the backup of its node was made, or acknowledged",
        KEPT,
        USING,
        WRITE_THROUGH,
    )
    LATE_AFTER_LOAD = (
        "a match is used after others have loaded back what it found on the host only",
        KEPT,
        Evict,
        LoadBack,
    )
    LATE_AFTER_EVICTION = "a match is used after an eviction elsewhere", KEPT, USING, Evict
    LATE_LOAD = "a load-back brings what a match found on the host before", KEPT, Evict, LoadBack

    RESET = "a cache that was used is reset", Reset
    RESET_IN_FLIGHT = "a cache is reset while copies are in flight", HOSTED, Reset

    _value_: str
    needs: tuple[Need | AnyOf, ...]

    def __new__(cls, sentence: str, *needs: Need | AnyOf) -> Milestone:
        self = object.__new__(cls)
        self._value_, self.needs = sentence, needs
        return self


Met: TypeAlias = Iterator[Milestone]
"""Those that an operation is about to reach."""
