"""What a cache must offer to be put under test: a thin handle on its own operations, and a way to look at it.

A system does what it is told and reports what it sees. It judges nothing, repairs nothing and hides nothing: an exception of the
cache travels through it unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from radixproof.impl.observation import Observation, PerComponent
from radixproof.impl.operations import OPERATIONS, Operation
from radixproof.model.config import COMPONENTS, Component, Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key


class Lookup(NamedTuple):
    """Result of a match: tokens on device, tokens on device or host, device FULL slots, and the nodes where the two end.

    ``host`` is what of the latter is on the host only, per `Component`; None where a system does not say.
    """

    device: int
    best: int
    slots: list[int]
    anchor: Any
    best_anchor: Any = None
    host: PerComponent | None = None


class Insertion(NamedTuple):
    """Result of an insert: tokens of the key that were in the tree before, whether the state was taken, and where the key ends.

    ``anchor`` is the node that a request which goes on adopts; None in a system whose requests match again instead (semantics
    11.2).
    """

    reused: int
    taken: bool = False
    anchor: Any = None


class System(Protocol):
    """One live cache. All slots are plain ints; all lengths are in tokens, or in pairs of tokens where keys are bigrams.

    Requests own the slots that `allocate` and `allocate_state` give them until they pass them to `insert` or free them.
    """

    def match(self, key: Key) -> Lookup: ...

    def allocate(self, tokens: int) -> list[int] | None:
        """FULL slots for ``tokens`` tokens (whole pages), with SWA peers where the cache has SWA; None if there is no room."""

    def available(self, pool: Pool) -> int:
        """Free slots of a pool, as its allocator counts them: what an engine asks before it makes room."""

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Compute: fill the KV of FULL ``slots`` and of their SWA peers, every layer and head, with content named by ``tags``."""

    def free(self, slots: Sequence[int]) -> None:
        """Give whole pages of FULL slots, and their SWA peers, back to the allocator."""

    def free_swa(self, slots: Sequence[int]) -> None:
        """Give back the SWA peers of FULL ``slots`` (whole pages) only: the request's window has slid past them."""

    def allocate_state(self) -> int | None:
        """A MAMBA slot, or None if there is none."""

    def write_state(self, slot: int, tag: int) -> None:
        """Compute: the state in ``slot`` now sums up the prefix that ends with the token named by ``tag``."""

    def free_state(self, slot: int) -> None: ...

    def copy_state(self, anchor: Any) -> int | None:
        """A copy of the state of a node in a slot of the caller's own, evicting a state for it if need be (semantics 3.6).

        None if there is no room. The node is the one a match returned, and its state is on device.
        """

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
    ) -> Insertion:
        """Hand over ``slots``, one per token of ``key``, and the MAMBA ``state`` of its end.

        The first ``protected`` slots are the tree's already; those from there to ``evicted`` have no SWA peers any more. A state
        that is not taken stays the caller's.
        """

    def path_slots(self, anchor: Any) -> list[int]:
        """FULL slots of the path to a node that `insert` returned as its anchor."""

    def lock(self, anchor: Any) -> Any:
        """Lock the node a match returned; returns the receipt."""

    def unlock(self, receipt: Any) -> None: ...

    def release_window(self, receipt: Any) -> None:
        """Give back the SWA and MAMBA part of a receipt of `lock`, at most once; `unlock` then only does the rest."""

    def lock_host(self, anchor: Any) -> Any:
        """Lock the host copies of the best node a match returned; returns the receipt."""

    def unlock_host(self, receipt: Any) -> None: ...

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        """Returns the tokens (MAMBA: states) freed per component."""

    def evict_host(self, tokens: int, component: Component) -> int: ...

    def load_back(self, anchor: Any, quota: int | None) -> int:
        """Bring the path to the best node a match returned back to the device; returns its FULL tokens, 0 if refused."""

    def allocate_host(self, tokens: int) -> list[int] | None:
        """FULL host slots for ``tokens`` tokens (whole pages); None if there is no room. What a storage prefetch does."""

    def write_host(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Fetch: fill FULL host slots with content named by ``tags``."""

    def insert_host(self, key: Key, slots: Sequence[int], start: int) -> int:
        """Hand over FULL host slots for ``key`` from token ``start`` on; returns the tokens kept. What is not kept is freed."""

    def run_copies(self, count: int, load: bool = False, fail: bool = False) -> int:
        """Let the copy engine perform (or fail) up to ``count`` queued backups, or load-backs, in order; returns how many."""

    def copied(self, load: bool) -> int:
        """Backups, or load-backs, that an unlimited poll would acknowledge now."""

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        """Returns the number of backups acknowledged; a poll acknowledges ``limit`` at most (what all ranks agree on)."""

    def loading_check(self, blocking: bool, limit: int | None = None) -> int: ...

    def in_flight(self) -> int:
        """Copies of either direction that have not been acknowledged: an engine does not reset its cache under them."""

    def refuse(self, pool: Pool) -> None:
        """Let the next allocation from ``pool`` fail."""

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
class Scope:
    """What of the configurations and operations a system can be put to. The default is everything."""

    components: tuple[Component, ...] = COMPONENTS
    eviction_policies: tuple[EvictionPolicy, ...] = tuple(EvictionPolicy)
    operations: tuple[type[Operation], ...] = OPERATIONS
    hostless: bool = True
    """It can be built without a host tier."""
    write_back: bool = True
    bigram: bool = True
    ranks: bool = True
    failing_copies: bool = True
    events: bool = False
    """Every observation shows a stream of events, if only an empty one; where this is not promised, what is shown is judged."""

    def refuses(self, config: Config) -> str:
        """Why a cache of this configuration cannot be built; empty if it can."""
        missing = [
            component.name for component in config.components if component not in self.components
        ]
        checks = (
            (bool(missing), " and ".join(missing)),
            (
                config.eviction_policy not in self.eviction_policies,
                f"eviction order {config.eviction_policy.value}",
            ),
            (config.write_back and not self.write_back, "write_back"),
            (not config.hosted and not self.hostless, "no host tier"),
            (config.bigram and not self.bigram, "bigram keys"),
            (config.ranks > 1 and not self.ranks, "several ranks"),
        )
        return next((what for refused, what in checks if refused), "")


@dataclass(frozen=True, slots=True)
class Target:
    """A system that can be built any number of times."""

    name: str
    summary: str
    dialect: Dialect
    build: Callable[[Config], System]
    """Raises `Unavailable` when the system cannot run in this environment with this configuration."""
    scope: Scope = Scope()
