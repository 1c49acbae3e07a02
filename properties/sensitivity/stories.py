"""Histories to be sabotaged: such as the soak makes, by seed and number, of every policy in turn;
and what may come instead of their ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from radixproof.impl import registry
from radixproof.impl.operations import History, Operation, Using
from radixproof.impl.sabotage.planting import Policy
from radixproof.impl.scope import Scope
from radixproof.model.config import Config
from radixproof.properties.generating.configs import config
from radixproof.properties.generating.endings import Drain, closing
from radixproof.properties.generating.operations import Generator
from radixproof.properties.performing.outcomes import Skipped
from radixproof.properties.running.run import Run

STEPS = (15, 30, 60)
"""Before a history ends. All that happens in it up to the sabotage is done again for each."""
STATEFUL = (0, 2, 4, 7)
"""Of eight histories of a policy those with states: one of them, the last, has several ranks."""
FURTHER_STEPS = 30
ENDS = ((Drain.BY_PAGES, 0), (Drain.SWA_FIRST, 0), (Drain.BY_PAGES, FURTHER_STEPS))
"""How histories are continued: how the tiers are emptied, and what comes before, in steps."""
NAMED = 10_000
"""Receipts and requests of a continuation are numbered from here: no earlier one has their names.
"""


@dataclass(frozen=True, slots=True)
class Story:
    """A history, whole, and how many operations come before those that end it."""

    history: History
    opened: int


class Astray(AssertionError):
    """Our own cache was reported without any sabotage: the table would be about nothing."""


@lru_cache(maxsize=2)
def story(seed: int, number: int) -> Story:
    """History ``number`` of a seed, made as the soak makes them."""
    rng = Random(f"radixproof {seed} {number}")
    target = registry.find("radix")
    shape = _shape(rng, number, target.scope)
    run = Run(target, shape)
    done: list[Operation] = []
    try:
        length = rng.choice(STEPS)
        for operation in Generator(run.judge, rng, target.scope).operations(length):
            _performed(run, operation, done)
        opened = len(done)
        for operation in closing(run.judge, rng.choice(tuple(Drain))):
            _performed(run, operation, done)
        return Story(History(shape, tuple(done)), opened)
    finally:
        run.close()


def _shape(rng: Random, number: int, scope: Scope) -> Config:
    """A configuration such as the soak draws, drawn until it has the policy whose turn it is; every
    fourth of each policy has several ranks, and half of each have states.
    """
    turn, policy = divmod(number, len(Policy))
    wanted = tuple(Policy)[policy], turn % 4 == 3, turn % 8 in STATEFUL
    while True:
        shape = config(rng, scope)
        if (Policy.of(shape), shape.ranks > 1, shape.mamba_states > 0) == wanted:
            return shape


@lru_cache(maxsize=64)
def continuations(seed: int, number: int, step: int) -> tuple[Story, ...]:
    """Histories that go on otherwise after a step of this one: two ways to end at once, and
    more operations before the end.
    """
    return tuple(_continued(seed, number, step, drain, further) for drain, further in ENDS)


def _continued(seed: int, number: int, step: int, drain: Drain, further: int) -> Story:
    whole = story(seed, number).history
    target = registry.find("radix")
    run = Run(target, whole.config)
    done: list[Operation] = []
    try:
        for operation in whole.operations[: step + 1]:
            _performed(run, operation, done)
        if further:
            rng = Random(f"radixproof {seed} {number} {step}")
            generator = Generator(run.judge, rng, target.scope)
            generator.shaper.making.named = NAMED
            for operation in generator.operations(further):
                _performed(run, operation, done)
        opened = len(done)
        for operation in closing(run.judge, drain):
            _performed(run, operation, done)
        return Story(History(whole.config, tuple(done)), opened)
    finally:
        run.close()


def _performed(run: Run, operation: Operation, done: list[Operation]) -> None:
    """Add an operation to what was done. The use of a match that stands no more is left out: it is
    the judge who skips it (semantics 3.7), and not every run of a history has one.
    """
    breaches = run.step(operation)
    if breaches:
        raise Astray(f"{operation}: {breaches[0].signature}: {breaches[0].text}")
    kept = isinstance(operation, Using) and operation.kept is not None
    if not (kept and isinstance(run.steps[-1].outcome, Skipped)):
        done.append(operation)
