"""Small scopes: one configuration, and the operations that histories are made of.

A file that describes one is a history file (`radixproof.properties.histories`): the operations in
it are the alphabet, in whatever order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TypeAlias

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
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.model.key import Key
from radixproof.properties.histories.reading import history_in

DEPTH = 4
"""Operations of the histories of a scope that a file describes, unless it is told otherwise."""
MOST_OPERATIONS = 256
"""Of an alphabet: the number of one is kept in a byte."""
TOKENS = (1, 2)
"""Kinds of pages: all tokens of a page are alike."""
RECEIPT, HOST_RECEIPT, REQUEST, PREFETCH = "r", "h", "q", "f"
"""One of each kind is out at a time."""


@dataclass(frozen=True, slots=True)
class SmallScope:
    """All histories of up to ``depth`` of these operations, on a cache of this configuration."""

    name: str
    config: Config
    operations: tuple[Operation, ...]
    depth: int
    symmetric: bool = False
    """Whatever is possible with some names of pages, receipts and requests is possible with any."""

    def __post_init__(self) -> None:
        """Raises ValueError if there is nothing to explore, or too much."""
        if not 0 < len(self.operations) <= MOST_OPERATIONS:
            raise ValueError(
                f"{self.name}: a scope has 1 to {MOST_OPERATIONS} different operations, got"
                f" {len(self.operations)}"
            )

    def __str__(self) -> str:
        return self.name


def from_file(file: Path) -> SmallScope:
    """The scope that a history file describes. Raises `HistoryError`, `UnreadableFile` or
    ValueError.
    """
    history = history_in(file)
    return SmallScope(str(file), history.config, tuple(dict.fromkeys(history.operations)), DEPTH)


def prompts(config: Config, longest: int) -> list[Key]:
    """Every prompt of up to so many pages, of pages of two kinds."""
    return [
        Key(tuple(token for kind in pages for token in (kind,) * config.page_size))
        for length in range(1, longest + 1)
        for pages in product(TOKENS, repeat=length)
    ]


def operations(
    config: Config, keys: Sequence[Key], kinds: Iterable[type[Operation]]
) -> tuple[Operation, ...]:
    """All operations of some kinds with these prompts, in the order of the kinds."""
    return tuple(one for kind in kinds for one in _MADE[kind](config, keys))


# -- one kind at a time ----------------------------------------------------------------------------


def _inserts(config: Config, keys: Sequence[Key]) -> Iterator[Operation]:
    """With the window whole, or gone up to the last page; with a state, or without."""
    urgencies = (0, 1) if config.eviction_policy is EvictionPolicy.PRIORITY else (0,)
    states = (True, False) if config.mamba_states else (False,)
    for key, state, priority in product(keys, states, urgencies):
        last = len(key.tokens) - config.page_size
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


_Made: TypeAlias = Callable[[Config, Sequence[Key]], Iterable[Operation]]

_MADE: dict[type[Operation], _Made] = {
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
