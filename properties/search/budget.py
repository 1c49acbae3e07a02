"""What a search may spend, and how much it has to see."""

from __future__ import annotations

from dataclasses import dataclass

STEP_SECONDS = 10.0
"""After so long, unless it is said otherwise, a step is taken to hang: far above what any takes,
also on a machine with much else to do.
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """Steps of a search: first ``examples`` of the state machine, then a soak until ``steps`` in
    all.

    An example has at most ``example_steps`` rules. ``seconds`` may end the search earlier. The soak
    may go on beyond ``steps``, by ``more``.
    """

    steps: int
    examples: int
    example_steps: int = 50
    seconds: float | None = None
    demand: int = 0
    """The share of the milestones within reach, in percent, that must be met: a search that met
    fewer has seen too little to say anything.
    """
    more: int = 0
    """The most steps beyond ``steps`` that are spent on milestones which are still to be met, as
    long as nothing new is found: what is found is worth telling, whatever was not seen.
    """


PROFILES = {
    "dev": Budget(steps=8_000, examples=50, demand=75),
    "ci": Budget(steps=100_000, examples=300, demand=100, more=200_000),
    "nightly": Budget(steps=1_000_000, examples=2_000, demand=100, more=1_000_000),
}
