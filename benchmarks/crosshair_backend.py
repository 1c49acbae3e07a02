"""The state machine on short histories, drawn from the seed, and chosen by CrossHair.

With the CrossHair backend of Hypothesis every choice of an example is symbolic until something has
to know it, and each example takes another path than those before.

Run: ``make symbolic`` once, for what it installs; then ``python benchmarks/crosshair_backend.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from time import process_time

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from radixproof.impl import registry
from radixproof.model.config import Config
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.drivers.machine import Broken, CacheMachine

FAULTS = (
    "split-parent-not-backed-up",
    "load-slots-upside-down",
    "match-renews-all-states",
    "quota-rounded-up",
)
BACKENDS = {"the seed": BACKEND, "CrossHair": "crosshair"}
EXAMPLES = 200
OPERATIONS = 8


def search(fault: str, backend: str, examples: int, operations: int) -> Sequence[object]:
    """Examples, operations and seconds of processor time, and whether the bug was found."""
    counts = [0, 0]

    class Machine(CacheMachine):
        target = registry.find(f"fault:{fault}")
        known = frozenset()

        def teardown(self) -> None:
            super().teardown()
            counts[0] += 1
            counts[1] += len(getattr(self, "done", ()))

    short = settings(
        max_examples=examples,
        stateful_step_count=operations,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        backend=backend,
    )
    Machine.target.build(Config())  # what it imports is not counted
    begun, found = process_time(), "no"
    try:
        run_state_machine_as_test(seed(1)(Machine), settings=short)
    except Broken:
        found = "yes"
    return (*counts, f"{process_time() - begun:.1f}", found)


def main() -> None:
    parser = argparse.ArgumentParser(description="Choices drawn, and choices made by CrossHair.")
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    parser.add_argument("--operations", type=int, default=OPERATIONS)
    parser.add_argument("faults", nargs="*", default=FAULTS)
    options = parser.parse_args()
    print("| planted bug | chosen by | examples | operations | seconds | found |")
    print("|---|---|---|---|---|---|")
    for fault in options.faults:
        for name, backend in BACKENDS.items():
            row = search(fault, backend, options.examples, options.operations)
            print("|", " | ".join(map(str, (fault, name, *row))), "|", flush=True)


if __name__ == "__main__":
    main()
