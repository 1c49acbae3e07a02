"""What SGLang's functions of requests, and of prefetches, do to the tree, recorded call by call.

Such a function inserts, matches, unlocks and locks in one go. Each of these calls is looked at just
before the next one, so that what was freed in between is seen with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from radixproof.impl.carrying import Did
from radixproof.impl.fetching import Doing
from radixproof.impl.observation import Event, Observation, Slots
from radixproof.impl.sglang.parts import Parts

_HOOKED = {
    "evict": Did.EVICT,
    "evict_for_alloc": Did.EVICT,
    "insert": Did.INSERT,
    "match_prefix": Did.MATCH,
    "inc_lock_ref": Did.LOCK,
    "dec_lock_ref": Did.UNLOCK,
}
_HOOKED_OF_FETCHES = {
    "inc_host_lock_ref": Doing.LOCK,
    "evict_host": Doing.EVICT,
    "dec_host_lock_ref": Doing.UNLOCK,
}
_INSERT_FETCHED = "insert_host"
"""What a prefetch hands over, it hands over to the core."""
REQUESTS: frozenset[Did | Doing] = frozenset(Did)
FETCHES: frozenset[Did | Doing] = frozenset(Doing)
_LOOKED_AT_ONCE = (Did.EVICT, Doing.EVICT)
_WALK = "_match_tree"
"""What a request's own lookups call since 0.5.22."""


class Standing(NamedTuple):
    """What SGLang's record of a request says."""

    evicted: int
    """What it has lost of its window."""
    row: list[int]
    """Its slots, as far as they are computed."""
    states: Slots
    """Those that are tracked for it."""


class Called(NamedTuple):
    """A call that was recorded."""

    did: Any
    """A `Did`, or a `Doing`."""
    argument: Any
    """The first; of a fetch all."""
    result: Any
    standing: Standing
    """What the request's record said when the call was made."""
    seen: Observation
    peers: Any
    """The full→SWA map as it was; None without SWA."""
    held: tuple[Slots, ...]
    """What a fetch held on the host afterwards, by component."""


class Recorder:
    """Listens to the tree of one cache, while it is told to."""

    def __init__(self, parts: Parts, observe: Callable[[bool], Observation]) -> None:
        self._observe, self._device = observe, parts.device
        self._standing: Callable[[], Standing] | None = None
        self._depth = 0
        self._waiting: tuple[Did | Doing, Any, Any, Standing] | None = None
        self._wanted = REQUESTS
        self._held: Callable[[], tuple[Slots, ...]] = tuple
        self.calls: list[Called] = []
        self._shown: Called | None = None
        self._unheard: list[Event] = []
        tree = parts.tree
        hooked: dict[str, Did | Doing] = {**_HOOKED, **_HOOKED_OF_FETCHES}
        if hasattr(tree, _WALK):
            hooked[_WALK] = hooked.pop("match_prefix")
        for name, did in hooked.items():
            if not hasattr(tree, name):
                continue
            setattr(tree, name, self._hook(getattr(tree, name), did))
        core = getattr(tree, "tree_core", None)
        if hasattr(core, _INSERT_FETCHED):
            insert = getattr(core, _INSERT_FETCHED)
            setattr(core, _INSERT_FETCHED, self._hook(insert, Doing.INSERT))

    @contextmanager
    def listening(
        self,
        standing: Callable[[], Standing],
        wanted: frozenset[Did | Doing] = REQUESTS,
        held: Callable[[], tuple[Slots, ...]] = tuple,
    ) -> Iterator[None]:
        """Within the block calls that are ``wanted`` are recorded; ``standing`` reads the request's
        record, and ``held`` says what a fetch holds on the host.
        """
        self._hear_all()
        self.calls = []
        self._standing, self._wanted, self._held = standing, wanted, held
        try:
            yield
        finally:
            self._standing = None
            self._depth = 0
            self._look()

    def show(self, moment: int | None) -> None:
        """What was announced at moments that nobody looks at is heard with the next one."""
        self._unheard += (self._shown and self._shown.seen.events) or ()
        self._shown = None if moment is None else self.calls[moment]

    def peers(self) -> Any:
        """The full→SWA map at the moment that is shown, or as it is now; None without SWA."""
        return self._device.peers() if self._shown is None else self._shown.peers

    def observe(self, anew: bool) -> Observation:
        """The moment that is shown, or what there is now."""
        seen = self._observe(anew) if self._shown is None else self._shown.seen
        if self._unheard and seen.events is not None:
            seen = replace(seen, events=(*self._unheard, *seen.events))
        self._unheard = []
        if self._shown is not None and seen.events is not None:
            self._shown = self._shown._replace(seen=replace(seen, events=()))
        return seen

    def _hear_all(self) -> None:
        if self._shown is not None:
            self.show(None)

    def _hook(self, call: Callable[..., Any], did: Did | Doing) -> Callable[..., Any]:
        def hooked(*arguments: Any, **named: Any) -> Any:
            if self._standing is None or self._depth or did not in self._wanted:
                return call(*arguments, **named)
            self._look()
            self._depth += 1
            try:
                standing = self._standing()
                result = call(*arguments, **named)
            finally:
                self._depth -= 1
            every = (*arguments, *named.values())
            argument = every if isinstance(did, Doing) else every[0]
            made = Did.RELEASE_STATE if did is Did.UNLOCK and _keeps_full(every) else did
            self._waiting = made, argument, result, standing
            if did in _LOOKED_AT_ONCE:
                self._look()
            return result

        return hooked

    def _look(self) -> None:
        if self._waiting is not None:
            now = self._device.peers()
            peers = None if now is None else now.copy()
            self.calls.append(Called(*self._waiting, self._observe(True), peers, self._held()))
            self._waiting = None


def _keeps_full(arguments: Sequence[Any]) -> bool:
    """Whether what gives a lock back is told to leave FULL locked: of what a request locks, SGLang
    gives the state back so, alone.
    """
    skipped = getattr(arguments[1], "skipped_lock_components", ())
    return any(component.name == "FULL" for component in skipped)
