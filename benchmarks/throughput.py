"""How many steps a second the drivers judge: the soak, and the state machine next to an empty machine with as many rules.

Run: ``python benchmarks/throughput.py``. What is said of Hypothesis is a ratio within one run: steps a second of our machine,
and of one whose rules do nothing. A step is an operation performed and judged. A rule of ours makes more than one where an
engine would (room for what it inserts, say), and ten or so that empty the cache end an example, so that there are fewer rules a
second than steps: both are told. Times are of the processor, so that what else runs beside it matters little.
"""

from __future__ import annotations

import argparse
from statistics import median
from time import process_time
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from radixproof.impl import registry
from radixproof.impl.system import Target
from radixproof.properties.generator import RULES
from radixproof.properties.machine import CacheMachine, choices
from radixproof.properties.search import calm_collector
from radixproof.properties.soak import one

ROUNDS = 7


def soak_rate(target: Target, steps: int) -> float:
    """Steps a second of the soak driver, histories as they come."""
    done = number = 0
    started = process_time()
    while done < steps:
        done += len(one(target, 1, number, lambda _: True).history.operations)
        number += 1
    return done / (process_time() - started)


class Counted:
    """Counts the rules that ran, and the steps that they made."""

    rules = 0
    steps = 0


def empty_machine(counted: Counted) -> type[RuleBasedStateMachine]:
    """As many rules as `CacheMachine` has, with the same choices to draw, that do nothing."""

    class Empty(RuleBasedStateMachine):
        @initialize(rng=st.randoms(use_true_random=False))
        def build(self, rng: Any) -> None:
            rng.random()

    for name in RULES:

        def nothing(self: Any, number: int) -> None:
            counted.rules += 1
            counted.steps += 1

        nothing.__name__ = name
        setattr(Empty, name, rule(number=choices)(nothing))
    return Empty


def full_machine(target: Target, counted: Counted) -> type[RuleBasedStateMachine]:
    class Full(CacheMachine):
        def make(self, name: str, number: int) -> None:
            counted.rules += 1
            super().make(name, number)

        def teardown(self) -> None:
            super().teardown()
            counted.steps += len(self.done) if hasattr(self, "run") else 0

    Full.target = target
    return Full


def machine_rates(machine: type[RuleBasedStateMachine], counted: Counted, examples: int) -> tuple[float, float]:
    """Steps and rules a second, everything that Hypothesis does included."""
    quiet = settings(
        max_examples=examples,
        stateful_step_count=50,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    seeded: Any = seed(1)(machine)
    started = process_time()
    run_state_machine_as_test(seeded, settings=quiet)
    seconds = process_time() - started
    return counted.steps / seconds, counted.rules / seconds


def hypothesis_rates(target: Target, examples: int) -> tuple[float, float, float]:
    """Of the empty machine steps a second, of ours steps and rules: medians of runs that take turns, after one that warms up."""
    empty: list[float] = []
    ours: list[tuple[float, float]] = []
    for _ in range(1 + ROUNDS):
        counted = Counted()
        empty.append(machine_rates(empty_machine(counted), counted, examples)[0])
        counted = Counted()
        ours.append(machine_rates(full_machine(target, counted), counted, examples))
    steps, rules = zip(*ours[1:], strict=True)
    return median(empty[1:]), median(steps), median(rules)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default="radix")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--examples", type=int, default=100)
    options = parser.parse_args()
    target = registry.find(options.system)
    calm_collector()
    print(f"soak: {soak_rate(target, options.steps):,.0f} steps a second")
    empty, steps, rules = hypothesis_rates(target, options.examples)
    print(f"state machine: {steps:,.0f} steps a second in {rules:,.0f} rules, an empty one {empty:,.0f}: {steps / empty:.0%} of it")


if __name__ == "__main__":
    main()
