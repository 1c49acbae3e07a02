"""Outcomes: what one operation returned, as far as a caller of the cache can see. Numbers are in
tokens (MAMBA: states).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from radixproof.impl.system import Lookup


@dataclass(slots=True)
class Skipped:
    """The operation's premise did not hold, or there was no room; nothing was done but what parts
    before this one say.
    """

    reason: str

    def __str__(self) -> str:
        return f"skipped: {self.reason}"


@dataclass(slots=True)
class Crashed:
    """The system raised, ended the process, or hung. ``where`` is the function it came from, the
    system's own; empty if that is none.
    """

    error: str
    message: str
    where: str
    fatal: bool = False
    """Whether nothing could come after it, not even a look: the process was ended."""

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where else ""
        return f"{self.error}{place}" + (f": {self.message}" if self.message else "")


@dataclass(slots=True)
class Matched:
    """``device`` tokens can be used now; ``best`` (at least as many) are held on device or host
    (semantics 3.3).

    ``host`` is the part of the latter that is on the host only, per `Component`; None where a
    system does not say (semantics 3.4).
    """

    device: int
    best: int
    host: tuple[int, int, int] | None = None

    def __str__(self) -> str:
        more = f", {self.best} with host" if self.best != self.device else ""
        return f"{_tokens(self.device)} on device{more}" + (
            f" {self.host}" if self.host and any(self.host) else ""
        )


@dataclass(slots=True)
class Inserted:
    """``prefix`` tokens were in the tree already, ``protected`` of them matched first and reused;
    the state was ``taken`` (4).
    """

    prefix: int
    protected: int = 0
    taken: bool = False

    def __str__(self) -> str:
        reused = f", {self.protected} reused" if self.protected else ""
        taken = ", state taken" if self.taken else ""
        were = "was" if self.prefix == 1 else "were"
        there = _tokens(self.prefix) if self.prefix else "no tokens"
        return f"{there} {were} there already{reused}{taken}"


@dataclass(slots=True)
class Locked:
    """The path down to token ``length`` is locked."""

    length: int

    def __str__(self) -> str:
        return f"{_tokens(self.length)} locked"


@dataclass(slots=True)
class Freed:
    """Freed by an eviction, per component, as the system counts it (semantics 7.5)."""

    full: int
    swa: int = 0
    mamba: int = 0

    def __str__(self) -> str:
        amounts = ((self.full, "FULL"), (self.swa, "SWA"), (self.mamba, "MAMBA"))
        return "freed " + (
            " and ".join(f"{count} {kind}" for count, kind in amounts if count) or "nothing"
        )


@dataclass(slots=True)
class Done:
    """Nothing to report but a count: copies run, copies acknowledged, host tokens freed or taken,
    FULL tokens loaded back.
    """

    count: int = 0

    def __str__(self) -> str:
        return str(self.count or "")


def _tokens(count: int) -> str:
    return f"{count} token{'' if count == 1 else 's'}"


def matched(found: Lookup) -> Matched:
    """The outcome of a match."""
    return Matched(found.device, found.best, found.host)


Outcome: TypeAlias = Skipped | Crashed | Matched | Inserted | Locked | Freed | Done
