"""Stored histories run again, on every system that they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from radixproof.impl.operations import History
from radixproof.impl.scope import Scope
from radixproof.impl.system import Target
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.run import run_history


def fits(history: History, scope: Scope) -> bool:
    """Whether a system with this scope can be built so, and offers all operations of
    the history.
    """
    return not scope.refuses(history.config) and declined(history, scope) is None


def declined(history: History, scope: Scope) -> tuple[int, str] | None:
    """The number of the first operation (from 1) that a system with this scope cannot be put to,
    whatever its state, with its name and why; None if it can be put to all.
    """
    for number, operation in enumerate(history.operations, 1):
        if why := scope.declines(operation, history.config):
            return number, f"({operation.name}): {why}"
    return None


def replayed(
    target: Target, stored: Iterable[History], known: Callable[[str], bool] = lambda _: False
) -> Iterator[JudgedHistory]:
    """Every stored history that fits, up to its first breach that is not known."""
    for history in stored:
        if fits(history, target.scope):
            verdict = run_history(target, history, known)
            length = len(history.operations) if verdict is None else verdict.step + 1
            ran = replace(history, operations=history.operations[:length], origin={})
            yield JudgedHistory(ran, None if verdict is None else verdict.breach)
