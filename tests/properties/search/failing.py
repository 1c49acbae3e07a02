"""Made-up failures, and a history of every kind of operation to find them in."""

from __future__ import annotations

from collections.abc import Callable

from radixproof.impl.operations import (
    NO_PROMPT,
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key

RICH = Config(
    page_size=2,
    window=5,
    device_pages=3,
    swa_pages=3,
    mamba_states=2,
    host_pages=20,
    swa_host_pages=2,
    mamba_host_states=30,
    write_back=True,
    threshold=3,
    eviction_policy=EvictionPolicy.PRIORITY,
    load_threshold=6,
    ranks=3,
)
MIXED: tuple[Operation, ...] = (
    Insert(Key((1, 2, 1, 2), "a"), 2, True, True, 3),
    Lock("r1", Key((1, 2))),
    HostLock("r2", Key((1, 2))),
    RunCopies(2, load=True, fail=True, rank=2),
    Match(Key((2, 2)), "m1"),
    Lock("r3", NO_PROMPT, "m1"),
    WritingCheck(blocking=True),
    LoadingCheck(blocking=True),
    Evict(6, 4, 1),
    EvictHost(8, Component.SWA),
    ReleaseWindow("r1"),
    Unlock("r1"),
    LoadBack(Key((1, 2, 1, 2, 1)), 2),
    HostInsert(Key((1, 2))),
    Prefetch("f1", Key((1, 2, 1, 2))),
    EndPrefetch("f1", 2),
    Refuse(Pool.MAMBA_HOST),
    Arrive("q1", Key((1, 2, 1, 2)), 4),
    Prefill("q1", 3, launched=True),
    Decode("q1", (2, 1, 2), launched=True),
    RunForward(),
    Finish("q1"),
    Abort("q1"),
    Reset(),
)

Fails = Callable[[History], bool]


def has(*wanted: Operation | type) -> Fails:
    """Fails when these operations, or any of these kinds, occur in this order."""

    def fails(history: History) -> bool:
        rest = iter(history.operations)
        return all(
            any(operation == one or type(operation) is one for operation in rest) for one in wanted
        )

    return fails
