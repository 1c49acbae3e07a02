"""What each release of SGLang is put to, as a table: asked of the scopes and sights that it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from radixproof.impl.operations import (
    Arrive,
    Decode,
    Finish,
    HostInsert,
    HostLock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    RunCopies,
)
from radixproof.impl.scope import Scope
from radixproof.impl.sglang.names import PYTHON, RUST
from radixproof.impl.sglang.releases import DRIVEN, cores_of, scope_of, sight_of
from radixproof.impl.sight import Sight
from radixproof.model.config import Config, EvictionPolicy
from radixproof.model.key import Key

FULL = Config()
SWA = replace(FULL, window=2, swa_pages=4, swa_host_pages=4)
MAMBA = replace(FULL, mamba_states=4, mamba_host_states=4)
ALL = replace(SWA, mamba_states=4, mamba_host_states=4)


class Thing(NamedTuple):
    """Something that a release is put to, or is seen to do, or not."""

    name: str
    driven: Callable[[Scope, Sight], bool]
    why: str = ""
    """The reason, for releases where it is not."""


def _caches(name: str, *configs: Config, why: str = "") -> Thing:
    return Thing(name, lambda scope, _: not any(map(scope.refuses, configs)), why)


def _operation(name: str, operation: Operation, *, config: Config = FULL, why: str = "") -> Thing:
    return Thing(name, lambda scope, _: not scope.declines(operation, config), why)


def _seen(name: str, shown: Callable[[Sight], bool], *, why: str = "") -> Thing:
    return Thing(name, lambda _, sight: shown(sight), why)


def _hostless(config: Config) -> Config:
    return replace(config, host_pages=0, swa_host_pages=0, mamba_host_states=0)


def _written_back(config: Config) -> Config:
    return replace(config, write_back=True)


KEY = Key((1, 2))
THINGS = (
    _caches(
        "no host tier: FULL, FULL+SWA, FULL+MAMBA, all three",
        *map(_hostless, (FULL, SWA, MAMBA, ALL)),
    ),
    _caches("a host tier: FULL, FULL+SWA, FULL+MAMBA", FULL, SWA, MAMBA),
    _caches("a host tier: all three", ALL, why="SGLang has no host pools for the three together"),
    _caches("write-through, selective or not", FULL, replace(FULL, threshold=2)),
    _caches("write_back: FULL, FULL+MAMBA", _written_back(FULL), _written_back(MAMBA)),
    _caches(
        "write_back: FULL+SWA",
        _written_back(SWA),
        why="not modelled: what inserts back up then (0.5.20, 0.5.21), which windows the host "
        "drops (0.5.19, Rust)",
    ),
    _caches("LRU"),
    _caches(
        "the other six orders of eviction, priorities",
        *(replace(FULL, eviction_policy=policy) for policy in EvictionPolicy),
        why="the tree has LRU alone",
    ),
    _caches("pages of 1 to 16 tokens", *(replace(FULL, page_size=size) for size in (1, 2, 16))),
    _caches("a threshold for load-backs", replace(FULL, load_threshold=2)),
    _caches("bigram keys", replace(FULL, bigram=True)),
    _caches("several ranks", replace(FULL, ranks=2)),
    _operation("namespaces", Match(Key((1, 2), "n"))),
    _operation("requests, with chunks, states and copy-on-write", Arrive("q", KEY), config=ALL),
    _operation("requests whose answers are not to be kept", Finish("q", prompt_only=True)),
    _operation(
        "requests that end at a stop before what they computed",
        Finish("q", past_stop=1),
        why="SGLang keeps what is past a stop",
    ),
    Thing(
        "a step in flight, of requests that decode",
        lambda scope, _: Decode in scope.launches,
        "the scheduler waits for it, mostly (11.6)",
    ),
    Thing(
        "a step in flight, of a part of a prompt",
        lambda scope, _: Prefill in scope.launches,
        "the scheduler waits for it",
    ),
    _operation(
        "early releases",
        ReleaseWindow("r"),
        config=SWA,
        why="the tree has none",
    ),
    _operation(
        "an early release of a state without SWA",
        ReleaseWindow("r"),
        config=MAMBA,
        why="SGLang gives a window back early, and a state with it",
    ),
    _operation("host locks", HostLock("r", KEY), why="the tree takes none"),
    _operation("host inserts", HostInsert(KEY), why="the tree has none"),
    _operation("prefetches", Prefetch("p", KEY), why="the tree has none"),
    Thing(
        "prefetches by SGLang's own functions",
        lambda scope, _: scope.carries_prefetches,
        "no storage can be attached to a cache",
    ),
    Thing(
        "the second tracked state taken lazily",
        lambda scope, _: scope.lazy_tracking,
        "it comes in another way, or not at all",
    ),
    Thing(
        "the lock on the state of a prefix given back for want of room",
        lambda scope, _: scope.gives_states_back,
        "SGLang keeps it as long as the rest",
    ),
    _operation("refused allocations, on both tiers", Refuse()),
    _operation(
        "copies that fail",
        RunCopies(fail=True),
        why="the controller has no notion of one: nothing is told of a copy but that it has ended",
    ),
    _seen(
        "events",
        lambda sight: sight.events,
        why="the tree sends none (0.5.12); nothing says of what namespace a block is (Rust)",
    ),
    _seen("nodes, slots on the device, sizes, pools", lambda sight: sight.sizes),
    _seen(
        "locks, LRU lists, leaf sets, host slots of each node",
        lambda sight: sight.lru_lists,
        why="the core has no function that shows them; what depends on them is judged by what "
        "evictions take",
    ),
)


HEAD = ("what", "Python core", "Rust core", "where not, why")


def table() -> list[tuple[str, ...]]:
    """Rows: what it is, on which releases with either core, and why not on the others."""
    return [row(thing) for thing in THINGS]


def row(thing: Thing) -> tuple[str, ...]:
    """The row of a thing. Raises ValueError if it has no reason, or one too many."""
    columns = [_on(thing, core) for core in (PYTHON, RUST)]
    if (columns == ["all", "all"]) == bool(thing.why):
        raise ValueError(
            f"{thing.name}: a reason is needed where, and only where, it is not driven"
        )
    return (thing.name, *columns, thing.why)


def _on(thing: Thing, core: str) -> str:
    versions = [version for version in DRIVEN if core in cores_of(version)]
    shown = ((scope_of(version, core), sight_of(version, core)) for version in versions)
    return ranges(versions, [thing.driven(scope, sight) for scope, sight in shown])


def ranges(versions: Sequence[str], driven: Sequence[bool]) -> str:
    """Those of some versions, oldest first, that are ``driven``, in words."""
    if all(driven):
        return "all"
    runs = []
    for is_driven, run in groupby(zip(versions, driven, strict=True), key=lambda one: one[1]):
        if is_driven:
            names = [version for version, _ in run]
            runs.append(" to ".join(dict.fromkeys((names[0], names[-1]))))
    return ", ".join(runs) or "none"
