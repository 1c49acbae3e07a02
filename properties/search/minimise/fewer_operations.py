"""Passes that leave operations out, or replace several by one.

Only these know what operations mean.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import compress, product
from math import inf

from radixproof.impl.operations import (
    Arrive,
    Decode,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Prefetch,
    RunCopies,
    Using,
)
from radixproof.properties.search.minimise.best import Shrinking, lower
from radixproof.properties.search.minimise.fields import replaced, values_of


def cut_short(now: Shrinking) -> None:
    """Cut off everything after the failure."""

    def ends_at(length: int) -> bool:
        return now.accepts_operations(now.operations[:length])

    last = len(now.operations) - 1
    if last >= 0 and ends_at(last):
        lower(last, 0, ends_at)


def last_ones(now: Shrinking) -> None:
    """Keep only the last one, two, four, ...

    What matters is often near the end, and short histories run quickly.
    """
    length = 1
    while length < len(now.operations) and not now.accepts_operations(now.operations[-length:]):
        length *= 2


def without_stretches(now: Shrinking, patience: float = inf) -> None:
    """Leave out halves, halves of the halves that stay, and so on.

    Where one half can go, the other is assumed to be needed.

    The last operation is left alone: it is the one that fails. ``patience`` is the number of levels
    in a row at which nothing may be found to go.
    """
    lengths = [len(now.operations) - 1, 1]
    vain = 0
    while max(lengths) > 1 and vain < patience:
        before = len(now.operations)
        kept: list[int] = []
        for length in lengths:
            start, half = sum(kept), length // 2
            if now.does_without(start, start + half):
                kept.append(length - half)
            elif now.does_without(start + half, start + length):
                kept.append(half)
            else:
                kept += [part for part in (half, length - half) if part]
        lengths = kept
        vain = vain + 1 if len(now.operations) == before else 0


def without_single(now: Shrinking) -> None:
    """Leave out single operations, from the last to the first."""
    for at in reversed(range(len(now.operations))):
        now.does_without(at, at + 1)


def without_kinds(now: Shrinking) -> None:
    """Leave out all operations of one kind, of one receipt or of one request."""
    for one in dict.fromkeys(one for operation in now.operations for one in _belongs(operation)):
        now.accepts_operations(
            operation for operation in now.operations if one not in _belongs(operation)
        )


def _belongs(operation: Operation) -> list[tuple[str, str]]:
    names = [
        (name, value) for name, value in values_of(operation).items() if isinstance(value, str)
    ]
    return [("kind", operation.name), *names]


def waiting_instead(now: Shrinking) -> None:
    """Replace copies that run and a check that polls by a check that waits."""
    for at in reversed(range(len(now.operations))):
        if isinstance(now.operations[at], RunCopies):
            before, after = now.operations[:at], now.operations[at + 1 :]
            polls = {
                operation.name: place
                for place, operation in reversed([*enumerate(after)])
                if _polls(operation)
            }
            for place in polls.values():
                waits = replaced(after[place], {"blocking": True})
                if now.accepts_operations((*before, *after[:place], waits, *after[place + 1 :])):
                    break


def inserting_instead(now: Shrinking) -> None:
    """Replace all that a request does by an insert where it ends: with all of its SWA state, or
    that of the window alone.

    A request inserts more than once, so that a node may be past a higher threshold: one hit is
    tried with the lowest, too.
    """
    config = now.best.config
    for arrival in [operation for operation in now.operations if isinstance(operation, Arrive)]:
        mine = [("request", arrival.request) in _belongs(operation) for operation in now.operations]
        if sum(mine) > 1:
            generated = [
                each.tokens for each in compress(now.operations, mine) if isinstance(each, Decode)
            ]
            key = replace(arrival.key, tokens=sum(generated, arrival.key.tokens))
            end = max(at for at, one in enumerate(mine) if one)
            before = [
                operation
                for operation, one in zip(now.operations[:end], mine, strict=False)
                if not one
            ]
            slid = config.floor(max(0, len(key.tokens) - (config.window or 0)))
            states = (False, True) if config.mamba_states else (False,)
            for evicted, threshold, state in product((0, slid), (config.threshold, 1), states):
                insert = Insert(key, evicted, state=state)
                operations = (*before, insert, *now.operations[end + 1 :])
                if now.accepts(
                    replace(
                        now.best, config=replace(config, threshold=threshold), operations=operations
                    )
                ):
                    break


def part_instead(now: Shrinking) -> None:
    """Replace an arrival by the load-back that it asks for, or by the lock that it takes; and a
    prefetch by one that takes no time, or by its lock.
    """
    for at, whole in enumerate(now.operations):
        parts: tuple[Operation, ...] = ()
        if isinstance(whole, Arrive):
            parts = (LoadBack(whole.key, whole.quota), Lock(whole.request, whole.key))
        elif isinstance(whole, Prefetch):
            parts = (HostInsert(whole.key), HostLock(whole.prefetch, whole.key))
        for part in parts:
            if now.accepts_operations((*now.operations[:at], part, *now.operations[at + 1 :])):
                break


def matching_instead(now: Shrinking) -> None:
    """Replace the use of a kept match by one that matches the same prompt then."""
    for at, operation in enumerate(now.operations):
        if isinstance(operation, Using) and operation.kept is not None:
            before = now.operations[:at]
            keys = [
                one.key for one in before if isinstance(one, Match) and one.kept == operation.kept
            ]
            for key in keys[-1:]:
                plain = replaced(operation, {"key": key, "kept": None})
                now.accepts_operations((*before, plain, *now.operations[at + 1 :]))


LOOKS_UP = (Insert, LoadBack, Lock, HostLock, HostInsert, Prefetch)
"""What looks a prompt up, and then does more."""


def looking_instead(now: Shrinking) -> None:
    """Replace what looks a prompt up and then does more by the look alone: it may split a node."""
    for at, operation in enumerate(now.operations):
        if isinstance(operation, LOOKS_UP) and getattr(operation, "kept", None) is None:
            match = Match(operation.key)
            now.accepts_operations((*now.operations[:at], match, *now.operations[at + 1 :]))


def _polls(operation: Operation) -> bool:
    return getattr(operation, "blocking", None) is False
