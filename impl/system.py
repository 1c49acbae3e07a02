"""What a cache must offer to be put under test: a thin handle on its own operations, and a way to look at it.

A system does what it is told and reports what it sees. It judges nothing, repairs nothing and hides nothing: an exception of the
cache travels through it unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.observation import Observation
from radixproof.model.operations import Key


class Lookup(NamedTuple):
    """Result of a match: tokens on device, tokens on device or host, device FULL slots, and the node to lock."""

    device: int
    best: int
    slots: list[int]
    anchor: Any


class System(Protocol):
    """One live cache. All slots are plain ints; all lengths are in tokens.

    Requests own the slots that `allocate` gives them until they pass them to `insert` or `free`.
    """

    def match(self, key: Key) -> Lookup: ...

    def allocate(self, tokens: int) -> list[int] | None:
        """FULL slots for ``tokens`` tokens (whole pages), with SWA peers where the cache has SWA; None if there is no room."""

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Compute: fill the KV of FULL ``slots`` and of their SWA peers, every layer and head, with content named by ``tags``."""

    def free(self, slots: Sequence[int]) -> None:
        """Give whole pages of FULL slots, and their SWA peers, back to the allocator."""

    def free_swa(self, slots: Sequence[int]) -> None:
        """Give back the SWA peers of FULL ``slots`` (whole pages) only: the request's window has slid past them."""

    def insert(self, key: Key, slots: Sequence[int], protected: int, evicted: int) -> int:
        """Hand over ``slots``, one per token of ``key``; returns how many of these tokens were in the tree before.

        The first ``protected`` slots are the tree's already; those from there to ``evicted`` have no SWA peers any more.
        """

    def lock(self, anchor: Any) -> Any:
        """Lock the node a match returned; returns the receipt."""

    def unlock(self, receipt: Any) -> None: ...

    def evict(self, full: int, swa: int) -> tuple[int, int]:
        """Returns the tokens freed per component."""

    def evict_host(self, tokens: int, component: Component) -> int: ...

    def run_copies(self, count: int) -> int:
        """Let the copy engine perform up to ``count`` queued backups, in queue order; returns how many it performed."""

    def writing_check(self, blocking: bool) -> int:
        """Returns the number of backups acknowledged."""

    def reset(self) -> None:
        """Empty the tree, the host pools, and (as the scheduler would) the device pools."""

    def observe(self, whole: bool) -> Observation:
        """A whole observation if asked for or if the system cannot tell what changed, else the delta since the last one."""

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        """Tags of the content that slots hold now; -1 where layers, heads, or keys and values disagree."""

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        """SWA peers of FULL slots through the full→SWA map, 0 for none."""

    def close(self) -> None:
        """Release what the system holds; it is not used afterwards."""


class Unavailable(Exception):
    """A system cannot be run here. The message says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A system that can be built any number of times."""

    name: str
    summary: str
    dialect: Dialect
    build: Callable[[Config], System]
    """Raises `Unavailable` when the system cannot run in this environment with this configuration."""
