"""The planted bugs that are found where locks, lists, leaf sets and hits are hidden. Run: ``python
benchmarks/obscured.py``.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from radixproof.impl import registry
from radixproof.impl.faults import FAULTS
from radixproof.impl.obscured import obscured
from radixproof.properties.drivers.soak import soak
from radixproof.properties.search.search import calm_collector


def found(seed: int, budget: int, fault: str) -> tuple[str, int | None, str]:
    """A planted bug, the steps until the soak sees it in what is shown (None: not at all), and as
    what.
    """
    target, steps = obscured(registry.find(f"fault:{fault}")), 0
    for ran in soak(target, seed, lambda _: False):
        steps += len(ran.history.operations)
        if steps > budget:
            return fault, None, ""
        if ran.breach is not None:
            return fault, steps, ran.breach.signature
    raise AssertionError("a soak has no end")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*", help="all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    names, lost = options.faults or sorted(FAULTS), []
    with ProcessPoolExecutor(options.jobs, initializer=calm_collector) as pool:
        search = partial(found, options.seed, options.steps)
        for name, steps, signature in pool.map(search, names):
            lost += [name] if steps is None else []
            print(f"{name}: {'lost' if steps is None else f'{signature}, {steps:,} steps'}")
            sys.stdout.flush()
    share = 1 - len(lost) / len(names)
    print(f"{len(names) - len(lost)} of {len(names)} found ({share:.1%}); lost: {', '.join(lost)}")
    return 0 if share >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
