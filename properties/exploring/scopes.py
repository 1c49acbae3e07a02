"""The scopes that are here, by name.

First one for each set of components and each way of writing to the host; then some for what these
leave out; then narrow ones, which have few operations and reach further. Pools are as small as lets
every operation happen: room for two short prompts on the device, and for about as much on the host.
Their depths are such that all of them together take a minute and a half.
"""

from __future__ import annotations

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    WritingCheck,
)
from radixproof.model.config import Config
from radixproof.properties.exploring.alphabets import operations, prompts
from radixproof.properties.exploring.narrow import NARROW
from radixproof.properties.exploring.shapes import (
    FULL,
    MAMBA,
    PAGES,
    ROOMY,
    SWA,
    WRITE_BACK,
    Kinds,
    Shape,
)
from radixproof.properties.exploring.small_scope import SmallScope

CHECKS: Kinds = (WritingCheck, LoadingCheck)
"""All copies are waited for."""
TIERS: Kinds = (Insert, Evict, EvictHost, LoadBack, *CHECKS)
"""What moves KV between the tiers."""
LOCKS: Kinds = (*TIERS, Match, Lock)
COPIES: Kinds = (Insert, Evict, LoadBack, RunCopies)
"""Copies run one by one."""
REQUESTS: Kinds = (Insert, Arrive, Prefill, Decode, Finish, Abort, Evict, WritingCheck)
FETCHES: Kinds = (Insert, WritingCheck, Evict, EvictHost, HostInsert, Prefetch, EndPrefetch)


def _scope(
    name: str, depth: int, *parts: Shape, kinds: Kinds = LOCKS, pages: int = 2
) -> SmallScope:
    """One scope: a configuration of several parts, and kinds of operations."""
    shape: Shape = {}
    for part in parts:
        shape |= part
    config = Config(**shape)
    every = operations(config, prompts(config, pages), kinds)
    return SmallScope(name, config, every, depth, symmetric=True)


_COMPONENTS = (
    _scope("full", 3, FULL),
    _scope("full-pages", 3, FULL, PAGES),
    _scope("full-write-back", 3, FULL, WRITE_BACK),
    _scope("full-pages-write-back", 3, FULL, PAGES, WRITE_BACK),
    _scope("swa", 3, FULL, SWA),
    _scope("swa-write-back", 3, FULL, SWA, WRITE_BACK),
    _scope("mamba", 3, FULL, MAMBA),
    _scope("mamba-write-back", 3, FULL, MAMBA, WRITE_BACK),
    _scope("swa-mamba", 3, FULL, SWA, MAMBA),
    _scope("swa-mamba-write-back", 3, FULL, SWA, MAMBA, WRITE_BACK),
)
_OTHERS = (
    _scope("swa-deep", 2, ROOMY, SWA, kinds=TIERS, pages=3),
    _scope("swa-long-windows", 2, ROOMY, SWA, {"window": 2, "swa_pages": 4}, kinds=TIERS, pages=3),
    _scope("selective", 3, FULL, SWA, {"threshold": 2}),
    _scope("host-locks", 3, FULL, SWA, kinds=(Insert, HostLock, Evict, EvictHost, WritingCheck)),
    _scope(
        "windows-released", 3, FULL, SWA, kinds=(Insert, Lock, ReleaseWindow, Evict, WritingCheck)
    ),
    _scope("requests", 2, ROOMY, SWA, {"swa_pages": 4}, kinds=REQUESTS),
    _scope("requests-mamba", 2, ROOMY, MAMBA, kinds=REQUESTS),
    _scope("fetches", 2, ROOMY, SWA, kinds=FETCHES),
    _scope("fetches-mamba", 2, ROOMY, MAMBA, kinds=FETCHES),
    _scope("fetches-write-back", 2, FULL, SWA, WRITE_BACK, kinds=FETCHES),
    _scope("refusals", 3, FULL, SWA, kinds=(*TIERS, Refuse)),
    _scope("refusals-write-back", 3, FULL, SWA, WRITE_BACK, kinds=(*TIERS, Refuse)),
    _scope("resets", 3, FULL, SWA, kinds=(*TIERS, Reset)),
    _scope("copies", 3, FULL, SWA, kinds=COPIES),
    _scope("ranks", 3, FULL, {"ranks": 2}, kinds=COPIES),
    _scope("bigrams", 2, FULL, {"bigram": True}, kinds=LOCKS, pages=3),
    _scope("late-loads", 3, FULL, {"load_threshold": 2}, kinds=TIERS),
    _scope("one-tier", 3, {"device_pages": 3, "host_pages": 0}, kinds=(Insert, Match, Lock, Evict)),
)
SCOPES = {scope.name: scope for scope in (*_COMPONENTS, *_OTHERS, *NARROW)}
DEFAULT = "swa"
QUICK = "quick"
"""All but the slow ones: in under a minute on two cores."""
SLOW = frozenset(
    {
        "acks-full",
        "assorted-full",
        "counted-brought",
        "failed-ranks",
        "fetched-mamba-write-back",
        "fetched-swa",
        "fetched-swa-mamba-write-back",
        "kept-full",
        "kept-loads-full",
        "kept-longer",
        "kept-mamba",
        "kept-swa",
        "larger-swa-write-back",
        "larger-wide",
        "launched-parts-swa",
        "locked-swa",
        "longer-reclaimed",
        "longer-swa",
        "ordered-fifo",
        "pinned-full",
        "pinned-swa-mamba-write-back",
        "quotas-full",
        "quotas-swa-mamba",
        "quotas-swa-write-back",
        "refused-swa",
        "released-mamba",
        "released-swa",
        "returned-fifo",
        "returned-priority",
        "run-late",
        "served-full-write-back",
        "served-swa",
        "served-swa-mamba-write-back",
        "served-swa-write-back",
        "states-loads",
        "tied-swa",
        "urgent-fork",
        "urgent-split",
        "windows",
        "windows-write-back",
    }
)
"""They take some seconds each."""
