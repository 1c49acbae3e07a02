"""What a system can be put to: declared, so that configurations and operations are
drawn within it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args

from radixproof.impl.operations import (
    OPERATIONS,
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
    ReleaseWindow,
    Requested,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import COMPONENTS, Component, Config, EvictionPolicy

ON_HOST: tuple[type[Operation], ...] = (
    HostLock,
    EvictHost,
    LoadBack,
    HostInsert,
    Prefetch,
    EndPrefetch,
    RunCopies,
    RunForward,
    WritingCheck,
    LoadingCheck,
)
"""Operations that mean nothing without a host tier."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The configurations and operations that a system can be put to. The default is everything."""

    components: tuple[Component, ...] = COMPONENTS
    page_sizes: tuple[int, ...] | None = None
    """None: any."""
    eviction_policies: tuple[EvictionPolicy, ...] = tuple(EvictionPolicy)
    operations: tuple[type[Operation], ...] = OPERATIONS
    hosted: bool = True
    """It can be built with a host tier. Where it cannot, no operation of `ON_HOST` is
    ever performed.
    """
    hostless: bool = True
    """It can be built without a host tier."""
    write_through: bool = True
    """It can back up what is inserted, or hit often enough. Matters only with a host tier."""
    write_back: bool = True
    """It can back up what is evicted, and only that."""
    hit_thresholds: bool = True
    """Backups can wait for more than one hit."""
    load_thresholds: bool = True
    """Load-backs can be refused for being short."""
    bigram: bool = True
    namespaces: bool = True
    """Keys can have a namespace."""
    ranks: bool = True
    stateless_inserts: bool = True
    """Where there is MAMBA, an insert can do without a state."""
    state_release: bool = True
    """Where there is MAMBA but no SWA, the state of a receipt can be given back early."""
    ends_at_stops: bool = True
    """A request that has generated more than it was to keep can end before that."""
    failing_copies: bool = True
    kept_matches: bool = True
    """What a match found can be used after other operations (semantics 3.7)."""
    launches: tuple[type[Operation], ...] = ()
    """Steps that its engine launches and does not wait for, while it deals with what those before
    have brought (semantics 11.6): not part of the default, since few caches have to do with it.
    """
    carries_requests: bool = False
    """It carries requests through its engine's own functions: not part of the default, since what a
    cache has of them is not part of it.
    """
    lazy_tracking: bool = False
    """Such an engine can take a request's second tracked state only while it needs one."""
    gives_states_back: bool = False
    """Such a request gives back its lock on the state of its prefix, where there is no room for the
    state that it hands over.
    """
    carries_prefetches: bool = False
    """It prefetches through its engine's own functions: not part of the default either."""
    self_checks: bool = False
    """It has a check of its own state, and that is to be called as well: not part of the default,
    since few have one.
    """
    cannot: Callable[[Config], str] | None = None
    """Any other reason why it cannot be built with a configuration; empty if there is none."""

    def __post_init__(self) -> None:
        """Raises TypeError for a field that is not a tuple of what it names."""
        kinds: dict[str, tuple[Enum | type, ...]] = {
            "components": COMPONENTS,
            "eviction_policies": tuple(EvictionPolicy),
            "operations": OPERATIONS,
        }
        for name, known in kinds.items():
            value = getattr(self, name)
            if not isinstance(value, tuple) or not value or any(one not in known for one in value):
                raise TypeError(
                    f"Scope: {name} must be a tuple of some of {_names(known)}, got {value!r}"
                )
        sizes = self.page_sizes
        if sizes is not None and not (
            isinstance(sizes, tuple)
            and sizes
            and all(type(size) is int and size > 0 for size in sizes)
        ):
            raise TypeError(
                f"Scope: page_sizes must be a tuple of sizes, or None for any, got {sizes!r}"
            )

    def refuses(self, config: Config) -> str:
        """Why a cache of this configuration cannot be built; empty if it can."""
        missing = [part.name for part in config.components if part not in self.components]
        policy, hosted = config.eviction_policy, config.hosted
        checks = (
            (bool(missing), " and ".join(missing)),
            (
                self.page_sizes is not None and config.page_size not in self.page_sizes,
                f"pages of {config.page_size} tokens",
            ),
            (policy not in self.eviction_policies, f"eviction order {policy.value}"),
            (hosted and not self.hosted, "a host tier"),
            (not hosted and not self.hostless, "no host tier"),
            (config.write_back and not self.write_back, "write_back"),
            (hosted and not config.write_back and not self.write_through, "write-through"),
            (config.threshold > 1 and not self.hit_thresholds, "a hit threshold"),
            (config.load_threshold > 1 and not self.load_thresholds, "a load threshold"),
            (config.bigram and not self.bigram, "bigram keys"),
            (config.ranks > 1 and not self.ranks, "several ranks"),
            (config.track_lazily and not self.lazy_tracking, "states that are tracked lazily"),
        )
        named = next((what for refused, what in checks if refused), "")
        return named or ("" if self.cannot is None else self.cannot(config))

    def offers(self) -> frozenset[type[Operation]]:
        """The kinds of operations that it can be put to."""
        return frozenset(filter(self.has, self.operations))

    def has(self, kind: type[Operation]) -> bool:
        """Whether it can be put to operations of this kind."""
        if kind is RunForward and not self.launches:
            return False
        return kind in self.operations and (self.hosted or kind not in ON_HOST)

    def declines(self, operation: Operation, config: Config) -> str:
        """Why it cannot be put to an operation, whatever its state; empty if it can."""
        kind = type(operation)
        if not self.has(kind):
            return "the system has no such operation"
        if kind in LIMITED and (reason := LIMITED[kind](self, operation, config)):
            return reason
        if not self.kept_matches and getattr(operation, "kept", None) is not None:
            return "matches of this system are used at once"
        key = None if self.namespaces else getattr(operation, "key", None)
        return "keys of this system have no namespace" if key is not None and key.namespace else ""

    def computes_at_once(self, config: Config) -> str:
        """Why a cache of this configuration has no step in flight; empty if it may have one. Only
        copies can meet one: with states, which others copy as well, it cannot be seen in which
        order (semantics 11.6).
        """
        if not config.hosted:
            return "there is no host tier"
        return "with states, steps are computed at once" if config.mamba_states else ""

    def _of_copies(self, operation: RunCopies, config: Config) -> str:
        fails = operation.fail and not self.failing_copies
        return "copies of this system cannot fail" if fails else ""

    def _of_finish(self, operation: Finish, config: Config) -> str:
        keeps = operation.past_stop and not self.ends_at_stops
        return "requests of this system keep what is past their stop" if keeps else ""

    def _of_step(self, operation: Prefill | Decode, config: Config) -> str:
        if not operation.launched:
            return ""
        if not self.has(RunForward) or type(operation) not in self.launches:
            return "such steps of this system are computed at once"
        return self.computes_at_once(config)

    def _of_insert(self, operation: Insert, config: Config) -> str:
        brings = not config.mamba_states or operation.state or self.stateless_inserts
        return "" if brings else "inserts of this system bring a state"

    def _of_release(self, operation: ReleaseWindow, config: Config) -> str:
        alone = config.mamba_states and config.window is None and not self.state_release
        return "a state alone is not given back early" if alone else ""


LIMITED: dict[type[Operation], Callable[[Scope, Any, Config], str]] = {
    RunCopies: Scope._of_copies,
    Finish: Scope._of_finish,
    Prefill: Scope._of_step,
    Decode: Scope._of_step,
    Insert: Scope._of_insert,
    ReleaseWindow: Scope._of_release,
}
"""Kinds of operations of which a system may have some, but not all; why it has not this one."""


ONE_TIER = Scope(
    components=(Component.FULL,),
    eviction_policies=(EvictionPolicy.LRU,),
    operations=(Match, Insert, Lock, Unlock, Evict, Reset, *get_args(Requested)),
    hosted=False,
    bigram=False,
    namespaces=False,
    ranks=False,
    kept_matches=False,
)
"""The plainest radix cache: full attention on the device alone, and eviction of what was used least
recently. To be changed where a cache has less or more, as in
``replace(ONE_TIER, page_sizes=(1,))``.
"""


def _names(known: tuple[Enum | type, ...]) -> str:
    return ", ".join(
        f"{type(one).__name__}.{one.name}" if isinstance(one, Enum) else one.__name__
        for one in known
    )
