"""Our cache next to SGLang's two cores, on the same histories: microseconds a step of their own
operations, and what it costs to check them.

Run: ``python benchmarks/cores.py --systems sglang==0.5.23 sglang==0.5.23+rust``, of a release that
is prepared. SGLang runs its own tree, allocators and controller on the CPU; the harness performs
the copies of all. What SGLang is known to do wrong is passed over.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from checking import measure, shape

from radixproof.impl import registry
from radixproof.properties.known.files import load_known
from radixproof.properties.search.search import calm_collector

SYSTEMS = ("sglang==0.5.23", "sglang==0.5.23+rust")
"""Of one release: a process can run no other."""


class Compared(NamedTuple):
    """Microseconds a step: of our operations, of the other's, and of checking the other."""

    components: str
    ours: float
    theirs: float
    checking: float


def compare(system: str, steps: int, nodes: int = 100) -> Iterator[Compared]:
    """Per set of components."""
    ours, theirs = registry.find("radix"), registry.find(system)
    known = load_known("builtin").for_system(system, date.today())
    for name in ("FULL", "FULL+SWA"):
        config = shape(name, nodes)
        own = measure(ours, config, nodes, steps)[1]
        yield Compared(name, own, *measure(theirs, config, nodes, steps, known=known)[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=SYSTEMS)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--nodes", type=int, default=100)
    options = parser.parse_args()
    calm_collector()
    columns = (
        "system",
        "components",
        "ours, us a step",
        "its own, us a step",
        "its own / ours",
        "checking it / its own",
    )
    print(f"| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    for system in options.systems:
        for name, ours, theirs, checking in compare(system, options.steps, options.nodes):
            figures = f"{ours:.0f} | {theirs:.0f} | {theirs / ours:.1f} | {checking / theirs:.2f}"
            print(f"| {system} | {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
