"""What a campaign consists of: systems by seeds, each a shard that depends on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from radixproof.properties.search.budget import PROFILES, STEP_SECONDS
from radixproof.properties.workers.shard import SEARCH, Shard

STEPS_AN_EXAMPLE = 250
"""One example of the state machine for so many steps."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every system is searched with every seed, for so many steps."""

    systems: tuple[str, ...]
    first: int
    """The first seed."""
    seeds: int
    steps: int
    known: Mapping[str, tuple[str, ...]]
    """By system, the signatures that are passed over."""
    step_seconds: float = STEP_SECONDS

    def shards(self, folder: Path) -> list[Shard]:
        """All searches, whose findings will lie below a folder: each seed for all systems, then the
        next.
        """
        examples = max(1, self.steps // STEPS_AN_EXAMPLE)
        budget = replace(PROFILES["ci"], steps=self.steps, examples=examples, more=0)
        return [
            Shard(
                system,
                SEARCH,
                seed,
                budget,
                folder=str(folder),
                known=tuple(sorted(self.known.get(system, ()))),
                step_seconds=self.step_seconds,
            )
            for seed in range(self.first, self.first + self.seeds)
            for system in self.systems
        ]

    @property
    def description(self) -> str:
        """What a campaign is, but for its seeds, as JSON: if this is the same, it may be gone on
        with.
        """
        known = {system: sorted(self.known.get(system, ())) for system in self.systems}
        parts = {"steps": self.steps, "known": known, "step_seconds": self.step_seconds}
        return msgspec.json.encode(parts, order="sorted").decode()
