"""Copy engines: what moves KV between pools, and who says when.

A cache is given its engines from outside, one for backups and one for load-backs. Each performs its
copies in the order in which they were submitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from radixproof.impl.radix.pools import KVPool, Slots


class Transfer(NamedTuple):
    """The part of a copy that concerns one pair of pools, slot by slot."""

    source: KVPool
    source_slots: Slots
    target: KVPool
    target_slots: Slots


@dataclass(slots=True, eq=False)
class Copy:
    """What `CopyEngine.submit` returns: one copy, and how it went.

    At most one of ``done`` and ``failed`` ever becomes true.
    """

    transfers: tuple[Transfer, ...]
    done: bool = False
    """The KV is in the target slots."""
    failed: bool = False
    """The target slots may hold anything, and the engine has forgotten the copy.

    Whoever wants it submits its transfers again.
    """


class CopyEngine(Protocol):
    """Performs copies asynchronously.

    Until a copy is known to be done its slots must be neither reused nor rewritten.
    """

    def submit(self, transfers: Sequence[Transfer]) -> Copy:
        """Queue one copy. It reads what the work submitted to the device so far has written."""

    def poll(self) -> None:
        """Find out, without waiting, which copies have ended."""

    def wait(self) -> None:
        """Return when every copy has ended."""

    def clear(self) -> None:
        """Forget all copies; their slots may be reused on return."""


class ImmediateEngine:
    """Copies at once, within `submit`. For caches whose device is the CPU."""

    def submit(self, transfers: Sequence[Transfer]) -> Copy:
        for transfer in transfers:
            transfer.target.scatter(
                transfer.target_slots, transfer.source.gather(transfer.source_slots)
            )
        return Copy(tuple(transfers), done=True)

    def poll(self) -> None:
        pass

    def wait(self) -> None:
        pass

    def clear(self) -> None:
        pass
