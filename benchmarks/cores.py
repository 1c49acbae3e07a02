"""Our cache next to SGLang's, on the same histories: microseconds a step of their own operations.

Run: ``python benchmarks/cores.py --system sglang==0.5.19``, with a release that is prepared.
SGLang runs its own tree, allocators and controller on the CPU; the harness performs the copies of
both. What SGLang is known to do wrong is passed over.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from checking import measure, shape

from radixproof.impl import registry
from radixproof.properties.search.search import calm_collector

SYSTEM = "sglang==0.5.19"
"""Earlier releases than 0.5.15.post1 have defects that end these histories before their time."""
KNOWN = ("RECENCY/access-time", "RECENCY/swa-list", "PROGRESS/never-backed-up-again")
"""The order of eviction, which all releases get wrong, and what is never backed up since 0.5.20."""


def compare(system: str, steps: int, nodes: int = 100) -> Iterator[tuple[str, float, float]]:
    """Per set of components: microseconds a step of ours, and of the other."""
    ours, theirs = registry.find("radix"), registry.find(system)
    for name in ("FULL", "FULL+SWA"):
        config = shape(name, nodes)
        yield (
            name,
            measure(ours, config, nodes, steps)[1],
            measure(theirs, config, nodes, steps, known=KNOWN)[1],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default=SYSTEM)
    parser.add_argument("--steps", type=int, default=3000)
    options = parser.parse_args()
    calm_collector()
    print("| components | ours, us a step | SGLang, us a step | SGLang / ours |")
    print("|---|---|---|---|")
    for name, ours, theirs in compare(options.system, options.steps):
        print(f"| {name} | {ours:.0f} | {theirs:.0f} | {theirs / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main()
