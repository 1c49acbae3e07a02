"""The state machine on short histories, drawn from the seed, and chosen by CrossHair.

With the CrossHair backend of Hypothesis every choice of an example is symbolic until something has
to know it, and each example takes another path than those before.

Run: ``make symbolic`` once, for what it installs; then ``python benchmarks/crosshair_backend.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from time import process_time

from radixproof.impl import registry
from radixproof.model.config import Config
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.drivers.machine import Broken, chunk

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
    target = registry.find(f"fault:{fault}")
    target.build(Config())  # what it imports is not counted
    begun = process_time()
    ran = chunk(target, 1, 0, examples, operations, (), backend)
    took = process_time() - begun
    histories = [one.history if isinstance(one, Broken) else one for one in ran]
    performed = sum(len(history.operations) for history in histories)
    found = any(isinstance(one, Broken) for one in ran)
    return len(ran), performed, f"{took:.1f}", "yes" if found else "no"


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
