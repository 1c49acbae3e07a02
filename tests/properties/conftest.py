"""A system that misbehaves on purpose, so that every property can be seen to fire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from radixproof.impl.observation import Observation
from radixproof.impl.operations import History, Operation
from radixproof.impl.registry import find
from radixproof.impl.system import System, Target
from radixproof.model.config import Config
from radixproof.model.verdict import Breach
from radixproof.properties.running.run import Run, run_history
from radixproof.properties.workers import lane

from ..own_process import CONTEXT
from .deeds import DELTAS, WHOLE, Deed, SignatureOf

if TYPE_CHECKING:
    from radixproof.impl.radix_adapter.adapter import RadixSystem


class TamperedSystem:
    """The real system, until a deed is done to it just before it is observed the ``after``-th time.

    0: from the start.
    """

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
def tampered(radix: Target) -> Callable[..., Target]:
    """The real system with a deed done to it after some steps; of several ranks, to those named."""

    def make(deed: Deed, after: int, ranks: Sequence[int] = (0,)) -> Target:
        built = 0

        def build(config: Config) -> System:
            from radixproof.impl.radix_adapter.adapter import RadixSystem

            nonlocal built
            system, rank = radix.build(config), built % config.ranks
            built += 1
            assert isinstance(system, RadixSystem)
            return TamperedSystem(system, deed, after) if rank in ranks else system

        return replace(radix, name="tampered", build=build)

    return make


@pytest.fixture
def breaches_of() -> Callable[[Target, Config, Sequence[Operation], int], list[Breach]]:
    """Breaches of the first step that has any; the state is inspected whole every so many steps."""

    def run_until_broken(
        target: Target, config: Config, operations: Sequence[Operation], every: int
    ) -> list[Breach]:
        run = Run(target, config, every)
        try:
            return next(filter(None, map(run.step, operations)), [])
        finally:
            run.close()

    return run_until_broken


@pytest.fixture
def first_breach(
    radix: Target,
    tampered: Callable[..., Target],
    breaches_of: Callable[[Target, Config, Sequence[Operation], int], list[Breach]],
) -> Callable[[Config, Sequence[Operation], Deed, int, int], str | None]:
    """Signature of a tampered run's first breach. Untampered, the same operations must be clean."""

    def look(
        config: Config, operations: Sequence[Operation], deed: Deed, after: int, every: int
    ) -> str | None:
        assert run_history(radix, History(config, tuple(operations))) is None
        breaches = breaches_of(tampered(deed, after), config, operations, every)
        return breaches[0].signature if breaches else None

    return look


@pytest.fixture(params=[DELTAS, WHOLE], ids=["deltas", "whole"])
def signature_of(
    first_breach: Callable[[Config, Sequence[Operation], Deed, int, int], str | None],
    request: pytest.FixtureRequest,
) -> SignatureOf:
    """The first breach if ``deed`` is done just after step number ``after`` (0: before all).

    The state is looked at by deltas, and in another run as a whole.
    """

    def look(
        config: Config, operations: Sequence[Operation], deed: Deed, after: int = 0
    ) -> str | None:
        return first_breach(config, operations, deed, after, request.param)

    return look


@pytest.fixture(autouse=True, scope="session")
def _lanes() -> Iterator[None]:
    """Lanes that tests start in their own process need not import torch anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "CONTEXT", CONTEXT)
        yield
