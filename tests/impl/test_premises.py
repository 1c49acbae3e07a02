"""Premises: every reason for which an operation is skipped, and nothing without one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from radixproof.impl.operations import (
    NO_PROMPT,
    OPERATIONS,
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
from radixproof.impl.premises import premise, unavailable
from radixproof.impl.scope import ON_HOST, Scope
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key

PLAIN, HOSTLESS = Config(), Config(host_pages=0)
WITH_STATES = Config(mamba_states=2, mamba_host_states=2)
WINDOWED = Config(page_size=2, window=2, swa_pages=8, swa_host_pages=16)
STATEFUL = Config(mamba_states=2, mamba_host_states=2)
ABC = Key((1, 2, 3))


@dataclass
class Out:
    """What is out, told by hand: receipts, locked windows, and what is left of requests."""

    receipts: set[str] = field(default_factory=set)
    windows: set[str] = field(default_factory=set)
    left: dict[str, int] = field(default_factory=dict)
    prefetches: set[str] = field(default_factory=set)
    matches: set[str] = field(default_factory=set)

    def has_receipt(self, name: str) -> bool:
        return name in self.receipts

    def has_window(self, name: str) -> bool:
        return name in self.windows

    def has_match(self, name: str) -> bool:
        return name in self.matches

    def has_prefetch(self, name: str) -> bool:
        return name in self.prefetches

    def left_of(self, request: str) -> int | None:
        return self.left.get(request)

    @property
    def idle(self) -> bool:
        return not (self.receipts or self.left or self.prefetches)


def words(value: object) -> str:
    """Part of the name of a case: the operation, and the reason."""
    return "" if isinstance(value, Config | Scope | Out) else str(value)


NOTHING = Out()
BUSY = Out({"r", "w"}, {"w"}, {"half": 2, "whole": 0}, {"f"}, {"m"})
GONE = "what m found is not there any more"


def test_a_prefetch_has_to_end() -> None:
    scope = Scope(operations=(Prefetch, HostLock, HostInsert))
    assert unavailable(Prefetch, PLAIN, scope) == "the system has prefetches that do not end"


@pytest.mark.parametrize(
    ("operation", "config", "held", "reason"),
    [
        (Insert(ABC, evicted=1), PLAIN, NOTHING, "there is no SWA"),
        (Insert(ABC, evicted=3), WINDOWED, NOTHING, "the SWA boundary is beyond the prompt"),
        (Insert(ABC, evicted=2), WINDOWED, NOTHING, None),
        (
            Insert(ABC, evicted=2),
            replace(WINDOWED, bigram=True, page_size=1),
            NOTHING,
            None,
        ),
        (
            Insert(ABC, evicted=3),
            replace(WINDOWED, bigram=True, page_size=1),
            NOTHING,
            "the SWA boundary is beyond the prompt",
        ),
        (Insert(ABC, state=True), PLAIN, NOTHING, "there is no MAMBA"),
        (Insert(ABC, state=True), STATEFUL, NOTHING, None),
        (EvictHost(1, Component.MAMBA), PLAIN, NOTHING, "there is no MAMBA"),
        (EvictHost(1, Component.MAMBA), STATEFUL, NOTHING, None),
        (Refuse(Pool.SWA), PLAIN, NOTHING, "there is no SWA pool"),
        (Refuse(Pool.SWA), WINDOWED, NOTHING, None),
        (RunCopies(rank=1), PLAIN, NOTHING, "there is no rank 1"),
        (RunCopies(rank=1), Config(ranks=2), NOTHING, None),
        (EvictHost(1), HOSTLESS, NOTHING, "there is no host tier"),
        (WritingCheck(), HOSTLESS, NOTHING, "there is no host tier"),
        (Lock("r", ABC), PLAIN, BUSY, "r is taken"),
        (HostLock("r", ABC), PLAIN, BUSY, "r is taken"),
        (Lock("r", ABC), PLAIN, NOTHING, None),
        (Lock("s", NO_PROMPT, "m"), PLAIN, BUSY, None),
        (Lock("r", NO_PROMPT, "m"), PLAIN, BUSY, "r is taken"),
        (Lock("s", NO_PROMPT, "m"), PLAIN, NOTHING, GONE),
        (HostLock("s", NO_PROMPT, "m"), PLAIN, NOTHING, GONE),
        (LoadBack(NO_PROMPT, None, "m"), PLAIN, NOTHING, GONE),
        (LoadBack(NO_PROMPT, None, "m"), PLAIN, BUSY, None),
        (Match(ABC, "m"), PLAIN, BUSY, None),
        (Unlock("r"), PLAIN, BUSY, None),
        (Unlock("r"), PLAIN, NOTHING, "there is no receipt r"),
        (ReleaseWindow("w"), WINDOWED, BUSY, None),
        (ReleaseWindow("r"), WINDOWED, BUSY, "the window of r is not locked"),
        (Prefetch("f", ABC), PLAIN, BUSY, "f has begun"),
        (Prefetch("f", ABC), PLAIN, NOTHING, None),
        (Prefetch("f", ABC), HOSTLESS, NOTHING, "there is no host tier"),
        (EndPrefetch("f"), PLAIN, BUSY, None),
        (EndPrefetch("f"), PLAIN, NOTHING, "there is no prefetch f"),
        (Reset(), PLAIN, Out(prefetches={"f"}), "the cache is not idle"),
        (Arrive("q", ABC), PLAIN, BUSY, None),
        (Arrive("half", ABC), PLAIN, BUSY, "half is running"),
        (Prefill("q"), PLAIN, BUSY, "there is no request q"),
        (Prefill("half"), PLAIN, BUSY, None),
        (Prefill("whole"), PLAIN, BUSY, "its prompt is computed"),
        (Decode("whole"), PLAIN, BUSY, None),
        (Decode("half"), PLAIN, BUSY, "its prompt is not computed yet"),
        (Finish("half"), PLAIN, BUSY, None),
        (Finish("q"), PLAIN, BUSY, "there is no request q"),
        (Abort("q"), PLAIN, BUSY, "there is no request q"),
        (Reset(), PLAIN, NOTHING, None),
        (Reset(), PLAIN, Out({"r"}), "the cache is not idle"),
        (Reset(), PLAIN, Out(left={"q": 0}), "the cache is not idle"),
        *((one, PLAIN, BUSY, None) for one in (Match(ABC), Evict(1), Insert(ABC), LoadBack(ABC))),
        *((one, PLAIN, BUSY, None) for one in (HostInsert(ABC), LoadingCheck())),
    ],
    ids=words,
)
def test_premise(operation: Operation, config: Config, held: Out, reason: str | None) -> None:
    assert premise(operation, held, config, Scope()) == reason


@pytest.mark.parametrize(
    ("operation", "scope", "reason"),
    [
        (
            RunCopies(fail=True),
            Scope(failing_copies=False),
            "copies of this system cannot fail",
        ),
        (Match(ABC), Scope(operations=(Insert,)), "the system has no such operation"),
        (LoadBack(ABC), Scope(hosted=False), "the system has no such operation"),
        (
            Match(Key((1,), "a")),
            Scope(namespaces=False),
            "keys of this system have no namespace",
        ),
        (Match(ABC), Scope(namespaces=False), None),
        (
            Match(ABC, "m"),
            Scope(kept_matches=False),
            "matches of this system are used at once",
        ),
        (Match(ABC), Scope(kept_matches=False), None),
    ],
    ids=words,
)
def test_what_a_system_cannot_be_put_to(
    operation: Operation, scope: Scope, reason: str | None
) -> None:
    assert premise(operation, NOTHING, PLAIN, scope) == reason


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.name)
def test_kinds_that_a_cache_cannot_have(kind: type[Operation]) -> None:
    every = Scope(launches=(Decode,))
    assert unavailable(kind, PLAIN, every) is None
    assert (unavailable(kind, HOSTLESS, every) is None) == (kind not in ON_HOST)
    assert (unavailable(kind, WITH_STATES, every) is None) == (kind is not RunForward)
    others = tuple(other for other in OPERATIONS if other is not kind)
    assert unavailable(kind, PLAIN, Scope(operations=others)) == "the system has no such operation"
