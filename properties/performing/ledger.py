"""The ledger: what no observation of a cache shows, recorded from what was done to it.

Who holds which receipt and which slots, which of the tree's slots a request was given, and which
content a prefix must have. The performer writes it; generators and the judge read it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, NamedTuple, Self

from radixproof.impl.system import Lookup
from radixproof.model.config import POOLS, Config, EvictionPolicy, Pool
from radixproof.model.key import Key, Units, tokens_of


class ContentTags:
    """Names for content: numbers, one per token of a prefix, the same in every run of a history."""

    def __init__(self) -> None:
        self._known: dict[tuple[int | str, Any], int] = {}

    def of(self, namespace: str, above: int, tokens: Iterable[Any]) -> list[int]:
        """Tags of ``tokens`` that follow the prefix whose last tag is ``above`` (0: none)."""
        known, place = self._known, above or namespace
        tags = [place := known.setdefault((place, token), len(known) + 1) for token in tokens]
        return tags

    def named(self, tag: int) -> str:
        """What a tag stands for, in words; 0 is what no forward pass has written."""
        known = [*self._known]
        if not 0 < tag <= len(known):
            return f"{tag}, which stands for no content" if tag else "nothing that was computed"
        units: list[Any] = []
        place: int | str = tag
        while isinstance(place, int):
            place, unit = known[place - 1]
            units.insert(0, unit)
        return f"the content of {Key(tokens_of(units), place)}"


@dataclass(slots=True)
class Receipt:
    """What a lock of the history returned, and its unlock hands back."""

    handle: Any
    length: int
    """Tokens that it locked."""
    on_host: bool = False
    released: bool = False
    """Its window part has been given back."""


class OwnLock(str):
    """The name of a lock that somebody holds, one after another: ``q's lock``, ``q's lock 1``."""

    owner: str
    number: int

    def __new__(cls, owner: str, number: int = 0) -> Self:
        name = super().__new__(cls, f"{owner}'s lock {number}".removesuffix(" 0"))
        name.owner, name.number = owner, number
        return name


class RequestLock(OwnLock):
    """One that a request holds on its prefix."""


class PrefetchLock(OwnLock):
    """That which a prefetch holds on its prefix."""


@dataclass(slots=True)
class Request:
    """One live request. Lengths are in units of its key; the row has whole pages."""

    name: str
    key: Key
    lock: RequestLock
    """The name of its receipt."""
    handle: Any
    """The receipt itself."""
    row: list[int]
    """FULL slots: the first ``protected`` are the tree's, the others its own."""
    peers: list[int]
    """SWA peers of the row, 0 for none of its own."""
    protected: int
    computed: int
    evicted: int
    """SWA state below is gone, or the tree's."""
    state: int | None = None
    """Its MAMBA slot, with the state of its last whole page."""
    prompt: int = 0
    """What is beyond was generated."""
    priority: int = 0
    """Of all that it inserts."""
    tracked: list[int] = field(default_factory=list)
    """MAMBA slots that its engine keeps for it, with states of whole pages before."""
    sums: dict[int, int] = field(default_factory=dict)
    """By slot of these: the units that its state sums up."""
    released: bool = False
    """The window part of its receipt has been given back."""
    inserted: int = 0
    """Tokens that it has inserted so far."""
    carried: bool = False
    """Its engine has a record of it, which is its handle, and plays it (semantics 11.5)."""
    cannot_insert: bool = False
    """Its engine has raised in an insert of it, and that was excused (semantics 11.5)."""


class Shared(NamedTuple):
    """Slots of the tree that a request relies on, and the prefix that they were given for."""

    prefix: Key
    slots: list[int]


@dataclass(slots=True)
class Fetching:
    """A prefetch that has begun. Lengths are in units of its key."""

    key: Key
    """Whole pages."""
    start: int
    """What its prefix ended with, when it began."""
    slots: dict[Pool, list[int]]
    """Host slots for the rest, its window and its state, by pool."""
    handle: Any
    """The receipt of its lock."""


@dataclass(slots=True)
class Forward:
    """The last forward pass that was launched: what it computes, and where (semantics 11.6)."""

    request: str
    part: range
    """Of the units of its key."""
    slots: Mapping[Pool, Collection[int]]
    tags: Collection[int]
    in_flight: bool = True


class Ledger:
    """What the operations of one history have taken and not yet given back."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.tags = ContentTags()
        self.receipts: dict[str, Receipt] = {}
        """Receipts that the history itself holds, on either tier, oldest first."""
        self.requests: dict[str, Request] = {}
        """Live requests, the one with the oldest lock first."""
        self.prefetches: dict[str, Fetching] = {}
        """Those that have begun, oldest first."""
        self.matches: dict[str, Lookup] = {}
        """What was kept of matches, as long as it is there by the rules, oldest first."""
        self.forward: Forward | None = None
        self.launched: set[tuple[Pool, int, int]] = set()
        """What forward passes that were launched write: slots, each with its content."""
        self.overtaken: dict[tuple[Pool, int], int] = {}
        """What forward passes in flight were computing while copies to the host ran: tags, and the
        slot of each.
        """
        self.rows: tuple[set[int], ...] = tuple(set() for _ in POOLS)
        """Per `Pool`: slots that requests and prefetches hold, and no node."""
        self.peers: dict[int, int] = {}
        """SWA slots of the FULL slots among them."""
        self.shared: dict[str, Shared] = {}
        """By request: the slots of the tree it relies on, once its lock has been judged."""
        self.token_pools = tuple(pool for pool in (Pool.FULL, Pool.SWA) if pool in config.pools)
        """Pools that a single allocation of tokens takes slots from."""
        self._allocations: list[tuple[Pool, int]] = []

    # -- keys ----------------------------------------------------------------------------------

    def units(self, key: Key) -> Units:
        """The key as the tree sees it, with its incomplete page."""
        return key.units(self.config.bigram)

    def prefix(self, key: Key, units: int) -> Key:
        """The key of its first ``length`` units."""
        tokens = units + 1 if self.config.bigram and units else units
        return Key(key.tokens[:tokens], key.namespace)

    def tags_of(self, key: Key) -> Sequence[int]:
        """Tags of the content of every unit of a key."""
        return self.tags.of(key.namespace, 0, self.units(key))

    def users(self) -> int:
        """Who holds locks on the device: requests, and receipts that stand for others."""
        return len(self.requests) + sum(not one.on_host for one in self.receipts.values())

    # -- what premises ask ---------------------------------------------------------------------

    def has_receipt(self, name: str) -> bool:
        return name in self.receipts

    def has_match(self, name: str) -> bool:
        return name in self.matches

    def has_prefetch(self, name: str) -> bool:
        return name in self.prefetches

    def has_window(self, name: str) -> bool:
        """With SWA every lock has a window; with MAMBA one that covers tokens has a state."""
        receipt = self.receipts.get(name)
        if receipt is None or receipt.on_host or receipt.released:
            return False
        return self.config.window is not None or (
            self.config.mamba_states > 0 and receipt.length > 0
        )

    def left_of(self, request: str) -> int | None:
        alive = self.requests.get(request)
        return None if alive is None else len(self.units(alive.key)) - alive.computed

    @property
    def idle(self) -> bool:
        return not (self.receipts or self.requests or self.prefetches)

    @property
    def unused(self) -> bool:
        """No request is alive, and what is locked is locked on the host."""
        return not self.requests and all(one.on_host for one in self.receipts.values())

    # -- slots ---------------------------------------------------------------------------------

    def take(self, pool: Pool, slots: Sequence[int]) -> None:
        """A request, or a prefetch, holds these slots now."""
        self.rows[pool].update(slots)
        self._allocations.append((pool, len(slots)))

    def give(self, pool: Pool, slots: Sequence[int]) -> None:
        """It holds these slots no longer."""
        if slots:
            self.rows[pool].difference_update(slots)
            self._allocations.append((pool, -len(slots)))

    def hand_over(self, *pools: Pool) -> None:
        """Slots of these pools were allocated and, before any observation, handed over again."""
        self._allocations += [(pool, 0) for pool in pools]

    def allocations(self) -> list[tuple[Pool, int]]:
        """What requests took (negative: gave back) since the last call, with 0 for what
        was handed over at once.
        """
        made = self._allocations
        if not made:
            return []
        self._allocations = []
        return made

    def extend_row(self, request: Request, slots: list[int], peers: list[int]) -> None:
        """A request has slots for more of its key, with SWA ``peers`` (0: none)."""
        request.row += slots
        request.peers += peers
        self.take(Pool.FULL, slots)
        pairs = [(slot, peer) for slot, peer in zip(slots, peers, strict=True) if peer]
        self.take(Pool.SWA, [peer for _, peer in pairs])
        self.peers.update(pairs)

    def computed_row(self, request: Request, tokens: int) -> None:
        """Of a row only the first ``tokens`` slots are in the full→SWA map: an engine allocates
        tokens, those that it drafts as well, not pages.
        """
        for at, (slot, peer) in enumerate(zip(request.row, request.peers, strict=True)):
            if peer and at < tokens:
                self.peers[slot] = peer
            elif peer:
                self.peers.pop(slot, None)

    def counted_priority(self, priority: int) -> int:
        """A priority, where eviction goes by priorities, and 0 elsewhere."""
        return priority if self.config.eviction_policy is EvictionPolicy.PRIORITY else 0

    def launch(self, request: Request, start: int, end: int) -> None:
        """A forward pass computes a part of a row later."""
        slots = {Pool.FULL: request.row[start:end], Pool.SWA: request.peers[start:end]}
        tags = self.tags_of(request.key)[start:end]
        self.forward = Forward(request.name, range(start, end), slots, tags)
        for pool, written in slots.items():
            self.launched.update(zip(repeat(pool), written, tags, strict=False))

    def wrote(self, pool: Pool, slot: int, seen: int, wanted: int) -> bool:
        """Whether a forward pass that was launched wrote what is seen there (-1: what is torn),
        where it is not what is wanted.
        """
        here = {tag for where, at, tag in self.launched if (where, at) == (pool, slot)}
        return seen in here if seen >= 0 else bool(here - {wanted})

    def copying(self) -> None:
        """Copies to the host may run now."""
        if self.forward is not None and self.forward.in_flight:
            for pool, written in self.forward.slots.items():
                content = zip(repeat(pool), self.forward.tags, strict=False)
                self.overtaken.update(zip(content, written, strict=False))

    def give_row(self, request: Request, start: int, end: int) -> None:
        """Part of a row is the tree's now, or free."""
        self.give(Pool.FULL, request.row[start:end])
        self.give_window(request, start, end)

    def cut_row(self, request: Request, end: int) -> list[int]:
        """A row ends earlier; returns the slots that are no part of it any more."""
        cut = request.row[end:]
        self.give_row(request, end, len(request.row))
        del request.row[end:], request.peers[end:]
        return cut

    def give_window(self, request: Request, start: int, end: int) -> None:
        """Part of a row has lost its SWA slots."""
        self.give(Pool.SWA, [peer for peer in request.peers[start:end] if peer])
        for slot in request.row[start:end]:
            self.peers.pop(slot, None)
        request.peers[start:end] = [0] * (end - start)

    # -- requests ------------------------------------------------------------------------------

    def adopt(
        self, request: Request, lock: RequestLock, handle: Any, reached: int, slots: list[int]
    ) -> Any:
        """A request continues with the tree's slots down to unit ``reached``, under a new lock;
        returns the old receipt.
        """
        old, request.lock, request.handle = request.handle, lock, handle
        request.row[:reached], request.protected, request.released = slots, reached, False
        request.evicted = max(request.evicted, reached)
        self.requests[request.name] = self.requests.pop(request.name)
        return old

    def share(self, request: Request) -> None:
        """From now on the request relies on the tree's slots that it was given."""
        if request.protected:
            prefix = self.prefix(request.key, request.protected)
            self.shared[request.name] = Shared(prefix, request.row[: request.protected])

    def end(self, request: Request) -> None:
        """A request is no longer alive."""
        del self.requests[request.name]
        self.shared.pop(request.name, None)
