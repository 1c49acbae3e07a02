"""Long searches that must find nothing: many seeds on one system, which nobody has tried before.

Run: ``python benchmarks/clean.py --seeds 20 --steps 10000``. The first seed is drawn anew each
time, and printed; ``--first`` does a run again.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from random import SystemRandom

from radixproof.impl import registry
from radixproof.properties.search.budget import PROFILES
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import calm_collector, search


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default="radix")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=SystemRandom().randrange(1_000, 10**9))
    options = parser.parse_args()
    target = registry.find(options.system)
    examples = max(1, options.steps // 250)
    budget = replace(PROFILES["ci"], steps=options.steps, examples=examples, more=0)
    reported: list[str] = []

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            words = f"{news.signature}: {news.verdict.breach.text}"
            reported.append(f"{words} (--first {news.seed} --seeds 1 --steps {options.steps})")
            print(reported[-1], file=sys.stderr)

    print(f"{options.system}: {options.seeds} seeds from {options.first} on", file=sys.stderr)
    calm_collector()
    started, steps, histories = time.perf_counter(), 0, 0
    for number in range(options.seeds):
        done = search(target, options.first + number, budget, tell)
        steps, histories = steps + done.steps, histories + done.histories
        print(
            f"{options.system}: {number + 1} of {options.seeds} seeds, {steps:,} steps, "
            f"{len(reported)} reported",
            file=sys.stderr,
        )
    seconds = time.perf_counter() - started
    seeds = f"{options.seeds} seeds from {options.first} on"
    checked = f"{seeds}, {steps:,} checked steps in {histories:,} histories"
    print(f"{options.system}: {checked}, {seconds:.0f} s, {len(reported)} reported")
    print("\n".join(reported))
    return 1 if reported else 0


if __name__ == "__main__":
    sys.exit(main())
