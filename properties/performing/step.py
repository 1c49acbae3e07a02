"""What happened in one step, and the steps that only requests take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from radixproof.impl.observation import PerComponent
from radixproof.impl.operations import Operation
from radixproof.model.config import Pool
from radixproof.model.key import Key
from radixproof.properties.performing.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Adopt:
    """A request locks the node that its insert ended on, and continues with the tree's slots down
    to it (semantics 11.2).
    """

    receipt: str
    key: Key
    name = "adopt"

    def __str__(self) -> str:
        return f"adopt {self.key} as {self.receipt}"


@dataclass(frozen=True, slots=True)
class CopyState:
    """A request that matched ``key`` takes a copy of the MAMBA state there into a slot of its own
    (semantics 3.6).
    """

    key: Key
    name = "copy_state"

    def __str__(self) -> str:
        return f"copy the state of {self.key}"


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """A request gives back its lock on the state of its prefix, and keeps the rest of it
    (semantics 6.4).
    """

    receipt: str
    consumed: bool
    """It has computed from the state that it copied, or the lock is a later one."""
    free: int
    """States that were free."""
    name = "release_state"

    def __str__(self) -> str:
        return f"release the state of {self.receipt}"


@dataclass(frozen=True, slots=True)
class HandOver:
    """What an engine's function had to hand over to the tree by its end: of a request, what it has
    computed (semantics 11.5), or of a prefetch, what has come (10.2). It is told where that is not
    what the tree got, and where the tree has heard nothing of the function at all.
    """

    whose: str
    due: int
    """Tokens that the tree should have been given."""
    fetched: bool = False
    """It is a prefetch's."""
    name = "hand_over"

    def __str__(self) -> str:
        return f"hand over what {self.whose} has"


@dataclass(frozen=True, slots=True)
class Carried:
    """An insert that an engine's own function made for a request (semantics 11.5)."""

    told: int
    """What the tree was told of the window that the request has lost."""
    evicted: int
    """What it has lost, or the tree has."""
    computed: int
    """Units that it has computed."""
    counted: bool = True
    """The insert is not marked as one that counts no hits."""
    summed: int | None = None
    """Units that the state sums up that it brings; None: it brings none, or that is not known."""
    own: bool = False
    """That state is the one that the request works on: none was tracked for it."""
    cut: bool = False
    """The request has ended, and not all that it generated is to be kept."""
    priority: int = 0
    """That of the request."""


Act: TypeAlias = Operation | Adopt | CopyState | ReleaseState | HandOver


@dataclass(slots=True)
class Step:
    """One operation, or a part of a request's, as it happened: what was done, the outcome, and the
    slots that were served.
    """

    operation: Act
    outcome: Outcome
    slots: Sequence[int] = ()
    """FULL device slots that were served; for `CopyState` the MAMBA slot."""
    protected: int = 0
    """Tokens of an insert whose slots were the tree's already."""
    inserted: int = 0
    """Tokens that the same request had inserted before."""
    carried: Carried | None = None
    """Of an insert by an engine's own function."""
    fetched: int | None = None
    """Of a host insert at the end of a prefetch: where its prefix ended when it began."""
    declined: str = ""
    """What the system would not do where a match ends, by its name in a rule: lock the prefix on
    the host, or fetch what is missing behind it.
    """
    given: int = 0
    """Of a lock that such a function took: so much of the request's row is the tree's by then."""
    lacking: PerComponent | None = None
    """Of an eviction by which such a function makes room: what is not free of what it needs."""
    due: int | None = None
    """Of a prefetch that such a function has begun: the tokens that it should be about."""
    refused: Sequence[tuple[Pool, int]] = ()
    """The allocation that failed: its pools, with the slots wanted from each."""
