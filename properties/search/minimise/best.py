"""The best history so far, and the one way to a better one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from radixproof.impl.operations import History, Operation
from radixproof.properties.search.minimise.fields import changed, lacking, reconfigured

Fails = Callable[[History], bool]


class OutOfCalls(Exception):
    """There are no calls left, or no time."""


class Shrinking:
    """The best history so far, and the one way to a better one."""

    def __init__(
        self,
        history: History,
        fails: Fails,
        on_progress: Callable[[int], None],
        calls: int,
        stop: Callable[[], bool],
    ) -> None:
        self.best = history
        self._fails = fails
        self._on_progress = on_progress
        self._calls_left = calls
        self._stop = stop
        self._tried = {(history.config, history.operations)}

    @property
    def operations(self) -> tuple[Operation, ...]:
        return self.best.operations

    def accepts(self, candidate: History) -> bool:
        """Whether the candidate is a new one, and fails. Then it is the best."""
        known = (candidate.config, candidate.operations)
        if known in self._tried:
            return False
        if self._calls_left == 0 or self._stop():
            raise OutOfCalls
        self._tried.add(known)
        self._calls_left -= 1
        if not self._fails(candidate):
            return False
        shorter = len(candidate.operations) < len(self.operations)
        self.best = candidate
        if shorter:
            self._on_progress(len(self.operations))
        return True

    def accepts_operations(self, operations: Iterable[Operation]) -> bool:
        return self.accepts(replace(self.best, operations=tuple(operations)))

    def does_without(self, start: int, end: int) -> bool:
        return self.accepts_operations(self.operations[:start] + self.operations[end:])

    def accepts_fields(self, at: int, values: Mapping[str, Any]) -> bool:
        """Whether operation ``at`` may have other values in these fields."""
        operation = changed(self.operations[at], self.best.config, values)
        return self.accepts_operations(
            (*self.operations[:at], operation, *self.operations[at + 1 :])
        )

    def accepts_config(self, values: Mapping[str, Any]) -> bool:
        """Whether the configuration may have other values in these fields.

        It must still have every component, pool and rank that an operation names.
        """
        config = reconfigured(self.best.config, values)
        if config is None or any(
            lacking(each, config) - lacking(each, self.best.config) for each in self.operations
        ):
            return False
        return self.accepts(replace(self.best, config=config))


def lower(value: int, least: int, accepts: Callable[[int], bool]) -> None:
    """Lower a number to ``least``, or else in ever smaller steps, until one less is refused."""
    step = value - least
    while step > 0:
        if accepts(value - step):
            value -= step
            step = min(step, value - least)
        else:
            step //= 2
