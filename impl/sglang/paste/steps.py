"""The steps of a history as statements, and which of them are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from radixproof.impl.operations import History, HostLock, Lock, Operation, ReleaseWindow, Unlock
from radixproof.impl.sglang.paste.premises import Receipts, missing
from radixproof.impl.sglang.releases import scope_of


class Written(NamedTuple):
    """One step of the test."""

    title: str
    statements: list[str]
    """None if the step is left out: the harness would skip it, as far as can be known."""


def written(history: History, version: str, macros: Any) -> list[Written]:
    """The steps of a history; ``macros`` has one for each kind of operation, by its name."""
    reasons = _reasons(history, version)
    receipts = Receipts()
    steps = []
    for number, (operation, reason) in enumerate(zip(history.operations, reasons, strict=True), 1):
        if reason is not None:
            steps.append(Written(f"{number}. {operation}: left out, {reason}", []))
            continue
        later = [
            one
            for one, why in zip(history.operations[number:], reasons[number:], strict=True)
            if why is None
        ]
        macro = getattr(macros, operation.name)
        source = macro(operation, receipts, _is_used_by(operation, later))
        steps.append(Written(f"{number}. {operation}", source.strip().splitlines()))
        receipts.note(operation)
    return steps


def _reasons(history: History, version: str) -> list[str | None]:
    """Per operation why it is left out, None where it is not."""
    scope = scope_of(version)
    receipts = Receipts()
    reasons = []
    for operation in history.operations:
        reason = missing(operation, receipts, history.config, scope)
        reasons.append(reason)
        if reason is None:
            receipts.note(operation)
    return reasons


def _is_used_by(operation: Operation, later: Sequence[Operation]) -> bool:
    """Whether an operation takes a receipt that a later one needs."""
    return isinstance(operation, Lock | HostLock) and any(
        isinstance(one, Unlock | ReleaseWindow) and one.receipt == operation.receipt
        for one in later
    )
