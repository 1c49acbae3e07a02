"""Premises: what an operation needs to be meaningful, and why it is skipped without that.

An operation refers to earlier ones by the names of receipts and requests. Whoever performs a
history, generates one or writes one down as a test asks here, so that all of them leave out the
same operations for the same reasons. What only the moment shows (whether a pool has room, whether
copies are in flight) is no premise: that is checked when the operation is performed.
"""

from __future__ import annotations

from typing import Protocol

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    Finish,
    HostLock,
    Insert,
    Lock,
    Operation,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
)
from radixproof.impl.scope import ON_HOST, Scope
from radixproof.model.config import Config


class Held(Protocol):
    """What is out at one point of a history, as far as a premise depends on it."""

    def has_receipt(self, name: str) -> bool:
        """Whether a receipt of this name is out, for either tier."""

    def has_window(self, name: str) -> bool:
        """Whether such a receipt is out and its window, or state, has not been given back."""

    def left_of(self, request: str) -> int | None:
        """How much of a request's prompt is not computed yet; None if no such request is alive."""

    @property
    def idle(self) -> bool:
        """Whether no receipt is out, and no request is alive."""


def premise(operation: Operation, held: Held, config: Config, scope: Scope) -> str | None:
    """Why an operation has to be skipped; None if it need not be."""
    return (
        scope.declines(operation)
        or _not_in_this_cache(operation, config)
        or _not_now(operation, held)
        or None
    )


def unavailable(kind: type[Operation], config: Config, scope: Scope) -> str | None:
    """Why no operation of this kind can be performed on this cache; None if some can."""
    if not scope.has(kind):
        return "the system has no such operation"
    return _without_host_tier(kind, config)


def _without_host_tier(kind: type[Operation], config: Config) -> str | None:
    return "there is no host tier" if not config.hosted and kind in ON_HOST else None


def _not_in_this_cache(operation: Operation, config: Config) -> str | None:
    """What the configuration lacks for this very operation."""
    match operation:
        case Insert(key, evicted) if evicted:
            if config.window is None:
                return "there is no SWA"
            if evicted > config.floor(len(key.units(config.bigram))):
                return "the SWA boundary is beyond the prompt"
        case RunCopies(rank=rank) if rank >= config.ranks:
            return f"there is no rank {rank}"
        case Refuse(pool) if pool not in config.pools:
            return f"there is no {pool.name} pool"
    return _without_host_tier(type(operation), config)


def _not_now(operation: Operation, held: Held) -> str | None:
    """What is missing at this point of the history."""
    match operation:
        case Lock(receipt) | HostLock(receipt) if held.has_receipt(receipt):
            return f"{receipt} is taken"
        case Unlock(receipt) if not held.has_receipt(receipt):
            return f"there is no receipt {receipt}"
        case ReleaseWindow(receipt) if not held.has_window(receipt):
            return f"the window of {receipt} is not locked"
        case Reset() if not held.idle:
            return "the cache is not idle"
        case Arrive() | Prefill() | Decode() | Finish() | Abort():
            return _not_of_request(operation, held.left_of(operation.request))
    return None


def _not_of_request(
    operation: Arrive | Prefill | Decode | Finish | Abort, left: int | None
) -> str | None:
    """The same for a request; ``left`` is what is not computed of its prompt, None if
    it is not alive.
    """
    name = operation.request
    if isinstance(operation, Arrive):
        return None if left is None else f"{name} is running"
    if left is None:
        return f"there is no request {name}"
    if isinstance(operation, Prefill) and not (left and operation.tokens):
        return "its prompt is computed"
    if isinstance(operation, Decode) and left:
        return "its prompt is not computed yet"
    return None
