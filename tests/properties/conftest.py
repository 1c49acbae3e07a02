"""A system that misbehaves on purpose, so that every property can be seen to fire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.radix.system import RadixSystem
from radixproof.impl.registry import find
from radixproof.impl.system import System, Target
from radixproof.model.config import Config
from radixproof.model.history import History
from radixproof.model.observation import Observation
from radixproof.model.operations import Operation
from radixproof.model.verdict import Breach
from radixproof.properties.interpreter import Run, run_history

Deed = Callable[[RadixSystem], Callable[[Observation], Observation] | None]
"""What goes wrong: it may change the live cache, or replace methods of the system, or return a lie to tell from now on."""


class TamperedSystem:
    """The real system, until it is looked at for the ``after``-th time; just before that the deed is done. 0: from the start."""

    def __init__(self, real: RadixSystem, deed: Deed, after: int) -> None:
        self.real = real
        self.deed = deed
        self.looks_left = after
        self.lie: Callable[[Observation], Observation] | None = None
        if after == 0:
            self.lie = deed(real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def observe(self, whole: bool) -> Observation:
        self.looks_left -= 1
        if self.looks_left == 0:
            self.lie = self.deed(self.real)
        seen = self.real.observe(whole)
        return seen if self.lie is None else self.lie(seen)


@pytest.fixture
def radix() -> Target:
    """The real system: nothing is wrong with it."""
    return find("radix")


@pytest.fixture
def tampered(radix: Target) -> Callable[[Deed, int], Target]:
    """The real system with one deed done to it after that many steps."""

    def make(deed: Deed, after: int) -> Target:
        def build(config: Config) -> System:
            system = radix.build(config)
            assert isinstance(system, RadixSystem)
            return TamperedSystem(system, deed, after)

        return replace(radix, name="tampered", build=build)

    return make


@pytest.fixture
def breaches_of() -> Callable[[Target, Config, Sequence[Operation], int], list[Breach]]:
    """Breaches of the first step that has any; the state is inspected whole every so many steps."""

    def run_until_broken(target: Target, config: Config, operations: Sequence[Operation], every: int) -> list[Breach]:
        run = Run(target, config, every)
        try:
            return next(filter(None, map(run.step, operations)), [])
        finally:
            run.close()

    return run_until_broken


@pytest.fixture
def first_breach(
    radix: Target,
    tampered: Callable[[Deed, int], Target],
    breaches_of: Callable[[Target, Config, Sequence[Operation], int], list[Breach]],
) -> Callable[[Config, Sequence[Operation], Deed, int, int], str | None]:
    """Signature of the first breach of a tampered run. The same operations on the real system must be clean."""

    def look(config: Config, operations: Sequence[Operation], deed: Deed, after: int, every: int) -> str | None:
        assert run_history(radix, History(config, tuple(operations))) is None
        breaches = breaches_of(tampered(deed, after), config, operations, every)
        return breaches[0].signature if breaches else None

    return look
