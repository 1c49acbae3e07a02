"""What a campaign has come to: what was found, how often, and what more of it would bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from radixproof.properties.campaigns.store import Finished, Found, Store


@dataclass(frozen=True, slots=True)
class Distinct:
    """Findings of one signature in one system: the first of them, and how many shards had it."""

    first: Found
    shards: int


@dataclass(frozen=True, slots=True)
class Searched:
    """One system: what was searched of it, and what was found."""

    system: str
    shards: int
    failed: tuple[str, ...]
    """Why shards could not be run."""
    steps: int
    seconds: float
    """Of one process, in all."""
    findings: tuple[Distinct, ...]
    """In the order of the shards that had them first."""
    curve: tuple[int, ...]
    """For each of these, the steps of all shards up to it."""
    unreached: tuple[str, ...]
    """Milestones that no shard has met."""

    @property
    def to_come(self) -> float:
        """How many new signatures another shard brings, as Good and Turing estimate it: as many as
        were seen in one shard alone, for each shard.
        """
        return once(self.findings) / self.shards if self.shards else 1.0

    @property
    def an_hour(self) -> float:
        """The same for an hour of one process. It is the most to be expected: every finding makes
        the next one rarer.
        """
        return self.to_come * self.shards * 3600 / self.seconds if self.seconds else 0.0


def once(findings: Iterable[Distinct]) -> int:
    """Signatures that one shard alone has shown."""
    return sum(one.shards == 1 for one in findings)


def overview(store: Store) -> list[Searched]:
    """Every system of a campaign, in the order of their names."""
    shards, findings, met = store.shards(), store.findings(), store.milestones()
    systems = sorted({*(one.system for one in shards), *(one.system for one in findings)})
    return [
        _searched(
            system,
            [one for one in shards if one.system == system],
            [one for one in findings if one.system == system],
            tuple(name for name, count in met.get(system, {}).items() if not count),
        )
        for system in systems
    ]


def _searched(
    system: str, shards: Sequence[Finished], findings: Sequence[Found], unreached: tuple[str, ...]
) -> Searched:
    by_signature: dict[str, list[Found]] = {}
    for one in sorted(findings, key=lambda one: (one.seed, one.at_step)):
        by_signature.setdefault(one.signature, []).append(one)
    done = [one for one in shards if not one.failure]
    return Searched(
        system,
        len(done),
        tuple(dict.fromkeys(one.failure for one in shards if one.failure)),
        sum(one.steps for one in done),
        sum(one.seconds for one in done),
        tuple(Distinct(same[0], len(same)) for same in by_signature.values()),
        tuple(_steps_to(same[0], done) for same in by_signature.values()),
        unreached,
    )


def _steps_to(found: Found, shards: Iterable[Finished]) -> int:
    """Steps of the shards before that of a finding, and of that up to it."""
    return sum(one.steps for one in shards if one.seed < found.seed) + found.at_step
