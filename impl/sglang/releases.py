"""The releases that the adapter drives: their rules, what each can be put to, and what it shows.

These have to be known before anything is imported, so here, and only here, the version decides.
Every difference is a row of `RULES`. The dialect, the scope and the sight of a release are computed
from the rows, and ``docs/write_releases.py`` writes section 15 of ``docs/semantics.md`` from the
same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

from radixproof.impl.operations import (
    OPERATIONS,
    Decode,
    EndPrefetch,
    HostInsert,
    HostLock,
    Prefetch,
    Prefill,
    ReleaseWindow,
)
from radixproof.impl.scope import Scope
from radixproof.impl.sglang.names import BOTH, PYTHON, RUST, named
from radixproof.impl.sglang.store import check_version, is_version, prepared, version_key
from radixproof.impl.sight import Sight
from radixproof.impl.system import Unavailable
from radixproof.model.config import DEVICE, Component, Config, EvictionPolicy
from radixproof.model.dialect import Dialect

OLDEST, NEWEST = "0.5.12", "0.5.23"
"""Both included."""
DRIVEN = (
    "0.5.12.post1",
    "0.5.13.post1",
    "0.5.14",
    "0.5.15.post1",
    "0.5.16",
    "0.5.17",
    "0.5.18",
    "0.5.19",
    "0.5.20",
    "0.5.21",
    "0.5.22",
    "0.5.23",
)
"""Those that campaigns are about, oldest first: of those that differ in nothing here, one."""
OLDEST_RUST = "0.5.19"
"""The first that ships a core in Rust: an option there, and the default since 0.5.21."""
NAMED_EVENTS = "0.5.22"
"""The first whose events say of what namespace a block is."""


class Rule(NamedTuple):
    """A rule, with the first release that has it and what the harness makes of the releases before.

    A row with a ``field`` sets it to ``value`` from that release on.
    """

    since: str | None
    """None: no release so far."""
    rule: str
    before: str = ""
    """Empty where the field says it: releases before are judged by its old value."""
    field: str = ""
    """Of `Dialect`, `Scope` or `Sight`."""
    value: Any = True
    core: str = ""
    """The only core that has it; empty if both do, as far as there are two."""


_LATER = (HostInsert, Prefetch, EndPrefetch, HostLock, ReleaseWindow)
"""Operations that not every release can be put to, in the order in which they came."""
_ALWAYS = tuple(operation for operation in OPERATIONS if operation not in _LATER)


def _no_windows_under_write_back(config: Config) -> str:
    if config.write_back and config.window is not None:
        return "what inserts of this release back up under write_back is not modelled"
    return ""


def _no_windows_dropped_under_write_back(config: Config) -> str:
    if config.write_back and config.window is not None:
        return "which windows this core drops from the host under write_back is not modelled"
    return ""


def _not_three_with_a_host(config: Config) -> str:
    if config.hosted and config.window is not None and config.mamba_states:
        return "SWA, MAMBA and a host tier at once"
    return ""


RULES = (
    Rule("0.5.12", "unified tree with a host tier", "nothing to test"),
    Rule(
        "0.5.13",
        "orders of eviction other than LRU, and priorities (7.2)",
        "LRU alone is driven",
        "eviction_policies",
        tuple(EvictionPolicy),
    ),
    Rule(
        "0.5.13",
        "under write_back eviction waits for the bytes before it demotes (7.4)",
        "reported",
    ),
    Rule("0.5.13", "ancestors are backed up first (8.2)", "reported"),
    Rule(
        "0.5.13",
        "locks of host copies, and what is fetched to the host (6.6, 10.2, 10.3)",
        "the operations are left out",
        "operations",
        (*_ALWAYS, HostInsert, Prefetch, EndPrefetch, HostLock),
    ),
    Rule(
        "0.5.13",
        "the scheduler waits for a step before it plans the next (11.6)",
        "reported",
        "launches",
        (),
    ),
    Rule("0.5.13", "what is cached is announced (1.8)", "not heard", "events"),
    # FULL alone: where SWA ends the device node early, its figure is more than is on the host only.
    Rule(
        "0.5.13",
        "a match says per component what is on the host only (3.4)",
        "not compared",
        "host_hits",
        (Component.FULL,),
    ),
    Rule("0.5.13", "a split copies hits (5.4)", field="split_keeps_hits"),
    Rule(
        "0.5.13",
        "a match renews SWA recency near its end only (3.5)",
        field="swa_recency_in_window",
    ),
    Rule("0.5.13", "the live part of a new leaf is cut to one window (4.3)", "reported"),
    Rule(
        "0.5.14",
        "early release of a window (6.4)",
        "the operation is left out",
        "operations",
        OPERATIONS,
    ),
    Rule(
        "0.5.14",
        "the scheduler waits for what a step that decodes reads, not for what it writes (11.6)",
        "none is in flight",
        "launches",
        (Decode,),
    ),
    Rule("0.5.14", "a load-back locks its source on the host until the ack (9.2)", "reported"),
    Rule(
        "0.5.15.post1",
        "an unfinished insert says what its window has lost (11.5)",
        "reported",
    ),
    Rule("0.5.15.post1", "a leaf keeps a page of its window (11.4)", "reported of 0.5.14"),
    Rule("0.5.15.post1", "a leaf wholly below `e` is created (4.2)", "reported"),
    Rule("0.5.15.post1", "recovery leaves locked FULL slots alone (4.1)", "reported"),
    Rule(
        "0.5.16",
        "a match renews the recency of the state at its end only (3.5)",
        field="mamba_recency_at_end",
    ),
    Rule(
        "0.5.16",
        "a host tier for FULL, SWA and MAMBA together",
        "this release cannot be built so",
        "cannot",
        None,
    ),
    Rule(
        "0.5.17",
        "under write_back a leaf for which the host has no room is deleted (7.4)",
        "reported",
    ),
    Rule("0.5.17", "room is made for what a request lacks, not for its need (11.2)", "reported"),
    Rule(
        "0.5.17",
        "a host insert hangs nothing below what is not backed up (10.3)",
        "reported",
    ),
    Rule(
        "0.5.18",
        "for a request's second tracked state nothing is evicted, where it is taken late (11.5)",
        "the option is left out",
        "lazy_tracking",
    ),
    Rule(
        "0.5.18",
        "write_back reclaims host copies of what is on the device (7.9)",
        field="duplicates_on_host",
    ),
    Rule(
        "0.5.18",
        "a state attached after a node's first backup is backed up as a supplement (4.4)",
        "reported",
    ),
    Rule("0.5.18", "windows of bigrams are counted in units (11.4)", "reported from 0.5.14"),
    Rule(
        "0.5.19",
        "a second load-back of nodes that are loading is no error (9.4)",
        "reported",
    ),
    Rule("0.5.19", "a load-back waits for the step in flight (11.6)", "reported"),
    Rule("0.5.19", "a load-back evicts no more SWA and states than it lacks (9.3)", "reported"),
    Rule(
        "0.5.19",
        "under write_back the Rust core drops host copies of windows that are on the device (7.9)",
        "write_back is not driven with SWA on the Rust core of 0.5.19",
        "cannot",
        _no_windows_dropped_under_write_back,
        RUST,
    ),
    Rule(
        "0.5.19",
        "what the threads of a prefetch do comes back through one queue (10.2)",
        "the harness makes the tree's own calls for it",
        "carries_prefetches",
    ),
    Rule(
        "0.5.20",
        "locks count every node (6.1), and what arrives under one is protected (6.3)",
        field="segment_locks",
    ),
    Rule(
        "0.5.20",
        "a release needs no memory of nodes passed over (6.2)",
        "reported from 0.5.13.post1",
    ),
    Rule(
        "0.5.20",
        "a backup takes along the SWA of a window (8.3)",
        field="windowed_backups",
    ),
    Rule(
        "0.5.20",
        "SWA attached after a node's first backup is backed up as a supplement (4.4)",
        "reported",
    ),
    Rule(
        "0.5.20",
        "under write_back inserts back up windows, and what lacks a copy above (to 0.5.21)",
        "write_back is not driven with SWA on 0.5.20 and 0.5.21",
        "cannot",
        _no_windows_under_write_back,
    ),
    Rule("0.5.20", "a split leaves the SWA list's order alone (5.5)", "reported"),
    Rule(
        "0.5.20",
        "ancestors that a load-back pins count against its quota (9.3)",
        "reported",
    ),
    Rule(
        "0.5.21",
        "backups are held back until the next check, and then submitted as one copy (8.3)",
        field="held_backups",
    ),
    Rule(
        "0.5.22",
        "under write_back inserts back up windows, and nothing above them",
        "write_back is not driven with SWA on 0.5.20 and 0.5.21",
        "cannot",
        None,
    ),
    Rule(
        "0.5.22",
        "under write_back evictions wait for windows that inserts back up (4.4, 7.8)",
        field="windows_under_write_back",
    ),
    Rule("0.5.22", "what a request inserts again is not hit again (8.1)", "reported"),
    Rule(
        "0.5.22",
        "host locks count every node, and follow splits (5.2, 6.6)",
        "reported",
    ),
    Rule(
        "0.5.22",
        "a host insert gives walked nodes the host copy that they lack (10.3)",
        field="host_insert_refills",
    ),
    Rule("0.5.22", "inserts of parts of a prompt are hits (8.1)", "reported"),
    Rule("0.5.22", "a tracked state is handed over for no less than it sums up (11.5)", "reported"),
    Rule(
        "0.5.22",
        "what a request generated past its stop is not inserted (11.3)",
        "the option is left out",
        "ends_at_stops",
    ),
    Rule("0.5.23", "a backup waits for the step in flight (11.6)", "reported"),
    Rule(
        "0.5.23",
        "the scheduler waits for what a part of a prompt reads, not for what it writes (11.6)",
        "none is in flight",
        "launches",
        (Prefill, Decode),
    ),
    Rule("0.5.23", "a window is kept in whole pages (11.4)", "reported from 0.5.14"),
    Rule(
        "0.5.23",
        "a request goes on from the node that its insert ended on (11.2)",
        "reported from 0.5.14",
    ),
    Rule(
        "0.5.23",
        "under write_back only evictions make backups (8.3)",
        "reported",
        "windows_under_write_back",
        False,
    ),
    Rule(
        "0.5.23",
        "for want of room a request gives the state of its prefix back, and evicts then (6.4)",
        "the request keeps its lock",
        "gives_states_back",
    ),
    Rule(None, "a split leaves access times alone (5.5)", "reported"),
)
"""Oldest first."""

OWN_DESIGN: Mapping[str, str] = {
    "duplicates_in_order": (
        "host copies of what is on the device go in the configured order (7.9)"
    ),
    "host_values_in_order": (
        "SWA and MAMBA leave the host in the order in which they became host-only (7.9)"
    ),
    "hits_on_split_leaf": "all pieces of a leaf that its own insert cuts are hit (8.1)",
    "hits_under_write_back": (
        "hits count under write_back, too, so that they order evictions (8.1)"
    ),
    "supplements": (
        "what is attached after a node's first backup is backed up with its next hit, not only "
        "where a key ends (4.4)"
    ),
    "states_in_backups": (
        "a state that an insert brings to a node is part of the backup that it starts there (8.3)"
    ),
    "room_before_backup": "a backup makes room for all that it copies, or evicts nothing (8.3)",
    "room_before_load": (
        "a load-back makes room for every component, and is refused only if it cannot (9.3)"
    ),
    "release_frees_leaf": (
        "SWA that an early release leaves over is freed at once where nothing hangs below it (6.4)"
    ),
}
"""Fields of `Dialect` that no release turns on: what our own cache does then, by field."""


def nearest(version: str) -> str:
    """The release whose rules a source tree is judged by: its own, or the newest that there are.

    Raises `Unavailable` if it is older than the oldest.
    """
    if not is_version(version) or version.startswith("0.0.0"):
        return NEWEST
    if version_key(version) < version_key(OLDEST):
        raise Unavailable(f"radixproof drives SGLang from {OLDEST} on, not {version}")
    return min(version, NEWEST, key=version_key)


def dialect_of(version: str) -> Dialect:
    """The rules of a release. Raises `Unavailable` outside OLDEST to NEWEST."""
    old = Dialect(**dict.fromkeys(_DIALECT, False))
    return replace(old, **_values(version, _DIALECT))


def scope_of(version: str, core: str = PYTHON) -> Scope:
    """What a release can be put to, with one of its cores or both. Raises `Unavailable` outside
    OLDEST to NEWEST.
    """
    old = Scope(
        eviction_policies=(EvictionPolicy.LRU,),
        operations=_ALWAYS,
        stateless_inserts=False,
        state_release=False,
        ends_at_stops=False,
        failing_copies=False,
        launches=(Prefill, Decode),
        carries_requests=True,
        self_checks=True,
        cannot=_not_three_with_a_host,
    )
    return replace(old, **_values(version, _SCOPE, core))


def sight_of(version: str, core: str = PYTHON) -> Sight:
    """What a release lets be seen. Raises `Unavailable` outside OLDEST to NEWEST."""
    if core != PYTHON:
        _must_have_rust(version)
    if core == RUST:
        return _rust_sight(version)
    old = Sight(
        host_locks=(),  # they count only what has a host copy, and the halves of a split unevenly
        load_marks=False,
        marks_after_split=False,
        recency=False,
        host_hits=(),
        events=False,
    )
    return replace(old, **_values(version, _SIGHT))


def cores_of(version: str) -> tuple[str, ...]:
    """The cores of a release."""
    return (PYTHON, RUST) if version_key(version) >= version_key(OLDEST_RUST) else (PYTHON,)


def all_names() -> list[str]:
    """The names of all releases that campaigns are about, with every core of each."""
    return [named(version, core) for version in DRIVEN for core in cores_of(version)]


def prepared_names() -> list[str]:
    """The names of the releases in the store that can be used, with every core of each."""
    return [named(version, core) for version in prepared() for core in cores_of(version)]


def _rust_sight(version: str) -> Sight:
    """A core in Rust shows no locks, lists, orders or hits, and no host slots; its events can be
    told apart by namespace since they say it themselves.
    """
    named = version_key(version) >= version_key(NAMED_EVENTS)
    seen = replace(sight_of(version), slots=DEVICE, locks=(), leaf_sets=False, lru_lists=False)
    return replace(seen, events=seen.events and named)


def _must_have_rust(version: str) -> None:
    """Raises `Unavailable` where there is no core in Rust."""
    if RUST not in cores_of(version):
        raise Unavailable(
            f"SGLang {version} has no Rust core: the first release that ships one is {OLDEST_RUST}"
        )


_DIALECT = frozenset(field.name for field in fields(Dialect))
_SCOPE = frozenset(field.name for field in fields(Scope))
_SIGHT = frozenset(field.name for field in fields(Sight))


def _values(version: str, names: frozenset[str], core: str = PYTHON) -> dict[str, Any]:
    """What the rows up to a release have set these fields to, for a core or both."""
    key = version_key(check_version(version))
    if not version_key(OLDEST) <= key <= version_key(NEWEST):
        raise Unavailable(f"radixproof drives SGLang {OLDEST} to {NEWEST}, not {version}")
    return {
        rule.field: rule.value
        for rule in RULES
        if rule.field in names
        and rule.since is not None
        and key >= version_key(rule.since)
        and (rule.core in {"", core} or core == BOTH)
    }
