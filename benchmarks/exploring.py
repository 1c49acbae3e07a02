"""What an explored transition costs, over the operation itself, and how many there are a second.

A transition is everything: the way to its state, the operation, all properties, and the key of the
state behind it; the draining of each state is shared out among its transitions. The operation is
performed alone, on a cache that has come to the same state unjudged, and nothing is looked at.
Run: ``python benchmarks/exploring.py [SCOPE ...] [--system SYSTEM] [--depth N]``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from time import perf_counter_ns

from radixproof.impl import registry
from radixproof.impl.operations import Operation
from radixproof.impl.system import Target
from radixproof.properties.exploring.expanding import Expanded, history_of
from radixproof.properties.exploring.explorer import Reached
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.exploring.sweep import longer
from radixproof.properties.performing.performer import Performer
from radixproof.properties.search.search import calm_collector

NAMES = ("full", "full-pages", "swa", "mamba", "swa-mamba", "swa-mamba-write-back")


def measure(target: Target, scope: SmallScope, depth: int) -> tuple[int, float, float]:
    """Transitions, and microseconds of one and of its operation alone."""
    reached, explored = Reached(), list[Expanded]()
    started = perf_counter_ns()
    for _ in range(depth):
        explored += longer(target, scope, reached)
    took = perf_counter_ns() - started
    transitions = sum(len(one.moves) for one in explored)
    alone = sum(
        _alone(target, scope, one.path, scope.operations[number])
        for one in explored
        for number, _ in one.moves
    )
    return transitions, took / transitions / 1000, alone / transitions / 1000


def _alone(target: Target, scope: SmallScope, path: bytes, operation: Operation) -> int:
    """Nanoseconds of one operation."""
    performer = Performer(target, scope.config)
    _perform(performer, history_of(scope, path).operations)
    started = perf_counter_ns()
    _perform(performer, [operation])
    took = perf_counter_ns() - started
    performer.close()
    return took


def _perform(performer: Performer, operations: Sequence[Operation]) -> None:
    for operation in operations:
        for _ in performer.perform(operation):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scopes", nargs="*", default=NAMES)
    parser.add_argument("--system", default="radix")
    parser.add_argument("--depth", type=int, default=3)
    options = parser.parse_args()
    if unknown := set(options.scopes) - set(SCOPES):
        parser.error(f"no such scope: {', '.join(sorted(unknown))} (known: {', '.join(SCOPES)})")
    target = registry.find(options.system)
    list(longer(target, SCOPES[options.scopes[0]], Reached()))  # what it imports is not counted
    calm_collector()
    print("| scope | depth | transitions | us each | its operation, us | ratio | a second |")
    print("|---|---|---|---|---|---|---|")
    for name in options.scopes:
        count, each, alone = measure(target, SCOPES[name], options.depth)
        print(
            f"| {name} | {options.depth} | {count:,} | {each:.0f} | {alone:.0f} |"
            f" {each / alone:.1f} | {1e6 / each:,.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
