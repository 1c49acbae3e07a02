"""The power of the harness as numbers: planted bugs x drivers x seeds, and what each search needed.

A trial is one search of one driver for one planted bug. Trials are independent, and each is a shard
of a campaign. Except for its seconds, the result of one is a function of the code and the shard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from radixproof.impl import registry
from radixproof.impl.system import close
from radixproof.model.config import Config
from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.search import calm_collector
from radixproof.properties.workers.lane import Done, Failed
from radixproof.properties.workers.pool import run
from radixproof.properties.workers.shard import Shard


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The result of a trial.

    ``steps`` is None if nothing was found; then the fields that describe the finding are empty.
    """

    trial: Shard
    steps: int | None
    seconds: float
    """Processor time of the search up to the first breach, without shrinking."""
    signature: str = ""
    """The signature of the first breach, when every step is inspected."""
    operations: int = 0
    """Operations in the shortest history."""
    error: str = ""
    """Why the trial tells nothing.

    radixproof itself failed, it reported a false alarm, or there is no such system.
    """

    @property
    def fault(self) -> str:
        return fault_of(self.trial)

    @property
    def violated(self) -> str:
        """The property that was broken first."""
        return self.signature.partition("/")[0]


def trial(fault: str, driver: str, seed: int, steps: int) -> Shard:
    """A search for one planted bug, of at most so many steps."""
    return Shard(registry.named_after(fault), driver, seed, Budget(steps, examples=0))


def fault_of(shard: Shard) -> str:
    return registry.planted_in(shard.system) or shard.system


def all_trials(
    faults: Iterable[str], drivers: Iterable[str], seeds: int, steps: int
) -> list[Shard]:
    """The trials of a campaign; a driver that ignores the seed has one for each fault."""
    return [
        trial(fault, name, seed, steps)
        for fault in faults
        for name in drivers
        for seed in range(1, 1 + (seeds if DRIVERS[name].seeded else 1))
    ]


def measure(shard: Shard) -> TrialResult:
    """Run one trial, here."""
    started = time.process_time()
    try:
        target, driver = registry.find(shard.system), DRIVERS[shard.driver]
        close(target.build(Config()))  # imports what it needs, before the clock starts
        started = time.process_time()
        hit = driver.run(target, shard.seed, shard.budget.steps)
        seconds = time.process_time() - started
        if hit is None:
            return TrialResult(shard, None, seconds)
        shortest = driver.shrink(target, hit)
        signature = shortest.breach.signature
        if driver.false_alarm(shortest, registry.find("radix")):
            alarm = f"a false alarm: {signature} without the fault, too"
            return TrialResult(shard, None, seconds, error=alarm)
    except Exception as error:
        seconds = time.process_time() - started
        return TrialResult(shard, None, seconds, error=f"{type(error).__name__}: {error}")
    return TrialResult(shard, hit.steps, seconds, signature, len(shortest.history.operations))


def measured(todo: Sequence[Shard], jobs: int) -> Generator[TrialResult, None, None]:
    """Run trials, ``jobs`` at a time, each as it finishes; with one job in this process.

    Closing the generator ends what is running.
    """
    if jobs == 1:
        calm_collector()
        yield from map(measure, todo)
        return
    with closing(run(todo, measure_shard, jobs)) as events:
        for event in events:
            if isinstance(event, Done):
                yield event.result
            elif isinstance(event, Failed):
                yield TrialResult(event.job, None, 0.0, error=event.reason)


def measure_shard(shard: Shard, tell: Callable[[object], None]) -> TrialResult:
    """The work of a process: a trial sends no news."""
    calm_collector()
    return measure(shard)
