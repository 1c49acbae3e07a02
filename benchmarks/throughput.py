"""Steps a second that the drivers judge: the soak, and the state machine next to an empty one.

Run: ``python benchmarks/throughput.py``. A step is an operation performed and judged. Figures about
Hypothesis are ratios within one run: steps a second of our machine, with its own draws and with
Hypothesis's, to those of a machine whose rules do nothing. There are fewer rules a second than
steps, and both are printed: a rule of ours takes several steps where an engine would (to make room
for what it inserts, say), and about ten more, which empty the cache, end each example. Times are
processor time, so that whatever else runs on the machine matters little.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import process_time
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from radixproof.impl import registry
from radixproof.impl.operations import Operation
from radixproof.impl.system import Target
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.drivers.machine import CacheMachine, rolls
from radixproof.properties.drivers.soak import one
from radixproof.properties.generating.operations import RULES
from radixproof.properties.running.journal import Journal
from radixproof.properties.search.search import calm_collector

ROUNDS = 7
EXAMPLES = 100
"""As many as Hypothesis makes unless it is told otherwise."""


def soak_rate(target: Target, steps: int) -> float:
    """Steps a second of the soak driver, histories as they come."""
    done = number = 0
    started = process_time()
    while done < steps:
        done += len(one(target, 1, number, lambda _: True).history.operations)
        number += 1
    return done / (process_time() - started)


def journal_seconds(target: Target, histories: int) -> float:
    """Seconds a step that the journal takes which every check keeps of its processes."""
    done = [one(target, 1, number, lambda _: True).history for number in range(histories)]
    steps = sum(len(history.operations) for history in done)
    journal, rounds = Journal(), []
    for _ in range(ROUNDS):
        started = process_time()
        for history in done:
            journal.building(history.config)
            for operation in history.operations:
                journal.before(operation)
                journal.idle()
        rounds.append((process_time() - started) / steps)
    return median(rounds)


class Counted:
    """Counts the rules that ran, and the steps that they made."""

    rules = 0
    steps = 0


def empty_machine(counted: Counted) -> type[RuleBasedStateMachine]:
    """As many rules as `CacheMachine` has, chosen by Hypothesis, that do nothing."""

    class Empty(RuleBasedStateMachine):
        @initialize(dice=rolls)
        def build(self, dice: bytes) -> None:
            pass

    for name in RULES:

        def nothing(self: Any, dice: bytes) -> None:
            counted.rules += 1
            counted.steps += 1

        nothing.__name__ = name
        setattr(Empty, name, rule(dice=rolls)(nothing))
    return Empty


def full_machine(target: Target, counted: Counted) -> type[RuleBasedStateMachine]:
    class Full(CacheMachine):
        def choose(self, name: str, below: Callable[[int], int]) -> Operation:
            counted.rules += 1
            return super().choose(name, below)

        def teardown(self) -> None:
            super().teardown()
            counted.steps += len(self.done) if hasattr(self, "run") else 0

    Full.target = target
    return Full


def machine_rates(
    machine: type[RuleBasedStateMachine], counted: Counted, examples: int, backend: str
) -> tuple[float, float]:
    """Steps and rules a second, everything that Hypothesis does included."""
    quiet = settings(
        max_examples=examples,
        stateful_step_count=50,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        backend=backend,
    )
    seeded: Any = seed(1)(machine)
    started = process_time()
    run_state_machine_as_test(seeded, settings=quiet)
    seconds = process_time() - started
    return counted.steps / seconds, counted.rules / seconds


@dataclass(frozen=True, slots=True)
class Rates:
    """Steps a second of machines, with our draws or Hypothesis's; an empty one's are its rules."""

    empty: float
    """With Hypothesis's."""
    empty_drawing: float
    ours: float
    """With Hypothesis's."""
    drawing: float
    rules: float
    """Rules of ours with our draws."""


def hypothesis_rates(target: Target, examples: int) -> Rates:
    """Medians of runs that take turns, after one that warms up."""

    def rates(
        machine: Callable[[Counted], type[RuleBasedStateMachine]], backend: str
    ) -> tuple[float, float]:
        counted = Counted()
        return machine_rates(machine(counted), counted, examples, backend)

    ours = partial(full_machine, target)
    rounds: list[tuple[float, ...]] = []
    for _ in range(1 + ROUNDS):
        empty = [rates(empty_machine, backend)[0] for backend in ("hypothesis", BACKEND)]
        rounds.append((*empty, rates(ours, "hypothesis")[0], *rates(ours, BACKEND)))
    return Rates(*map(median, zip(*rounds[1:], strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default="radix")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    options = parser.parse_args()
    target = registry.find(options.system)
    calm_collector()
    rate = soak_rate(target, options.steps)
    journal = journal_seconds(target, 100)
    print(f"soak: {rate:,.0f} steps a second; the journal takes {journal * rate:.1%} of that time")
    rates = hypothesis_rates(target, options.examples)
    print(
        f"state machine: {rates.drawing:,.0f} steps a second in {rates.rules:,.0f} rules; "
        f"{rates.ours:,.0f} with Hypothesis's draws"
    )
    print(
        f"an empty one: {rates.empty:,.0f} with Hypothesis's draws, "
        f"{rates.empty_drawing:,.0f} with ours"
    )
    print(
        f"ours / the empty one, both with Hypothesis's draws: {rates.ours / rates.empty:.0%}, "
        "both with ours:",
        end=" ",
    )
    print(
        f"{rates.drawing / rates.empty_drawing:.0%}, "
        f"each with its own: {rates.drawing / rates.empty:.0%}"
    )


if __name__ == "__main__":
    main()
