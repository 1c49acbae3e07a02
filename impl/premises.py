"""Premises: what an operation needs to be meaningful, and why it is skipped without that.

An operation refers to earlier ones by the names of receipts, kept matches and requests. Whoever
performs a history, generates one or writes one down as a test asks here, so that all of them leave
out the same operations for the same reasons. What only the moment shows (whether a pool has room,
whether copies are in flight) is no premise: that is checked when the operation is performed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    EvictHost,
    Finish,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    Requested,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    Using,
)
from radixproof.impl.scope import ON_HOST, Scope
from radixproof.model.config import Config


class Held(Protocol):
    """What is out at one point of a history, as far as a premise depends on it."""

    def has_receipt(self, name: str) -> bool:
        """Whether a receipt of this name is out, for either tier."""

    def has_window(self, name: str) -> bool:
        """Whether such a receipt is out and its window, or state, has not been given back."""

    def has_prefetch(self, name: str) -> bool:
        """Whether a prefetch of this name has begun, and has not ended."""

    def has_match(self, name: str) -> bool:
        """Whether a match of this name is kept, and what it found is still there (3.7)."""

    def left_of(self, request: str) -> int | None:
        """How much of a request's prompt is not computed yet; None if no such request is alive."""

    @property
    def idle(self) -> bool:
        """Whether no receipt is out, no request is alive, and no prefetch has begun."""


def premise(operation: Operation, held: Held, config: Config, scope: Scope) -> str | None:
    """Why an operation has to be skipped; None if it need not be."""
    kind = type(operation)
    reason = scope.declines(operation, config) or unavailable(kind, config, scope)
    if reason or kind not in NEEDS:
        return reason or None
    return NEEDS[kind](operation, held, config)


def unavailable(kind: type[Operation], config: Config, scope: Scope) -> str | None:
    """Why no operation of this kind can be performed on this cache; None if some can."""
    if not scope.has(kind):
        return "the system has no such operation"
    if kind is Prefetch and not scope.has(EndPrefetch):
        return "the system has prefetches that do not end"
    if kind is RunForward:
        return scope.computes_at_once(config) or None
    return _without_host_tier(kind, config)


def _without_host_tier(kind: type[Operation], config: Config) -> str | None:
    return "there is no host tier" if not config.hosted and kind in ON_HOST else None


def _of_insert(operation: Insert, held: Held, config: Config) -> str | None:
    if operation.state and not config.mamba_states:
        return "there is no MAMBA"
    if not operation.evicted:
        return None
    if config.window is None:
        return "there is no SWA"
    beyond = operation.evicted > config.floor(len(operation.key.units(config.bigram)))
    return "the SWA boundary is beyond the prompt" if beyond else None


def _of_host_eviction(operation: EvictHost, held: Held, config: Config) -> str | None:
    component = operation.component
    return None if component in config.components else f"there is no {component.name}"


def _of_copies(operation: RunCopies, held: Held, config: Config) -> str | None:
    return None if operation.rank < config.ranks else f"there is no rank {operation.rank}"


def _of_refusal(operation: Refuse, held: Held, config: Config) -> str | None:
    pool = operation.pool
    return None if pool in config.pools else f"there is no {pool.name} pool"


def _of_lock(operation: Lock | HostLock, held: Held, config: Config) -> str | None:
    name = operation.receipt
    return f"{name} is taken" if held.has_receipt(name) else _of_use(operation, held, config)


def _of_use(operation: Using, held: Held, config: Config) -> str | None:
    name = operation.kept
    if name is None or held.has_match(name):
        return None
    return f"what {name} found is not there any more"


def _of_unlock(operation: Unlock, held: Held, config: Config) -> str | None:
    name = operation.receipt
    return None if held.has_receipt(name) else f"there is no receipt {name}"


def _of_release(operation: ReleaseWindow, held: Held, config: Config) -> str | None:
    name = operation.receipt
    return None if held.has_window(name) else f"the window of {name} is not locked"


def _of_prefetch(operation: Prefetch, held: Held, config: Config) -> str | None:
    name = operation.prefetch
    return f"{name} has begun" if held.has_prefetch(name) else None


def _of_end(operation: EndPrefetch, held: Held, config: Config) -> str | None:
    name = operation.prefetch
    return None if held.has_prefetch(name) else f"there is no prefetch {name}"


def _of_reset(operation: Reset, held: Held, config: Config) -> str | None:
    return None if held.idle else "the cache is not idle"


def _of_request(operation: Requested, held: Held, config: Config) -> str | None:
    name = operation.request
    left = held.left_of(name)
    if isinstance(operation, Arrive):
        return None if left is None else f"{name} is running"
    if left is None:
        return f"there is no request {name}"
    if isinstance(operation, Prefill) and not (left and operation.tokens):
        return "its prompt is computed"
    if isinstance(operation, Decode) and left:
        return "its prompt is not computed yet"
    return None


NEEDS: dict[type[Operation], Callable[[Any, Held, Config], str | None]] = {
    Insert: _of_insert,
    EvictHost: _of_host_eviction,
    RunCopies: _of_copies,
    Refuse: _of_refusal,
    Lock: _of_lock,
    HostLock: _of_lock,
    LoadBack: _of_use,
    Unlock: _of_unlock,
    ReleaseWindow: _of_release,
    Prefetch: _of_prefetch,
    EndPrefetch: _of_end,
    Reset: _of_reset,
    Arrive: _of_request,
    Prefill: _of_request,
    Decode: _of_request,
    Finish: _of_request,
    Abort: _of_request,
}
"""Why an operation of a kind cannot be performed on this cache, or at this point of the history.
Kinds that are not here need nothing but a system, and mostly a host tier, that has them.
"""
