"""Systems that prefetch through their engine's own functions, and what comes back from them.

Such a function locks, makes room, hands over and unlocks in one call. Each of these is a `Part`,
and the system can show the cache as it was just then.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from radixproof.impl.observation import Slots
from radixproof.model.config import Component, Pool
from radixproof.model.key import Key


class Doing(Enum):
    """What an engine's function did to its tree for a prefetch."""

    LOCK = "lock"
    EVICT = "evict"
    INSERT = "insert"
    UNLOCK = "unlock"


class Part(NamedTuple):
    """One call that an engine's function made on its tree, and what it returned."""

    did: Doing
    held: tuple[Slots, ...]
    """Host slots that the prefetch holds afterwards, by component: those that are to be freed, too,
    and not those that were handed over.
    """
    tokens: int = 0
    """How many an eviction was asked for, or an insert handed over."""
    component: Component = Component.FULL
    """What an eviction was asked for."""
    done: int = 0
    """How many an eviction freed, or an insert kept."""


class Fetch(NamedTuple):
    """What the beginning of a prefetch came to, or its end."""

    parts: Sequence[Part]
    handle: Any = None
    """The engine's record of a prefetch that has begun; None if it has ended."""
    held: tuple[Slots, ...] = ()
    """Host slots that it holds, by component, if it has begun."""
    refused: Sequence[tuple[Pool, int]] = ()
    """The allocation for want of which it has ended."""
    allocated: Sequence[Pool] = ()
    """Pools from which it was given something, which it may have freed again."""
    error: BaseException | None = None
    """What was raised, after these parts."""


class Fetching(Protocol):
    """For systems that prefetch through their engine's own functions (semantics 10.2): in the place
    of `Prefetching`.
    """

    def begin_prefetch(
        self, key: Key, anchor: Any, start: int, tags: Sequence[int], stored: int, /
    ) -> Fetch:
        """A prefetch of the whole pages of ``key`` begins, right after the match that returned
        ``anchor`` as its best anchor, which ends at token ``start``; ``tags`` name the content of
        each token. Storage has so many tokens of the rest, whole pages. There are no parts if the
        engine would not fetch there.
        """

    def end_prefetch(self, handle: Any, tokens: int, /) -> Fetch:
        """Of what a prefetch fetches the first ``tokens`` have come, whole pages, and it ends; it
        is aborted if that is 0.
        """

    def show(self, moment: int | None) -> None:
        """Let `observe` show the cache as it was after a part of the last call; None: as it is."""
