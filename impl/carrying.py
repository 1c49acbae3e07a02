"""Systems that carry a request through their engine's own functions, and what comes back from them.

Such a function does many things in one call: it inserts, looks up, gives a lock back and takes
another. Each of them is a `Moment`, and the system can show the cache as it was just then.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from radixproof.impl.observation import PerComponent, Slots
from radixproof.model.key import Key


class Did(Enum):
    """What an engine's function did to its tree."""

    EVICT = "evict"
    INSERT = "insert"
    MATCH = "match"
    LOCK = "lock"
    UNLOCK = "unlock"
    RELEASE_STATE = "release_state"


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


class Carrying(Protocol):
    """For systems that carry requests through their engine's own functions (semantics 11.5)."""

    def begin_request(
        self,
        key: Key,
        slots: Sequence[int],
        receipt: Any,
        state: int | None,
        priority: int,
        /,
    ) -> Any:
        """A request begins with the ``slots`` that it was served, the receipt of their lock, a
        state where there is MAMBA, and the priority of all that it inserts. Returns the engine's
        record of it, which takes the place of the receipt; None if the engine would have no such
        request, which is then played as any other.
        """

    def admit(self, request: Any) -> Carriage:
        """The request gets what the engine has for one that runs, before its first part is
        computed; nothing if it has that, or if there is no room for the states among it.
        """

    def make_room(self, request: Any, tokens: int) -> Carriage:
        """The request is about to get slots for so many tokens: evict what is lacking of them, as
        the engine does.
        """

    def compute(self, request: Any, key: Key, row: Sequence[int], units: int) -> None:
        """The request is about to compute its key down to ``units``, of which the last may have
        been generated, into the slots of its row. These are written next.
        """

    def due(self, request: Any, units: int) -> Sequence[int]:
        """The request has computed ``units``: the ends of whole pages among these for which the
        engine tracks a state, in their order. Not called where it keeps none for the request.
        """

    def track(self, request: Any, units: int) -> Tracked:
        """One of the states that the engine keeps for the request is now to be that of its first
        ``units``; it is written next.
        """

    def slide(self, request: Any) -> int:
        """Free what has left the request's window, as the engine does while it decodes; returns how
        many units have lost theirs, or are the tree's.
        """

    def carry_on(self, request: Any, last: bool) -> Carriage:
        """The request inserts what it has computed, and goes on; ``last`` says whether its prompt
        is computed.
        """

    def end_request(
        self, request: Any, insert: bool, prompt_only: bool = False, past_stop: int = 0
    ) -> Carriage:
        """The request ends, and inserts what it has computed before, with ``prompt_only`` of its
        prompt alone, and of its answer all but the last tokens that are ``past_stop``; or it does
        not.
        """

    def show(self, moment: int | None) -> None:
        """Let `observe` show the cache as it was at a moment of the last call; None: as it is."""
