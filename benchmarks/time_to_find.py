"""How long a search from cold needs to find a bug, over several seeds.

Nothing is stored, nothing hints at the bug, and operations come in their general mix.

Run: ``python benchmarks/time_to_find.py sglang==0.5.12.post1 PROGRESS/never-backed-up``. The clock
starts when the system has been imported, and stops when the finding has been shrunk.
"""

from __future__ import annotations

import argparse
import statistics
import time

from radixproof.impl import registry
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.properties.accepting.methods import complete
from radixproof.properties.search.budget import PROFILES
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import calm_collector, search


class Enough(Exception):
    """Ends a search at the finding that was waited for."""

    def __init__(self, found: Finding) -> None:
        self.found = found


def find(target: Target, signature: str, seed: int) -> tuple[Finding | None, float]:
    """The finding with that signature, or None if the ``ci`` profile does not find it; and the
    seconds it took.
    """

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding) and news.signature == signature:
            raise Enough(news)

    started = time.perf_counter()
    try:
        search(target, seed, PROFILES["ci"], tell)
    except Enough as enough:
        return enough.found, time.perf_counter() - started
    return None, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system")
    parser.add_argument("signature")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    target = registry.find(options.system)
    complete(target.build(Config()), target.scope).close()
    calm_collector()
    print("| seed | found by | after steps | seconds | operations | minimal history |")
    print("|---|---|---|---|---|---|")
    seconds: list[float] = []
    for seed in range(1, options.seeds + 1):
        found, took = find(target, options.signature, seed)
        if found is None:
            print(f"| {seed} | not found | | {took:.1f} | | |", flush=True)
            continue
        seconds.append(took)
        history = "; ".join(map(str, found.history.operations))
        print(
            f"| {seed} | {found.driver} | {found.at_step:,} | {took:.1f} "
            f"| {len(found.history.operations)} | {history} |",
            flush=True,
        )
    median = f", median {statistics.median(seconds):.1f} s" if seconds else ""
    print(f"\nFound with {len(seconds)} of {options.seeds} seeds{median}.")


if __name__ == "__main__":
    main()
