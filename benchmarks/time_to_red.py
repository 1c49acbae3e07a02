"""How long a developer waits for a pytest run that fails, and what it shows, against ``check``.

The planted bugs that cost the state machine the most steps (``docs/power.json``), and others drawn
by a seed. Each has a test file of one line and a pytest process of its own; the clock shows the
whole of that process, imports included. ``check`` searches with the same seed, from cold.

Run: ``python benchmarks/time_to_red.py``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median

from radixproof.impl import registry
from radixproof.properties.search.budget import PROFILES
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search

POWER = Path(__file__).resolve().parent.parent / "docs" / "power.json"
EXAMPLES = 5_000
"""Of the state machine at most: the hardest bugs need more than Hypothesis's hundred."""
TEST = """\
import radixproof
from hypothesis import settings

TestCache = radixproof.state_machine(radixproof.find({system!r})).TestCase
TestCache.settings = settings(TestCache.settings, max_examples={examples}, database=None)
"""
STEP = re.compile(r"^(?:E +)? >? *(\d+)\. ", re.MULTILINE)


def red(system: str, seed: int) -> tuple[float, int | None]:
    """Seconds until a test of ``system`` has failed, and how many operations it shows; None if it
    does not fail.
    """
    with tempfile.TemporaryDirectory() as folder:
        test = Path(folder, "test_it.py")
        test.write_text(TEST.format(system=system, examples=EXAMPLES))
        command = [sys.executable, "-m", "pytest", "-q", f"--hypothesis-seed={seed}", str(test)]
        started = time.perf_counter()
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        took = time.perf_counter() - started
    if ran.returncode == 0:
        return took, None
    return took, max(map(int, STEP.findall(ran.stdout)))


class Enough(Exception):
    """Ends a search at its first finding."""


def of_check(system: str, seed: int) -> int | None:
    """How many operations the first finding of a ``ci`` search from cold has."""
    findings: list[Finding] = []

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            findings.append(news)
            raise Enough

    try:
        search(registry.find(system), seed, PROFILES["ci"], tell)
    except Enough:
        return len(findings[0].history.operations)
    return None


def chosen(hardest: int, drawn: int, seed: int) -> list[str]:
    """The bugs that cost the most steps, hardest first, then others at random."""
    faults = json.loads(POWER.read_text())["faults"]
    by_cost = sorted(faults, key=lambda name: -faults[name]["machine"]["cost"])
    others = Random(seed).sample(sorted(by_cost[hardest:]), drawn)
    return by_cost[:hardest] + others


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hardest", type=int, default=20)
    parser.add_argument("--drawn", type=int, default=20)
    parser.add_argument("--draw-seed", type=int, default=1, help="draws the others")
    parser.add_argument("--seed", type=int, default=1, help="of the searches")
    options = parser.parse_args(arguments)
    print(f"{options.hardest} hardest, {options.drawn} drawn with seed {options.draw_seed}.\n")
    print("| planted bug | seconds to red | operations shown | of check |")
    print("|---|---|---|---|")
    seconds = []
    for name in chosen(options.hardest, options.drawn, options.draw_seed):
        system = f"fault:{name}"
        took, shown = red(system, options.seed)
        if shown is not None:
            seconds.append(took)
        found = of_check(system, options.seed)
        print(f"| {name} | {took:.1f} | {shown or 'passes'} | {found or 'none'} |", flush=True)
    print(f"\nRed: {len(seconds)}, after {median(seconds):.1f} s in the middle.")


if __name__ == "__main__":
    main()
