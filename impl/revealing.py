"""What a system may say of itself beyond what a look shows. No scope says whether it does: whoever
asks looks for the methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from radixproof.impl.streams import Entry
from radixproof.model.config import Pool


class Counters(NamedTuple):
    """Numbers of one node that decide who is evicted, or backed up, later."""

    hits: int
    priority: int
    created: int
    """When it was made: a number of which only the order counts."""


class Hidden(NamedTuple):
    """What no observation shows, and what comes later depends on."""

    nodes: Mapping[int, Counters]
    """By their ids."""
    refusing: Sequence[Pool] = ()
    """Pools whose next allocation is to fail."""
    copies: Sequence[int] = ()
    """How many there are, per direction: those that have not been performed, and those that have
    not been acknowledged.
    """


@runtime_checkable
class Revealing(Protocol):
    """For explorations, which take two states for one if they look alike: without it, what is
    hidden does not tell states apart.
    """

    def hidden(self) -> Hidden:
        """What is hidden now."""


@runtime_checkable
class Ordering(Protocol):
    """For systems whose streams and events are those of `radixproof.impl.streams`: RACE is asked of
    them (semantics 17.9).
    """

    def ordering(self) -> Sequence[Entry]:
        """What has been submitted and waited for since the last call, in order."""

    def attend(self, slots: Sequence[int]) -> None:
        """The forward pass that is submitted next reads the KV in these FULL slots of a prompt, and
        of the last of them what is paired with them in a window.
        """
