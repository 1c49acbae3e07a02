"""Everything that is measured about speed, as one table.

Run: ``make bench``, or ``python benchmarks/table.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from checking import SHAPES, measure, shape
from cores import SYSTEMS, compare
from throughput import EXAMPLES, hypothesis_rates, soak_rate

from radixproof.impl import registry
from radixproof.properties.search.search import calm_collector

SMALL, LARGE = 100, 10_000
"""Nodes between which the cost of checking a step may not depend on the tree."""


def rows(steps: int) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it should be."""
    target = registry.find("radix")
    cost: dict[int, float] = {}
    for nodes in (10, SMALL, 1000, LARGE):
        shapes = [measure(target, shape(name, nodes), nodes, steps) for name in SHAPES]
        own, checking = (sum(row[at] for row in shapes) / len(shapes) for at in (1, 2))
        cost[nodes] = checking
        yield (
            f"checking / operation, all components and policies, {nodes:,} nodes",
            f"{checking / own:.2f}",
            "at most 2",
        )
    yield (
        f"checking a step at {LARGE:,} nodes / at {SMALL}",
        f"{cost[LARGE] / cost[SMALL]:.2f}",
        "at most 1.5",
    )
    yield "soak, steps a second", f"{soak_rate(target, 5 * steps):,.0f}", ""
    rates = hypothesis_rates(target, EXAMPLES)
    yield "state machine, steps a second", f"{rates.drawing:,.0f}", ""
    empty = "state machine / an empty one with as many rules, steps"
    yield (
        f"{empty}, both with Hypothesis's draws",
        f"{rates.ours / rates.empty:.0%}",
        "at least 50%",
    )
    yield f"{empty}, each with its own draws", f"{rates.drawing / rates.empty:.0%}", "at least 50%"
    yield f"{empty}, both with our draws", f"{rates.drawing / rates.empty_drawing:.0%}", ""
    yield (
        "rules of ours, with our draws / of an empty one with Hypothesis's",
        f"{rates.rules / rates.empty:.0%}",
        "",
    )
    for system in SYSTEMS:
        for name, ours, theirs, checked in compare(system, steps):
            yield f"{system} / ours, time of the operations, {name}", f"{theirs / ours:.1f}", ""
            yield f"checking / operation, {system}, {name}", f"{checked / theirs:.2f}", "at most 1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    options = parser.parse_args()
    calm_collector()
    print("| what | measured | should be |")
    print("|---|---|---|")
    for what, figure, bound in rows(options.steps):
        print(f"| {what} | {figure} | {bound} |", flush=True)


if __name__ == "__main__":
    main()
