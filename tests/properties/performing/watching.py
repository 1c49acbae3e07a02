"""Runs whose requests are watched part by part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from radixproof.impl.operations import Operation
from radixproof.model.key import Key
from radixproof.properties.performing.ledger import Request
from radixproof.properties.performing.step import Step
from radixproof.properties.running.run import Run

LONG = Key((1, 2, 3, 4, 5, 6))


class Watched(Run):
    """A run that is clean, and tells the parts of each operation."""

    def parts(self, operation: Operation) -> list[Step]:
        told: list[Step] = []
        perform = self.performer.perform

        def listened(operation: Operation) -> Iterator[Step]:
            for step in perform(operation):
                told.append(step)
                yield step

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.performer, "perform", listened)
            assert self.step(operation) == []
        return told

    def request(self, name: str = "q") -> Request:
        return self.ledger.requests[name]


def said(steps: list[Step]) -> list[str]:
    """The parts in words, with their outcomes."""
    return [f"{step.operation} -> {step.outcome}".removesuffix(" -> ") for step in steps]


def rows(run: Run) -> list[int]:
    return run.judge.model.trie.rows[:3]
