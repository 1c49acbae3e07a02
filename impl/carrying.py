"""What comes back from a system that carries a request through its engine's own functions.

Such a function does many things in one call: it inserts, looks up, gives a lock back and takes
another. Each of them is a `Moment`, and the system can show the cache as it was just then.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from radixproof.impl.observation import PerComponent, Slots


class Did(Enum):
    """What an engine's function did to its tree."""

    EVICT = "evict"
    INSERT = "insert"
    MATCH = "match"
    LOCK = "lock"
    UNLOCK = "unlock"


class Moment(NamedTuple):
    """One call that an engine's function made on its tree, and what it returned.

    ``length`` and ``evicted`` are in units of the request's key.
    """

    did: Did
    free: tuple[Slots, ...]
    """Free slots per device pool, afterwards."""
    length: int = 0
    """How much of the request's key an insert, or a match, was about."""
    reused: int = 0
    """How much of it an insert found there."""
    taken: bool = False
    """The insert took the state."""
    state: int | None = None
    """The state that it brought."""
    priority: int = 0
    counted: bool = True
    """The insert is not marked as one that counts no hits."""
    device: int = 0
    """How much of it a match found on the device, and with the host tier (``best``)."""
    best: int = 0
    slots: Slots = ()
    host: PerComponent | None = None
    evicted: int = 0
    """What the request had lost of its window before an insert, or an eviction."""
    told: int = 0
    """What the tree was told of that."""
    row: Sequence[int] = ()
    """The request's slots when the call was made."""
    states: Slots = ()
    """States that the engine kept for the request then, beside the one that it works on."""
    asked: PerComponent = (0, 0, 0)
    freed: PerComponent = (0, 0, 0)


class Tracked(NamedTuple):
    """A state that an engine keeps for a request, and that now sums up more of its key."""

    slot: int
    freed: int | None = None
    """A state that the engine kept for the request until then."""
    refused: bool = False
    """There was no room for another one, so that it is one that was there."""


class Carriage(NamedTuple):
    """What one call of an engine's function came to."""

    moments: Sequence[Moment]
    error: BaseException | None = None
    """What it raised, after these moments."""
    refused: int = 0
    """It ended early, since there was no room for so many states."""
    runs: int = 0
    """With that many states the engine would run so many requests at once."""
    states: Slots = ()
    """States that the engine keeps for the request afterwards, beside the one that it works on."""

    @property
    def crashed(self) -> bool:
        """It raised, and not for want of room for a state."""
        return self.error is not None and not self.refused
