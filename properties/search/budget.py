"""What a search may spend."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Steps of a search: first ``examples`` of the state machine, then a soak until ``steps`` in
    all.

    An example has at most ``example_steps`` rules. ``seconds`` may end the search earlier.
    """

    steps: int
    examples: int
    example_steps: int = 50
    seconds: float | None = None
    everywhere: bool = False
    """A clean search must have met every milestone within reach, or it has shown too little."""


PROFILES = {
    "dev": Budget(steps=8_000, examples=50),
    "ci": Budget(steps=100_000, examples=300, everywhere=True),
    "nightly": Budget(steps=1_000_000, examples=2_000, everywhere=True),
}
