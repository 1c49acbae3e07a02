"""Alphabets: the operations that the histories of a small scope are made of, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import TypeAlias

from radixproof.impl.operations import (
    NO_PROMPT,
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
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.model.key import Key

TOKENS = (1, 2)
"""Kinds of pages: all tokens of a page are alike."""
RECEIPT, HOST_RECEIPT, REQUEST, PREFETCH, KEPT = "r", "h", "q", "f", "m"
"""One of each kind is out at a time."""
OTHER = "o"
"""Where two of a kind may be."""
NEIGHBOURS = ("a", "A", "1")
"""Namespaces beside the nameless one."""

Alphabet: TypeAlias = Callable[[Config, Sequence[Key]], Iterable[Operation]]
"""The operations of one kind in a configuration, with these prompts."""


def prompts(config: Config, longest: int) -> list[Key]:
    """Every prompt of up to so many pages, of pages of two kinds."""
    return [
        key_of(config, *pages)
        for length in range(1, longest + 1)
        for pages in product(TOKENS, repeat=length)
    ]


def key_of(config: Config, *pages: int) -> Key:
    """The prompt of pages of these kinds."""
    return Key(tuple(token for kind in pages for token in (kind,) * config.page_size))


def operations(
    config: Config, keys: Sequence[Key], kinds: Iterable[type[Operation] | Alphabet]
) -> tuple[Operation, ...]:
    """All operations of some kinds with these prompts, in the order of the kinds."""
    alphabets = (_OF_KIND[kind] if isinstance(kind, type) else kind for kind in kinds)
    return tuple(one for alphabet in alphabets for one in alphabet(config, keys))


# -- what is narrower, or rarer, than a kind -------------------------------------------------------


def plain_inserts(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """With everything that there is of a prompt: its whole window, and its state."""
    for key in keys:
        yield Insert(key, reuse=True, state=config.mamba_states > 0)


def gone_inserts(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """With nothing of the window left; and, where pages have several tokens, without the last."""
    for key in keys:
        yield Insert(key, len(key.tokens) if config.window is not None else 0)
        if config.page_size > 1:
            yield Insert(replace(key, tokens=key.tokens[:-1]), state=config.mamba_states > 0)


def neighbours(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """The prompts in other namespaces."""
    for key, namespace in product(keys, NEIGHBOURS):
        there = replace(key, namespace=namespace)
        yield Insert(there, reuse=True, state=config.mamba_states > 0)
        yield Match(there)
        yield HostInsert(there)
        yield HostLock(HOST_RECEIPT, there)


def two_locks(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Two receipts that may be out at once, either of which comes back or is released early."""
    for receipt in (RECEIPT, OTHER):
        yield from (Lock(receipt, key) for key in keys)
        yield Unlock(receipt)
        if config.window is not None:
            yield ReleaseWindow(receipt)


def two_requests(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Two requests that only come, and go."""
    for request in (REQUEST, OTHER):
        yield from (Arrive(request, key) for key in (Key(()), *keys))
        yield Abort(request)


def uses(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """A match that is kept, and all uses of it; a lock comes with its release."""
    yield from (Match(key, KEPT) for key in keys)
    yield Lock(RECEIPT, NO_PROMPT, KEPT)
    yield Unlock(RECEIPT)
    if config.host_pages:
        yield HostLock(HOST_RECEIPT, NO_PROMPT, KEPT)
        yield Unlock(HOST_RECEIPT)
        yield LoadBack(NO_PROMPT, kept=KEPT)


def urgent_inserts(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Of all priorities, with all that there is of a prompt."""
    for key, priority in product(keys, (-1, 0, 1)):
        yield Insert(key, reuse=True, state=config.mamba_states > 0, priority=priority)


def loads_within(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Of one page at most, or of none; where pages have several tokens, of no whole pages."""
    quotas = dict.fromkeys((0, config.page_size, config.page_size * 2 - 1))
    for key, quota in product(keys, quotas):
        yield LoadBack(key, quota)
        yield Arrive(REQUEST, key, quota)


def larger_evictions(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Of two pages, or states, at once, and of several components."""
    yield Evict(full=2 * config.page_size)
    if config.window is not None:
        yield Evict(swa=2 * config.page_size)
        yield Evict(config.page_size, 3 * config.page_size)
    if config.mamba_states:
        yield Evict(mamba=2)
    if config.host_pages:
        yield EvictHost(2 * config.page_size)


def polls(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Of both queues, without waiting."""
    yield from (WritingCheck(), LoadingCheck())


def long_decodes(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Of two pages and of three at once, and prompts that are computed so, or that are empty."""
    yield Arrive(REQUEST, Key(()))
    for pages in (2, 3):
        yield Prefill(REQUEST, pages * config.page_size)
        yield Decode(REQUEST, (TOKENS[0],) * (pages * config.page_size))


def failing_copies(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """The next copy fails, of either direction, on any rank."""
    for load, rank in product((False, True), range(config.ranks)):
        yield RunCopies(1, load, fail=True, rank=rank)


def forwards(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Steps that are launched before the one before them has run."""
    for pages in (1, 2):
        yield Prefill(REQUEST, pages * config.page_size, launched=True)
    yield Decode(REQUEST, (TOKENS[0],) * config.page_size, launched=True)
    yield RunForward()


# -- one kind at a time ----------------------------------------------------------------------------


def _inserts(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """With the window whole, or gone up to the last page; with a state, or without."""
    urgencies = (0, 1) if config.eviction_policy is EvictionPolicy.PRIORITY else (0,)
    states = (True, False) if config.mamba_states else (False,)
    for key, state, priority in product(keys, states, urgencies):
        last = max(0, len(key.tokens) - config.page_size)
        for evicted in sorted({0, last}) if config.window is not None else (0,):
            yield Insert(key, evicted, reuse=True, state=state, priority=priority)


def _evictions(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    yield Evict(full=config.page_size)
    if config.window is not None:
        yield Evict(swa=config.page_size)
    if config.mamba_states:
        yield Evict(mamba=1)


def _host_evictions(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    for component in config.components:
        yield EvictHost(1 if component is Component.MAMBA else config.page_size, component)


def _copies(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """Copies run one at a time, on one rank after the other; a check takes what has run."""
    for load, check in ((False, WritingCheck()), (True, LoadingCheck())):
        yield from (RunCopies(1, load, rank=rank) for rank in range(config.ranks))
        yield check


_OF_KIND: dict[type[Operation], Alphabet] = {
    Match: lambda _, keys: map(Match, keys),
    Insert: _inserts,
    Lock: lambda _, keys: (*(Lock(RECEIPT, key) for key in keys), Unlock(RECEIPT)),
    HostLock: lambda _, keys: (
        *(HostLock(HOST_RECEIPT, key) for key in keys),
        Unlock(HOST_RECEIPT),
    ),
    ReleaseWindow: lambda *_: (ReleaseWindow(RECEIPT),),
    Evict: _evictions,
    EvictHost: _host_evictions,
    LoadBack: lambda _, keys: map(LoadBack, keys),
    HostInsert: lambda _, keys: map(HostInsert, keys),
    Prefetch: lambda _, keys: (Prefetch(PREFETCH, key) for key in keys),
    EndPrefetch: lambda *_: (EndPrefetch(PREFETCH), EndPrefetch(PREFETCH, 0)),
    WritingCheck: lambda *_: (WritingCheck(blocking=True),),
    LoadingCheck: lambda *_: (LoadingCheck(blocking=True),),
    RunCopies: _copies,
    Refuse: lambda config, _: map(Refuse, config.pools),
    Reset: lambda *_: (Reset(),),
    Arrive: lambda _, keys: (Arrive(REQUEST, key) for key in keys),
    Prefill: lambda config, _: (Prefill(REQUEST, config.page_size),),
    Decode: lambda config, _: (Decode(REQUEST, (one,) * config.page_size) for one in TOKENS),
    Finish: lambda *_: (Finish(REQUEST),),
    Abort: lambda *_: (Abort(REQUEST),),
}
"""What an alphabet has of a kind. A lock comes with its release."""
