"""The soak driver: many random histories from one seed, as fast as the system allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from radixproof.impl.operations import History, Operation
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.coverage.watcher import Watcher
from radixproof.properties.generating.configs import config
from radixproof.properties.generating.endings import Drain, closing
from radixproof.properties.generating.operations import Generator
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.run import Run, ends, first_unknown

HISTORY_STEPS = 60


def soak(
    target: Target, seed: int, known: Callable[[str], bool], first: int = 0
) -> Iterator[JudgedHistory]:
    """Histories number ``first``, ``first + 1``, ... of ``seed``, endlessly.

    Each is a function of seed and number alone.

    ``known`` says which signatures to pass over; its answers may change between histories.
    """
    number = first
    while True:
        yield one(target, seed, number, known)
        number += 1


def one(target: Target, seed: int, number: int, known: Callable[[str], bool]) -> JudgedHistory:
    """History ``number`` of ``seed``, up to its first unknown breach."""
    rng = Random(f"radixproof {seed} {number}")
    shape = config(rng, target.scope)
    run = Run(target, shape)
    done: list[Operation] = []
    watcher = Watcher()

    def judged() -> Iterator[list[Breach]]:
        """Breaches of every step, and of an inspection of the whole before and after
        the closing ones.
        """
        length = rng.choice((HISTORY_STEPS // 4, HISTORY_STEPS, HISTORY_STEPS, 2 * HISTORY_STEPS))
        for operation in Generator(run.judge, rng, target.scope).operations(length):
            watcher.before(run.judge.model, operation)
            done.append(operation)
            yield run.step(operation)
        yield run.finish()
        for operation in closing(run.judge, rng.choice(tuple(Drain))):
            done.append(operation)
            yield run.step(operation)
        yield run.finish()

    def ended(breach: Breach | None) -> JudgedHistory:
        history = History(shape, tuple(done))
        return JudgedHistory(history, breach, watcher.counts, run.unjudged)

    try:
        for breaches in judged():
            unknown = first_unknown(breaches, known)
            if unknown or any(map(ends, breaches)):
                return ended(unknown)
        return ended(None)
    finally:
        run.close()
