"""Narrow scopes: few operations, and longer histories.

Each is for one thing that a cache does, with as few prompts as show it, and with a depth at which
it has found a planted bug (``benchmarks/small_scopes.py``). In most of them backups are done with
the insert that starts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

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
from radixproof.model.config import Config, EvictionPolicy
from radixproof.properties.exploring.alphabets import (
    failing_copies,
    forwards,
    gone_inserts,
    key_of,
    larger_evictions,
    loads_within,
    long_decodes,
    neighbours,
    operations,
    plain_inserts,
    polls,
    two_locks,
    two_requests,
    urgent_inserts,
    uses,
)
from radixproof.properties.exploring.shapes import (
    ASSORTED,
    BACK,
    BESIDE,
    CHAIN,
    FULL,
    LARGE,
    LONG,
    LONGER,
    MAMBA,
    ONE,
    PAGES,
    ROOMY,
    SELECTIVE,
    STATES,
    STEP,
    STEPS,
    SWA,
    SWA_LARGE,
    SWA_VAST,
    TWO,
    VARIANTS,
    VAST,
    WIDE,
    WIDER,
    WRITE_BACK,
    Kinds,
    Pages,
    Shape,
    policy,
)
from radixproof.properties.exploring.small_scope import SmallScope


class _Theme(NamedTuple):
    """One alphabet in several configurations, each with a depth."""

    name: str
    kinds: Kinds
    pages: Pages
    depths: Mapping[str, int]
    settled: bool = True

    def scopes(self) -> Iterator[SmallScope]:
        for variant, depth in self.depths.items():
            name, shape = f"{self.name}-{variant}", VARIANTS[variant]
            yield _narrow(name, depth, shape, self.kinds, self.pages, self.settled)


def _narrow(
    name: str, depth: int, shape: Shape, kinds: Kinds, pages: Pages, settled: bool = True
) -> SmallScope:
    config = Config(**shape)
    every = operations(config, [key_of(config, *prompt) for prompt in pages], kinds)
    return SmallScope(name, config, every, depth, settled=settled and not config.write_back)


_THEMES = (
    _Theme(
        "served",
        (plain_inserts, Evict, LoadBack, LoadingCheck, Match),
        CHAIN,
        {
            "full": 2,
            "full-write-back": 5,
            "swa": 5,
            "swa-write-back": 4,
            "mamba": 2,
            "mamba-write-back": 4,
            "swa-mamba-write-back": 5,
        },
    ),
    _Theme(
        "hosted",
        (plain_inserts, Evict, EvictHost, HostInsert, Match),
        CHAIN,
        {
            "full": 3,
            "full-write-back": 3,
            "swa": 2,
            "mamba-write-back": 2,
            "swa-mamba-write-back": 3,
        },
    ),
    _Theme(
        "brought",
        (plain_inserts, HostInsert, LoadBack, LoadingCheck, polls, Match, Reset),
        STEP,
        {"full": 3, "full-write-back": 2, "swa": 3, "swa-mamba": 3},
        settled=False,
    ),
    _Theme(
        "quotas",
        (plain_inserts, HostInsert, Evict, loads_within),
        CHAIN,
        {"full": 3, "swa-write-back": 3, "mamba-write-back": 2, "swa-mamba": 4},
    ),
    _Theme("locked", (plain_inserts, Lock, ReleaseWindow, Evict, Match), CHAIN, {"swa": 4}),
    _Theme(
        "released",
        (plain_inserts, Lock, ReleaseWindow, WritingCheck, LoadBack),
        CHAIN,
        {"swa": 4, "mamba": 4},
        settled=False,
    ),
    _Theme(
        "pinned",
        (plain_inserts, HostLock, Evict, EvictHost, LoadBack),
        CHAIN,
        {"full": 4, "swa-mamba-write-back": 4},
    ),
    _Theme("kept", (plain_inserts, uses, Match, Evict), BESIDE, {"full": 4, "swa": 4, "mamba": 4}),
    _Theme(
        "run",
        (plain_inserts, Arrive, Prefill, Decode, Finish, Evict),
        ONE,
        {"full": 2, "swa": 4, "swa-write-back": 3, "mamba-write-back": 3, "swa-mamba": 3},
    ),
    _Theme("refused", (plain_inserts, Evict, LoadBack, Refuse), CHAIN, {"full": 3, "swa": 4}),
    _Theme(
        "fetched",
        (plain_inserts, Prefetch, EndPrefetch, Evict),
        CHAIN,
        {"swa": 4, "mamba-write-back": 4, "swa-mamba-write-back": 4},
    ),
    _Theme("reset", (plain_inserts, Evict, LoadBack, LoadingCheck, Reset), ONE, {"full": 5}),
    _Theme("turnover", (plain_inserts, Evict), ((1,), (2,), (3,)), {"mamba-write-back": 2}),
    _Theme(
        "arrivals", (plain_inserts, Arrive, Evict, Prefill, LoadBack), TWO, {"mamba-write-back": 4}
    ),
    _Theme("two-requests", (plain_inserts, two_requests, Evict), ONE, {"mamba": 3}),
    _Theme(
        "released-loads",
        (plain_inserts, Lock, ReleaseWindow, LoadBack, LoadingCheck),
        ONE,
        {"swa": 5},
    ),
    _Theme(
        "released-pinned",
        (plain_inserts, HostLock, Lock, ReleaseWindow, Evict),
        ONE,
        {"swa-mamba-write-back": 5},
    ),
    _Theme("tied", (plain_inserts, two_locks, WritingCheck), STEP, {"swa": 4}, settled=False),
    _Theme(
        "launched",
        (plain_inserts, Arrive, Decode, Finish, forwards, Evict, LoadBack),
        ONE,
        {"full": 4},
    ),
    _Theme(
        "launched-parts",
        (plain_inserts, Arrive, forwards, Evict, LoadBack),
        ((1,), (1, 1, 1)),
        {"swa": 4},
    ),
    _Theme(
        "neighbours", (plain_inserts, Match, HostInsert, neighbours), ONE, {"full": 2, "mamba": 2}
    ),
    _Theme(
        "acks",
        (plain_inserts, Match, RunCopies, failing_copies, WritingCheck),
        STEP,
        {"full": 5},
        settled=False,
    ),
    _Theme(
        "failed",
        (plain_inserts, Evict, LoadBack, RunCopies, failing_copies),
        TWO,
        {"mamba": 3},
        settled=False,
    ),
    _Theme(
        "failed-loads",
        (plain_inserts, Evict, LoadBack, RunCopies, failing_copies, LoadingCheck),
        ONE,
        {"full-write-back": 6, "mamba-write-back": 5},
    ),
    _Theme("kept-loads", (plain_inserts, uses, LoadBack, Evict), STEP, {"full": 5}),
)

_ORDERED: Kinds = (plain_inserts, Evict, Match)
_ORDERED_PAGES: Pages = ((1,), (2,), (2, 1))
_RETURNED: Kinds = (Insert, HostInsert, Evict, EvictHost)
_LARGER: Kinds = (plain_inserts, larger_evictions, LoadBack, LoadingCheck)
_COUNTED: Kinds = (plain_inserts, Arrive, Prefill, Finish, HostInsert, Evict)
_LFU, _FIFO, _PRIORITY = map(
    policy, (EvictionPolicy.LFU, EvictionPolicy.FIFO, EvictionPolicy.PRIORITY)
)
_FILO, _MRU, _SLRU = map(policy, (EvictionPolicy.FILO, EvictionPolicy.MRU, EvictionPolicy.SLRU))

_POLICIES = (
    _narrow("ordered-lru-write-back", 2, FULL | WRITE_BACK, _ORDERED, _ORDERED_PAGES),
    _narrow("ordered-lfu-write-back", 4, FULL | WRITE_BACK | _LFU, _ORDERED, _ORDERED_PAGES),
    _narrow("ordered-fifo", 5, FULL | _FIFO, _ORDERED, _ORDERED_PAGES),
    _narrow("ordered-filo", 4, FULL | _FILO, _ORDERED, _ORDERED_PAGES),
    _narrow("ordered-slru", 4, FULL | _SLRU, _ORDERED, _ORDERED_PAGES),
    _narrow("ordered-mru", 3, FULL | SWA | _MRU, (plain_inserts, larger_evictions, Evict), TWO),
    _narrow("returned-fifo", 4, FULL | _FIFO, _RETURNED, BESIDE),
    _narrow("returned-priority", 4, FULL | _PRIORITY, _RETURNED, BESIDE),
    _narrow(
        "urgent-write-back", 3, FULL | WRITE_BACK | _PRIORITY, (urgent_inserts, Match, Evict), TWO
    ),
    _narrow("urgent-split", 4, ROOMY | BACK | _PRIORITY, (Insert, Match, Evict), BESIDE),
    _narrow(
        "urgent-fork",
        4,
        FULL | SWA | {"swa_host_pages": 2} | _PRIORITY,
        (urgent_inserts, Evict),
        ((1,), (2, 1)),
    ),
    _narrow(
        "urgent-counted",
        3,
        FULL | SELECTIVE | _PRIORITY,
        (urgent_inserts, Evict),
        TWO,
        settled=False,
    ),
    _narrow(
        "counted-lfu",
        4,
        ROOMY | STATES | BACK | _LFU,
        (plain_inserts, Match, larger_evictions),
        BESIDE,
    ),
    _narrow(
        "larger-lfu",
        3,
        ROOMY | SWA | {"swa_pages": 4} | BACK | _LFU,
        (plain_inserts, larger_evictions),
        ((1,), (1, 1, 1), (2,)),
    ),
    _narrow("fetched-slru", 5, FULL | _SLRU, (plain_inserts, Prefetch, EndPrefetch, Evict), TWO),
)

_SHAPES = (
    _narrow("larger-swa", 5, ROOMY | SWA, _LARGER, STEP),
    _narrow(
        "larger-swa-write-back",
        4,
        ROOMY | SWA | {"swa_pages": 4} | BACK,
        _LARGER,
        ((1,), (1, 1, 1), (2,)),
    ),
    _narrow("larger-mamba", 3, ROOMY | MAMBA, _LARGER, STEP),
    _narrow("larger-mamba-write-back", 4, ROOMY | MAMBA | BACK, _LARGER, ((1,), (1, 1, 1), (2,))),
    _narrow("larger-wide", 4, WIDE | ROOMY, _LARGER, STEPS),
    _narrow(
        "longer-swa",
        4,
        LARGE | SWA_LARGE | {"swa_host_pages": 3},
        (plain_inserts, Evict, HostLock, Match),
        LONGER,
    ),
    _narrow(
        "longer-reclaimed", 4, LARGE | BACK, (plain_inserts, HostInsert, Evict, EvictHost), STEPS
    ),
    _narrow("kept-longer", 4, ROOMY | SWA | {"swa_pages": 4}, (plain_inserts, uses, Match), STEPS),
    _narrow(
        "fetched-long",
        4,
        {"device_pages": 9, "host_pages": 9, "window": 2, "swa_pages": 9, "swa_host_pages": 3},
        (plain_inserts, Prefetch, EndPrefetch),
        ((1,) * 4, (1,) * 5),
    ),
    _narrow(
        "room",
        3,
        {"device_pages": 6, "host_pages": 2},
        (plain_inserts, HostLock, Match, Evict),
        LONGER,
    ),
    _narrow(
        "tight",
        2,
        ROOMY | SWA | {"swa_pages": 4, "swa_host_pages": 1},
        (Insert, HostInsert, Evict, Match),
        STEPS,
    ),
    _narrow(
        "released-tight",
        5,
        {"device_pages": 4, "host_pages": 2} | SWA | {"swa_pages": 2},
        (plain_inserts, Lock, ReleaseWindow, LoadBack),
        ((1,), (2, 2)),
    ),
    _narrow("windows", 3, WIDE, (Insert, Evict, Match, LoadBack), LONG),
    _narrow("windows-write-back", 3, WIDE | WRITE_BACK, (Insert, Evict, Match, LoadBack), LONG),
    _narrow(
        "brought-wide", 2, WIDE, (Insert, HostInsert, LoadBack, Match, Prefetch, EndPrefetch), LONG
    ),
    _narrow(
        "run-wide",
        4,
        LARGE | {"window": 2, "swa_pages": 6, "swa_host_pages": 4},
        (plain_inserts, Arrive, Prefill, Decode, long_decodes),
        ((1, 1), (1, 1, 1, 1)),
    ),
    _narrow("run-wider", 4, WIDER, (Arrive, Prefill, long_decodes, Decode, Finish), ((1, 1, 1),)),
    _narrow(
        "run-wider-mamba", 4, WIDER | MAMBA, (Arrive, Prefill, long_decodes, Decode), ((1, 1, 1),)
    ),
    _narrow(
        "run-short", 3, ROOMY | SWA | {"swa_pages": 4}, (Arrive, long_decodes, Finish, Abort), ONE
    ),
    _narrow(
        "run-short-write-back",
        3,
        ROOMY | SWA | {"swa_pages": 4} | BACK,
        (Arrive, long_decodes, Finish, Abort),
        ONE,
    ),
    _narrow(
        "run-late",
        5,
        {"device_pages": 5, "host_pages": 6} | BACK | STATES,
        (plain_inserts, Arrive, long_decodes, Finish),
        ((1,), (1, 1, 1)),
    ),
    _narrow("wide-mamba", 2, WIDE | MAMBA, (Insert, LoadBack, Evict), BESIDE),
    _narrow(
        "wide-mamba-write-back", 3, WIDE | MAMBA | BACK, (plain_inserts, Evict, LoadBack), STEP
    ),
    _narrow("states", 4, FULL | STATES, (plain_inserts, Match, larger_evictions), BESIDE),
    _narrow("states-run", 3, FULL | STATES, (Insert, Arrive, Prefill, LoadBack), STEP),
    _narrow(
        "states-run-write-back",
        3,
        FULL | STATES | WRITE_BACK,
        (Insert, Arrive, Prefill, LoadBack),
        STEP,
    ),
    _narrow(
        "states-run-swa",
        4,
        {**LARGE, **SWA_LARGE, "swa_host_pages": 2, "host_pages": 3}
        | STATES
        | {"mamba_host_states": 1},
        (plain_inserts, Arrive, Prefill, Decode, Finish, LoadBack),
        STEP,
    ),
    _narrow(
        "states-loads", 5, FULL | STATES, (plain_inserts, larger_evictions, LoadBack, Arrive), STEP
    ),
    _narrow("counted-swa", 3, FULL | SELECTIVE | SWA, _COUNTED, CHAIN, settled=False),
    _narrow("counted-mamba", 3, FULL | SELECTIVE | MAMBA, _COUNTED, CHAIN, settled=False),
    _narrow(
        "counted-decode",
        3,
        FULL | SELECTIVE | SWA,
        (plain_inserts, Arrive, Prefill, Decode, Finish, HostInsert),
        ONE,
    ),
    _narrow(
        "counted-brought",
        3,
        ROOMY | MAMBA | SELECTIVE,
        (Insert, Match, HostInsert),
        CHAIN,
        settled=False,
    ),
    _narrow(
        "counted-fetched",
        3,
        WIDE | SELECTIVE,
        (Insert, Prefetch, EndPrefetch),
        ((1, 1), (1, 1, 1)),
        settled=False,
    ),
    _narrow(
        "thrice", 2, FULL | {"threshold": 3}, (Insert, plain_inserts, Match), ONE, settled=False
    ),
    _narrow(
        "late-write-back",
        3,
        FULL | WRITE_BACK | {"load_threshold": 2},
        (plain_inserts, Evict, LoadBack, LoadingCheck, Match),
        CHAIN,
    ),
    _narrow(
        "failed-ranks",
        6,
        FULL | {"ranks": 2},
        (plain_inserts, RunCopies, failing_copies, WritingCheck),
        TWO,
        settled=False,
    ),
    _narrow("pages", 2, FULL | SWA | PAGES, (Insert, HostInsert, Match, Evict), LONG),
    _narrow(
        "pages-quotas",
        3,
        ROOMY | MAMBA | {"page_size": 4},
        (plain_inserts, Evict, loads_within),
        STEP,
    ),
    _narrow(
        "bigrams-swa", 2, FULL | SWA | {"bigram": True}, (Insert, HostInsert, Match, Evict), LONG
    ),
)

_ASSORTED = tuple(
    _narrow(
        f"assorted-{name}",
        depth,
        VAST | part,
        (Insert, gone_inserts, Match, HostInsert, HostLock),
        ASSORTED,
        settled=False,
    )
    for name, depth, part in (
        ("full", 2, {}),
        ("swa", 1, SWA_VAST),
        ("mamba", 1, MAMBA),
        ("pages", 1, PAGES),
        ("bigrams", 1, {**PAGES, "bigram": True}),
    )
)

NARROW = (
    *(scope for theme in _THEMES for scope in theme.scopes()),
    *_POLICIES,
    *_SHAPES,
    *_ASSORTED,
)
