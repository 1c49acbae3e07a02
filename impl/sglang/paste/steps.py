"""The steps of a history as statements, and which of them are left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from radixproof.impl.operations import History, Lock, Operation, ReleaseWindow, Unlock
from radixproof.impl.premises import premise
from radixproof.impl.sglang.releases import scope_of
from radixproof.model.config import Config


class PlannedStep(NamedTuple):
    """One operation of a history, and why it is left out if it is."""

    operation: Operation
    reason: str | None
    window_released: bool
    """Of an unlock: the window of its receipt was given back before."""


class Written(NamedTuple):
    """One step of the test."""

    title: str
    statements: list[str]
    """None if the step is left out."""


def planned(history: History, version: str) -> list[PlannedStep]:
    """The steps of a history on a release.

    What the harness would skip is left out, as far as that is known without running the history.
    """
    scope = scope_of(version)
    receipts = _Receipts(history.config)
    steps = []
    for operation in history.operations:
        reason = premise(operation, receipts, history.config, scope)
        released = isinstance(operation, Unlock) and operation.receipt in receipts.released
        steps.append(PlannedStep(operation, reason, released))
        if reason is None:
            receipts.note(operation)
    return steps


def written(steps: list[PlannedStep], macros: Any) -> list[Written]:
    """The source of the steps; ``macros`` has one for each kind of operation, by its name."""
    lines = []
    for number, step in enumerate(steps, 1):
        title = f"{number}. {step.operation}"
        if step.reason is not None:
            lines.append(Written(f"{title}: left out, {step.reason}", []))
            continue
        later = (other.operation for other in steps[number:] if other.reason is None)
        macro = getattr(macros, step.operation.name)
        source = macro(step.operation, step.window_released, _is_used_by(step.operation, later))
        lines.append(Written(title, source.strip().splitlines()))
    return lines


def _is_used_by(operation: Operation, later: Iterable[Operation]) -> bool:
    """Whether an operation takes a receipt that a later one needs."""
    return isinstance(operation, Lock) and any(
        isinstance(other, Unlock | ReleaseWindow) and other.receipt == operation.receipt
        for other in later
    )


@dataclass(slots=True)
class _Receipts:
    """The receipts that are out at one point of the history: implements `premises.Held`."""

    config: Config
    held: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    """Those whose window was given back."""

    def has_receipt(self, name: str) -> bool:
        return name in self.held

    def has_window(self, name: str) -> bool:
        return self.config.window is not None and name in self.held - self.released

    def left_of(self, request: str) -> int | None:
        """No pasted test has requests."""
        return None

    @property
    def idle(self) -> bool:
        return not self.held

    def note(self, operation: Operation) -> None:
        """The operation was performed."""
        match operation:
            case Lock(receipt):
                self.held.add(receipt)
            case ReleaseWindow(receipt):
                self.released.add(receipt)
            case Unlock(receipt):
                self.held.discard(receipt)
                self.released.discard(receipt)
