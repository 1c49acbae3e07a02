"""A campaign as if it had been run."""

from __future__ import annotations

from radixproof.properties.power.trials import TrialResult, trial

SHALLOW, OTHER = "ack-keeps-lock", "split-parent-not-backed-up"
BUDGET = 1_000


def made(
    driver: str, steps: int | None, seed: int = 1, fault: str = SHALLOW, signature: str = "LOCK/a"
) -> TrialResult:
    """A trial as if it had been run."""
    one = trial(fault, driver, seed, BUDGET)
    return (
        TrialResult(one, steps, 0.5, signature, 2)
        if steps is not None
        else TrialResult(one, None, 2.0)
    )


CAMPAIGN = [
    *(made("baseline", steps, seed) for seed, steps in enumerate((None, 600, None), 1)),
    *(made("soak", steps, seed) for seed, steps in enumerate((40, 10, 20), 1)),
    *(made("baseline", None, fault=OTHER), made("soak", 10, fault=OTHER, signature="PROGRESS/b")),
]
"""A fault that the baseline finds with one seed of three, and one that it never finds."""
