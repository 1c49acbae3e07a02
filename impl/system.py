"""What a cache must offer to be put under test: a thin handle on its own operations, and a way to
look at it.

A system does what it is told and reports what it sees. It judges nothing, repairs nothing and hides
nothing: an exception of the cache travels through it unchanged.

`System` is what every cache has. All else comes in parts of a few methods each; a system without a
part lacks its methods, and its `Scope` says so. Nothing that the scope excludes is ever called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from radixproof.impl.carrying import Carrying
from radixproof.impl.fetching import Fetching
from radixproof.impl.observation import Observation, PerComponent
from radixproof.impl.scope import Scope
from radixproof.impl.sight import Sight
from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key


class Lookup(NamedTuple):
    """Result of a match: tokens on device, tokens on device or host, device FULL slots, and the
    nodes where the two end.

    ``host`` is the part of the latter that is on the host only, per `Component`, where the system's
    sight declares it.
    """

    device: int
    best: int
    slots: list[int]
    anchor: Any
    best_anchor: Any = None
    host: PerComponent | None = None

    @classmethod
    def on_device(cls, slots: Sequence[int], anchor: Any) -> Lookup:
        """The result in a cache that has no host tier: the slots found, and the node that ends
        them.
        """
        return cls(len(slots), len(slots), list(slots), anchor)


class Insertion(NamedTuple):
    """Result of an insert: tokens of the key that were in the tree before, whether the state was
    taken, and where the key ends.

    ``anchor`` is the node that a continuing request adopts; None in a system whose requests match
    again instead (semantics 11.2).
    """

    reused: int
    taken: bool = False
    anchor: Any = None


class Fetched(NamedTuple):
    """Host slots of what was fetched for a key: FULL from some token on, SWA of its last tokens,
    and the MAMBA state of its end, as far as the cache has these.
    """

    slots: Sequence[int]
    window: Sequence[int] = ()
    state: int | None = None


class System(Protocol):
    """One live cache: what every system has.

    All slots are plain ints; all lengths are in tokens, or in pairs of tokens where keys are
    bigrams. Requests own the slots that `allocate` gives them until they pass them to `insert` or
    free them. Anchors and receipts are the system's own objects, which the harness only hands back.
    """

    def match(self, key: Key) -> Lookup:
        """The longest usable prefix of ``key``, on the device and on either tier (semantics 3).

        May be called at any time, with any key. Its anchors are used before the next operation on
        the cache, or, where the scope has ``kept_matches``, as long as the nodes are there: after
        splits they name the lower half (semantics 3.7).
        """

    def allocate(self, tokens: int) -> list[int] | None:
        """FULL slots for ``tokens`` tokens, with SWA peers where the cache has SWA; None if there
        is no room.

        ``tokens`` is positive and a whole number of pages. Nothing may be evicted for it: the
        caller has evicted what it wanted to.
        """

    def available(self, pool: Pool) -> int:
        """Free slots of a pool of the cache, as its allocator counts them: what an engine asks
        before it makes room.
        """

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Compute: fill the KV of FULL ``slots`` and of their SWA peers, every layer and head, with
        content named by ``tags``.

        The slots are the caller's own: allocated, and neither inserted nor freed.
        """

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        """Tags of the content that slots hold now; -1 where layers, heads, or keys and values
        disagree.

        Asked for slots that the tree's nodes show, in pools whose slots the sight declares.
        """

    def free(self, slots: Sequence[int]) -> None:
        """Give slots, and the SWA peers they have, back to the allocator: whole pages
        of the caller's own.
        """

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
        inserted: int = 0,
        /,
    ) -> Insertion:
        """Hand over ``slots``, one per token of ``key``, and the MAMBA ``state`` of its end
        (semantics 4).

        The first ``protected`` slots are the tree's already, from a match or an insert whose path
        is locked or has not changed since; the others are the caller's, allocated and written. From
        there to ``evicted`` they no longer have SWA peers. A duplicate is freed by the tree; a last
        page that is not whole, and a state that is not taken, stay the caller's. There is a
        ``state`` only if the cache has MAMBA, ``evicted`` exceeds ``protected`` only if it has SWA,
        and ``priority`` is 0 unless it evicts by priority. The same request has inserted the first
        ``inserted`` tokens before: its use of these has been counted (semantics 8.1).
        """

    def lock(self, anchor: Any) -> Any:
        """Lock the device node that a match, or an insert, ended on; returns the receipt
        (semantics 6.1).

        Called right after that insert, or after a match as `System.match` says. The anchor may be
        the root.
        """

    def unlock(self, receipt: Any) -> None:
        """Give a receipt of `lock` back: once for each (semantics 6.2)."""

    def evict(self, full: int, swa: int, mamba: int, /) -> PerComponent:
        """Free at least so many tokens (MAMBA: states) per component; returns how many were
        (semantics 7.1).

        May be called at any time, for more than is evictable, too. For a component that the cache
        lacks, 0 is asked.
        """

    def observe(self, whole: bool) -> Observation:
        """A whole observation if asked for or if the system cannot tell what changed, else the
        delta since the last one.

        Called between two operations, and never in the middle of one. It changes nothing.
        """


class Closing(Protocol):
    """A system that holds what the garbage collector does not free."""

    def close(self) -> None:
        """Release it. The last call; it comes in the middle of a history, too, and
        after an exception.
        """


class Resetting(Protocol):
    """For `Reset`."""

    def reset(self) -> None:
        """Empty the tree, the host pools, and, as the scheduler would, the device pools (12).

        No receipt is out, no prefetch under way and no request alive, but copies may be in flight.
        None of them writes any more when this returns, and none is acknowledged.
        """


class Windowed(Protocol):
    """For caches with SWA."""

    def free_swa(self, slots: Sequence[int]) -> None:
        """Give back the SWA peers of FULL ``slots`` only: the request's window has slid past them.

        The slots are whole pages of the caller's own, and all have peers.
        """

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        """SWA peers of FULL slots through the full→SWA map, 0 for none (semantics 13.1)."""


class EarlyRelease(Protocol):
    """For `ReleaseWindow`, in caches with SWA or MAMBA."""

    def release_window(self, receipt: Any) -> None:
        """Give back the SWA and MAMBA part of a receipt of `lock` (semantics 6.4).

        At most once for each receipt, and only if there is such a part; `unlock` then does the
        rest.
        """


class Stateful(Protocol):
    """For caches with MAMBA. A state's slot is owned as slots are: by the caller, until
    an insert takes it.
    """

    def allocate_state(self) -> int | None:
        """A MAMBA slot, or None if none is free. Nothing may be evicted for it."""

    def write_state(self, slot: int, tag: int) -> None:
        """Compute: the state in ``slot``, the caller's, now sums up the prefix that ends with the
        token named by ``tag``.
        """

    def free_state(self, slot: int) -> None:
        """Give the caller's ``slot`` back."""

    def copy_state(self, anchor: Any) -> int | None:
        """A copy of the state of a node in a slot of the caller's own, evicting a state for it if
        need be (semantics 3.6).

        None if there is no room. The node is the one the last match ended on, and its state is on
        device.
        """


class Adopting(Protocol):
    """For systems whose inserts return the node where the key ends."""

    def path_slots(self, anchor: Any) -> list[int]:
        """FULL slots of the path to the node that the last insert returned as its anchor."""


class HostTier(Protocol):
    """For caches with a host tier. Copies are queued by the cache, and run when the
    harness says.
    """

    def evict_host(self, tokens: int, component: Component) -> int:
        """Free at least so many host tokens (MAMBA: states) of a component the cache has; returns
        how many (semantics 7.9).
        """

    def load_back(self, anchor: Any, quota: int | None) -> int:
        """Bring the path to a best node back to the device; returns its FULL tokens, 0 if refused
        (semantics 9).

        Called after the match that returned ``anchor`` as its best anchor, as `System.match` says.
        ``quota`` limits FULL tokens.
        """

    def run_copies(self, count: int, load: bool = False, fail: bool = False) -> int:
        """Let the copy engine perform up to ``count`` queued backups, or load-backs, in order;
        returns how many.

        With ``fail``, which the scope may exclude, they fail. No tree is told yet.
        """

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        """Acknowledge backups that have run; if ``blocking`` run and acknowledge all. Returns how
        many (semantics 8.4).

        A poll acknowledges ``limit`` at most, which is set only where there are several ranks.
        """

    def loading_check(self, blocking: bool, limit: int | None = None) -> int:
        """The same for load-backs (semantics 9.5)."""

    def in_flight(self) -> int:
        """Copies of either direction that have not been acknowledged: an engine does not reset its
        cache during them.
        """


class HostLocking(Protocol):
    """For `HostLock`."""

    def lock_host(self, anchor: Any) -> Any:
        """Lock the host copies down to the best node of a match, as `System.match` says; returns
        the receipt, or None if an engine would not lock there, and nothing was locked (semantics
        6.6).
        """

    def unlock_host(self, receipt: Any) -> None:
        """Give a receipt of `lock_host` back: once for each."""


class HostInserting(Protocol):
    """For `HostInsert`: what a storage prefetch does in all."""

    def allocate_host(self, pool: Pool, count: int) -> list[int] | None:
        """So many slots of a host pool, of tokens whole pages; None if there is no room. Nothing
        may be evicted for it.
        """

    def free_host(self, pool: Pool, slots: Sequence[int]) -> None:
        """Give slots of a host pool back, the caller's own: nothing has come for them."""

    def write_host(self, pool: Pool, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Fetch: fill the caller's ``slots`` of a host pool with content named by ``tags``."""

    def insert_host(self, key: Key, fetched: Fetched, start: int) -> int:
        """Hand over what was fetched for ``key`` from token ``start`` on; returns the tokens of
        FULL that are kept (semantics 10.3).

        ``start`` is where the last match ended on either tier. What is not kept is freed by the
        tree.
        """


class Prefetching(Protocol):
    """For `Prefetch` and `EndPrefetch`, beside `HostLocking`, `HostInserting` and ``evict_host``
    of `HostTier`; not needed by systems that are `Fetching`.
    """

    def insert_fetched(self, receipt: Any, key: Key, fetched: Fetched, start: int) -> int:
        """The same as `insert_host`, below the node of a receipt of `lock_host`, which ended at
        ``start``: other operations have been made since.
        """


class Launching(Protocol):
    """For `RunForward`, and for steps that are launched (semantics 11.6)."""

    def launch(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Launch a forward pass that computes what `System.write` would. Its slots may be inserted,
        or freed and given to others, before it has run.
        """

    def run_forward(self) -> None:
        """The forward pass that was launched runs, unless it has run. Called before anything else
        is computed.
        """


class Refusing(Protocol):
    """For `Refuse`."""

    def refuse(self, pool: Pool) -> None:
        """Let the next allocation from ``pool``, one of the cache's, fail, whoever asks for it."""


class Replicated(Protocol):
    """For caches with several ranks, which agree on how many copies to acknowledge."""

    def copied(self, load: bool) -> int:
        """Backups, or load-backs, that an unlimited poll would acknowledge now."""


class SelfChecking(Protocol):
    """For systems with a check of their own state."""

    def check_itself(self) -> None:
        """Raises if the cache finds its own state wrong: a `Complaint`, or whatever its check does.

        Called when no request uses it: none is alive, and no device lock is out. Host locks, and
        copies in flight, may be.
        """


class Complete(
    System,
    Closing,
    Resetting,
    Windowed,
    EarlyRelease,
    Stateful,
    Adopting,
    Carrying,
    HostTier,
    HostLocking,
    HostInserting,
    Prefetching,
    Fetching,
    Launching,
    Refusing,
    Replicated,
    SelfChecking,
    Protocol,
):
    """All parts. The harness treats any system as one of these; the scope decides what it calls."""


class Complaint(Exception):
    """What a cache finds wrong in its own state. ``kind`` is the same for all that have one cause,
    and part of the name of the finding.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Unavailable(Exception):
    """A system cannot be run here. The message says why and what to do about it."""


class AdapterMistake(Unavailable):
    """An adapter does not keep to the protocols. The message says what it did, and what is right.

    That is no finding: nothing is known of the cache behind it.
    """


def _takes_one(function: object) -> bool:
    """Whether something can be called with one argument, as far as that can be seen."""
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


@dataclass(frozen=True, slots=True)
class Target:
    """A system that can be built any number of times."""

    name: str
    summary: str
    dialect: Dialect
    build: Callable[[Config], System]
    """Raises `Unavailable` when the system cannot run in this environment with this
    configuration.
    """
    scope: Scope = Scope()
    """What it can be put to."""
    sight: Sight = Sight()
    """What it lets be seen."""
    vetted: bool = False
    """Its answers are known to have the form that the protocols ask for, so that this need not be
    looked at again in every run.
    """

    def __post_init__(self) -> None:
        """Raises TypeError for an argument in the wrong place."""
        for name, kind in (("dialect", Dialect), ("scope", Scope), ("sight", Sight)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"Target: {name} must be a {kind.__name__}, got {value!r}")
        if not _takes_one(self.build):
            raise TypeError(
                f"Target: build must be a function from a Config to a System, got {self.build!r}"
            )


def close(system: System) -> None:
    """Close a system, if it has anything to release."""
    release = getattr(system, "close", None)
    if release is not None:
        release()
