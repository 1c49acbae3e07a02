"""Outcomes: what one operation gave back, as far as a caller of the cache can see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Skipped:
    """The operation's premise was gone; nothing was done."""

    name: ClassVar[str] = "skipped"
    reason: str

    def __str__(self) -> str:
        return f"skipped: {self.reason}"


@dataclass(frozen=True, slots=True)
class Crashed:
    """The system raised. ``where`` is the function it came from, the system's own."""

    name: ClassVar[str] = "crashed"
    error: str
    message: str
    where: str

    def __str__(self) -> str:
        return f"{self.error} in {self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Matched:
    """``device`` tokens can be used now; ``best`` tokens (at least as many) are held on device or host (semantics 3.3)."""

    name: ClassVar[str] = "matched"
    device: int
    best: int

    def __str__(self) -> str:
        return f"{self.device} tokens on device" + (f", {self.best} with host" if self.best != self.device else "")


@dataclass(frozen=True, slots=True)
class Inserted:
    """``prefix`` tokens of the prompt were in the tree already, ``protected`` of them matched first and reused (semantics 4)."""

    name: ClassVar[str] = "inserted"
    prefix: int
    protected: int = 0

    def __str__(self) -> str:
        reused = f", {self.protected} reused" if self.protected else ""
        return f"{self.prefix or 'no'} tokens were there already{reused}"


@dataclass(frozen=True, slots=True)
class Locked:
    """The path down to token ``length`` is locked."""

    name: ClassVar[str] = "locked"
    length: int

    def __str__(self) -> str:
        return f"{self.length} tokens locked"


@dataclass(frozen=True, slots=True)
class Freed:
    """Tokens freed by an eviction, per component, as the system counts them (semantics 7.5)."""

    name: ClassVar[str] = "freed"
    full: int
    swa: int

    def __str__(self) -> str:
        amounts = [f"{count} {kind}" for count, kind in ((self.full, "FULL"), (self.swa, "SWA")) if count]
        return "freed " + (" and ".join(amounts) or "nothing")


@dataclass(frozen=True, slots=True)
class Done:
    """The operation has nothing to report but a count: copies run, backups acknowledged, host tokens freed."""

    name: ClassVar[str] = "done"
    count: int = 0

    def __str__(self) -> str:
        return str(self.count or "")


Outcome: TypeAlias = Skipped | Crashed | Matched | Inserted | Locked | Freed | Done
