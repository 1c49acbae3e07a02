"""A part of a campaign, as plain data: it can be sent to a process, killed, and run again."""

from __future__ import annotations

from dataclasses import dataclass

from radixproof.properties.search.budget import STEP_SECONDS, Budget

SEARCH = "search"
"""The driver that is all of them in turn: corpus, state machine, soak."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One search of one system. Except for ``seconds``, these fields determine its result."""

    system: str
    """By the name that the registry knows."""
    driver: str
    seed: int
    budget: Budget
    corpus: str = ""
    """A folder whose histories are replayed first, if any."""
    folder: str = ""
    """The folder below which its findings will lie; reports name it."""
    known: tuple[str, ...] = ()
    """Signatures that are passed over."""
    step_seconds: float = STEP_SECONDS
    """How long the system may take for one step before it is taken to hang."""
    reference: str = ""
    """The release that a source tree is compared with, if it is one."""
    compared: tuple[str, ...] = ()
    """Those of the known signatures that are passed over as far as the reference has them, too."""

    def __str__(self) -> str:
        return f"{self.system}, {self.driver}, seed {self.seed}"
