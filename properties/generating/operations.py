"""Operations, one after another, made from choices with a view of ledger and model, so that they
name what exists and ask for what matters.

What an operation needs is decided by `radixproof.impl.premises`; here is only what makes it worth
trying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from random import Random

from radixproof.impl.operations import (
    NO_PROMPT,
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.impl.premises import premise, unavailable
from radixproof.impl.scope import Scope
from radixproof.model.config import DEVICE, HOST, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.nodes import is_device_leaf
from radixproof.model.specification.trie import Page
from radixproof.properties.generating.configs import EVERYTHING
from radixproof.properties.generating.endings import settling
from radixproof.properties.generating.in_flight import InFlight
from radixproof.properties.generating.keys import Below, Keys, loadable
from radixproof.properties.generating.late_uses import LateUses
from radixproof.properties.generating.preview import preview_match
from radixproof.properties.generating.wide import in_parts, past_stop, prompt_only
from radixproof.properties.judging.judge import Judge
from radixproof.properties.performing.ledger import Ledger

MIX: dict[type[Operation], float] = {
    Insert: 8,
    Match: 1.5,
    Lock: 2,
    HostLock: 1,
    Unlock: 1.2,
    ReleaseWindow: 1,
    Evict: 2.5,
    EvictHost: 1,
    LoadBack: 3,
    HostInsert: 0.8,
    RunCopies: 1.5,
    WritingCheck: 3,
    LoadingCheck: 0.8,
    Refuse: 0.5,
    Arrive: 1.5,
    Prefill: 2.5,
    Decode: 1.5,
    Finish: 1,
    Abort: 0.4,
    Reset: 0.15,
}
"""How often each kind of operation is tried. Prefetches come in the place of host inserts."""

RULES: dict[str, tuple[type[Operation], ...]] = {
    **{kind.name: (kind,) for kind in MIX},
    "host_insert": (HostInsert, Prefetch, EndPrefetch),
    "run_copies": (RunCopies, RunForward),
    "split": (Match, Insert),
}
"""What the rules of the state machine perform, by their names."""

LOTS = [kind.name for kind, weight in MIX.items() for _ in range(round(10 * weight))] + 15 * [
    "split"
]
"""The same names, each as often as it is to be drawn. The first is always possible."""

MOST_REQUESTS = 4
"""The most requests alive at a time."""
MOST_PREFETCHES = 3
"""The most prefetches that have begun at a time."""


def missing_room(key: Key, model: Cache, reuse: bool, state: bool = False) -> Evict | None:
    """The eviction that an engine asks for before it computes ``key``; None if there is room."""
    config, trie = model.config, model.trie
    held = 0
    if reuse:
        held = sum(len(page.tokens) for page in trie.walk(key) if page.has(Pool.FULL))
    need = -(-(len(key.units(config.bigram)) - held) // config.page_size) * config.page_size
    full = max(0, need - trie.free(Pool.FULL))
    swa = 0 if config.window is None else max(0, need - trie.free(Pool.SWA))
    mamba = int(state and not trie.free(Pool.MAMBA))
    return Evict(full, swa, mamba) if full or swa or mamba else None


class Shaper:
    """Makes the operations of one history."""

    def __init__(self, ledger: Ledger, scope: Scope = EVERYTHING) -> None:
        self.ledger = ledger
        self.scope = scope
        self.config = config = ledger.config
        self.keys = Keys(config, scope)
        self.kinds = [kind for kind in MIX if unavailable(kind, config, scope) is None]
        self.prefetches = unavailable(Prefetch, config, scope) is None and in_parts(config)
        self.named = 0
        self.asked: dict[str, Key] = {}
        """Prompts of requests, by name."""
        self.left: Iterator[Operation] = iter(())
        """What is to follow on the operation of the last rule."""
        self.quotas = 0
        """How many were drawn: by these turns, and not by a draw, some are not of whole pages."""
        self.late = LateUses(ledger, scope)
        self.in_flight = InFlight(ledger, scope)
        self.make: dict[type[Operation], Callable[[Cache, Below], Iterable[Operation]]] = {
            Insert: self._insert,
            LoadBack: self._load_back,
            Arrive: self._arrive,
            Evict: self._evicting,
            Reset: self._reset,
            **dict.fromkeys((HostInsert, Prefetch, EndPrefetch), self._fetch),
            **{kind: partial(self._with_key, kind) for kind in (Match, Lock, HostLock)},
            **{kind: partial(self._with_receipt, kind) for kind in (Unlock, ReleaseWindow)},
            **{kind: partial(self._going_on, kind) for kind in (Prefill, Decode, Finish, Abort)},
            **{
                kind: partial(self._plain, kind)
                for kind in (EvictHost, RunCopies, RunForward, Refuse, WritingCheck, LoadingCheck)
            },
        }

    def suits(self, name: str, model: Cache) -> bool:
        """Whether the operation of a rule has anything to work on."""
        if name == "split":
            return any(not page.cut for page in model.trie.recency)
        kind = RULES[name][0]
        if kind not in self.kinds or not self._occasion(kind, model):
            return False
        if kind in (Prefill, Decode):
            return bool(self._at_work(kind))
        return kind is not Arrive or len(self.ledger.requests) < MOST_REQUESTS

    def by_rule(self, name: str, model: Cache, below: Below) -> Iterator[Operation]:
        """What an engine does beforehand, and the operation of a rule."""
        kind = RULES[name][0]
        if name == "split":
            inside = [page for page in model.trie.recency if not page.cut]
            yield from self._splitting(inside[below(len(inside))].key(), model, below)
        elif kind in (Prefill, Decode):
            names = self._at_work(kind)
            self.left = self._continuing(kind, names[below(len(names))], model, below)
            for operation in self.left:  # not closed with this one, if that is left here
                yield operation
        else:
            for operation in self.make[kind](model, below):
                # The lock of one insert would be there for many steps: no rule surely ends it.
                if kind is not Insert or not isinstance(operation, Lock):
                    yield operation
        if kind is LoadBack:
            yield LoadBack(self.keys.on_host(model, below), self._quota(below))

    def following(self) -> Iterator[Operation]:
        """What comes after the operation of the last rule; once."""
        left, self.left = self.left, iter(())
        yield from left

    def operations(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        """An operation of one kind, and what an engine would do right before it; mostly nothing if
        there is nothing for it to do.
        """
        if kind is LoadBack or self._occasion(kind, model) or not below(8):
            return self.make[kind](model, below)
        return ()

    def _occasion(self, kind: type[Operation], model: Cache) -> bool:
        """Whether an operation of this kind has anything to work on."""
        copies, trie = model.copies, model.trie
        if kind is RunCopies:
            return any(copies.queued.values())
        if kind in (WritingCheck, LoadingCheck):
            return any(copy.load == (kind is LoadingCheck) for copy in copies.flying)
        if kind is Evict:
            return any(not page.locked for page in trie.recency_in[Pool.FULL])
        if kind is EvictHost:
            written_back = model.config.write_back and trie.used[Pool.FULL_HOST] > 0
            return any(trie.host_only) or written_back
        if kind in (Prefill, Decode, Finish, Abort):
            return bool(self.ledger.requests)
        if kind in (Unlock, ReleaseWindow):
            return bool(self._to_give_back(kind))
        return bool(trie.recency) or kind not in (Match, Lock, HostLock, Reset)

    def _name(self, letter: str) -> str:
        self.named += 1
        return f"{letter}{self.named}"

    # -- one kind at a time --------------------------------------------------------------------

    def _load_back(self, model: Cache, below: Below) -> Iterator[Operation]:
        """A load-back; if there is nothing to load, what is backed up is evicted first."""
        ready = bool(loadable(model))
        if not ready and below(4):
            yield from self._demote(model, below)
            ready = bool(loadable(model))
        if ready or not below(8):
            made = LoadBack(self.keys.on_host(model, below), self._quota(below))
            yield from self.late.loading(made, model)

    def _with_key(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        if kind is HostLock:
            return (self.late.host_lock(self._name("h"), self.keys.on_host(model, below)),)
        if kind is Match and self.ledger.prefetches and not below(4):
            return (Match(self._part_of_a_prefix(below)),)
        key = self.keys.derived(model, below)
        if kind is Lock:
            return (self.late.lock(self._name("r"), key),)
        return (self.late.match(key, model),)

    def _part_of_a_prefix(self, below: Below) -> Key:
        """Of what a prefetch goes on from, which a match of it may split."""
        begun = list(self.ledger.prefetches.values())
        one = begun[below(len(begun))]
        pages = below(one.start // self.config.page_size + 1)
        return self.ledger.prefix(one.key, pages * self.config.page_size)

    def _fetch(self, model: Cache, below: Below) -> Iterable[Operation]:
        """What storage has comes to the host, at once, or while other operations go on."""
        if not self.prefetches or not below(3):
            return (HostInsert(self.keys.to_fetch(model, below)),)
        begun = list(self.ledger.prefetches.items())
        if len(begun) == MOST_PREFETCHES or (begun and below(2)):
            name, one = begun[below(len(begun))]
            pages = len(one.slots[Pool.FULL_HOST]) // self.config.page_size
            came = None if below(3) else below(pages) * self.config.page_size
            return (EndPrefetch(name, came),)
        name, key = self._name("f"), self.keys.derived(model, below)
        if not self.scope.carries_prefetches or below(4):
            return (Prefetch(name, key),)
        return (Prefetch(name, key, below(3) * self.config.page_size),)

    def _with_receipt(
        self, kind: type[Operation], model: Cache, below: Below
    ) -> Iterable[Operation]:
        ready = self._to_give_back(kind)
        return (ready[below(len(ready))],) if ready else ()

    def _to_give_back(self, kind: type[Operation]) -> list[Operation]:
        """What can be given back now: a whole receipt, or its window."""
        make = Unlock if kind is Unlock else ReleaseWindow
        every = [make(name) for name in self.ledger.receipts]
        return [one for one in every if premise(one, self.ledger, self.config, self.scope) is None]

    def _going_on(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        """A request continues its prompt, generates, or ends."""
        names = list(self.ledger.requests)
        if not names:
            return ()
        name = names[below(len(names))]
        if kind in (Prefill, Decode) and below(4):
            kind = Prefill if self._prompt_is_left(name) else Decode
        return self._continuing(kind, name, model, below)

    def _continuing(
        self, kind: type[Operation], name: str, model: Cache, below: Below
    ) -> Iterator[Operation]:
        """A request goes on, or ends; and what happens while a step of it is in flight."""
        made = self._continued(kind, name, below)
        if not getattr(made, "launched", False):
            yield made
            return
        chance = below(6)
        loads = chance < 2
        if loads and not loadable(model):
            yield from self._demote(model, below)
        yield made
        if chance == 0:
            yield Abort(name)
        elif isinstance(made, Decode) and chance < 3:
            yield self._continued(Finish, name, below)
        if loads:
            yield LoadBack(self.keys.on_host(model, below))
            yield from (RunCopies(2, load=True), RunForward())
        elif chance < 4:
            yield from (WritingCheck(), RunCopies(2))

    def _continued(self, kind: type[Operation], name: str, below: Below) -> Operation:
        size = self.config.page_size
        if kind is Prefill:
            pages = (1, 1, 2, 3, 8)[below(5)]
            tokens = pages * size - (0 if below(4) else below(size))
            return Prefill(name, tokens, self.in_flight.launched(Prefill))
        if kind is Decode:
            bits, length = below(256), 1 + below(2 * size)
            generated = tuple(1 + (bits >> at & 1) for at in range(length))
            return Decode(name, generated, self.in_flight.launched(Decode))
        if kind is Finish:
            beyond = past_stop(self.config, name) if self.scope.ends_at_stops else 0
            return Finish(name, prompt_only(self.config, name), beyond)
        return Abort(name)

    def _at_work(self, kind: type[Operation]) -> list[str]:
        """Requests that can prefill, or decode."""
        return [
            name
            for name in self.ledger.requests
            if bool(self.ledger.left_of(name)) == (kind is Prefill)
        ]

    def _prompt_is_left(self, name: str) -> bool:
        """Whether pages of a request's prompt are not in the tree yet, as far as its lock tells."""
        if name not in self.asked:
            return False
        paged = self.config.floor(len(self.ledger.units(self.asked[name])))
        return self.ledger.requests[name].protected < paged

    def _plain(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        if kind is EvictHost:
            components = [
                component
                for component in self.config.components
                if model.trie.host_only[component] or not below(4)
            ]
            component = (components or self.config.components)[
                below(len(components or self.config.components))
            ]
            return (EvictHost(self._amount(HOST[component], below), component),)
        if kind is RunCopies:
            load, rank = bool(below(2)), below(self.config.ranks)
            load = load if model.copies.queued[load, rank] else not load
            count, fail = 1 + below(3) // 2, self.scope.failing_copies and not below(4)
            run = RunCopies(count, load, fail, rank)
            return (run, RunForward()) if self.in_flight.runs() else (run,)
        if kind is RunForward:
            return (RunForward(),)
        if kind is Refuse:
            return (Refuse(self.config.pools[below(len(self.config.pools))]),)
        return (WritingCheck(below(5) < 2) if kind is WritingCheck else LoadingCheck(below(5) < 2),)

    def _insert(self, model: Cache, below: Below) -> Iterator[Operation]:
        """An insert, mostly after the eviction that makes room, as an engine would, sometimes with
        its match locked meanwhile.
        """
        yield from self._inserting(self.keys.derived(model, below), model, below)

    def _splitting(self, key: Key, model: Cache, below: Below) -> Iterator[Operation]:
        """A match or an insert that leaves the tree where ``key`` ends, inside a node."""
        tail = tuple(1 + below(2) for _ in range(self.config.page_size * below(3)))
        key = replace(key, tokens=key.tokens + tail)
        if below(2):
            yield Match(key)
        else:
            yield from self._inserting(key, model, below)

    def _inserting(self, key: Key, model: Cache, below: Below) -> Iterator[Operation]:
        evicted = 0
        if self.config.window is not None:
            key = self._within_swa(key, model)
            evicted = self._boundary(key, self.config.window, model, below)
        fits = len(key.tokens) <= self.config.slots(Pool.SWA) or self.config.window is None
        reuse, state = below(5) < 3 or not fits, self._brings_state(below)
        made = Insert(
            key,
            evicted,
            reuse,
            state,
            below(3) - 1 if self.config.eviction_policy is EvictionPolicy.PRIORITY else 0,
        )
        make_room = missing_room(key, model, reuse, state)
        self.keys.prompts.remember(key)
        if make_room is None or not below(5):
            yield made
            return
        yield from self._relief(make_room, model, below)
        if not reuse or below(2):
            yield from (make_room, made)
        else:
            name = self._name("r")
            if self.late.in_turn(Insert, every=2):
                match = self.late.kept(key)
                yield from (match, make_room, Lock(name, NO_PROMPT, match.kept))
            else:
                yield from (Lock(name, key), make_room)
            yield from (made, Unlock(name))

    def _brings_state(self, below: Below) -> bool:
        """Whether an insert brings a state; where none can do without, all do."""
        return self.config.mamba_states > 0 and (below(4) < 3 or not self.scope.stateless_inserts)

    def _boundary(self, key: Key, window: int, model: Cache, below: Below) -> int:
        """Where the SWA of an insert begins: at the start, one window before its end,
        or at any page.
        """
        length, choice = len(model.trie.units(key)), below(4)
        if choice < 2:
            return 0
        if choice == 2:
            return self.config.floor(max(0, length - max(window, self.config.page_size)))
        ends = list(range(0, length + 1, self.config.page_size))
        ends += 2 * [page.end for page in model.trie.walk(key) if page.host_only]
        return ends[below(len(ends))]

    def _within_swa(self, key: Key, model: Cache) -> Key:
        """No more of a prompt than the SWA pool has room for beyond what is matched: an engine
        computes it in chunks.
        """
        served = preview_match(model, key).device.end
        longest = served + self.config.slots(Pool.SWA) + self.config.bigram
        return Key(key.tokens[:longest], key.namespace)

    def _arrive(self, model: Cache, below: Below) -> Iterator[Operation]:
        if len(self.ledger.requests) < MOST_REQUESTS:
            states = list(model.trie.recency_in[Pool.MAMBA])
            name = self._name("q")
            key = (
                states[below(len(states))].key()
                if states and below(2)
                else self.keys.on_host(model, below)
            )
            self.keys.prompts.remember(key)
            self.asked[name] = key
            yield Arrive(name, key, self._quota(below))

    def _reset(self, model: Cache, below: Below) -> Iterator[Operation]:
        waits = below(4)
        if waits:
            yield from [Abort(name) for name in self.ledger.requests]
            yield from settling(self.ledger, model, copies=waits > 2)
        flying = [copy.load for copy in model.copies.flying]
        yield Reset()
        if flying:
            yield from self._over_what_flew(flying[below(len(flying))], below)

    def _over_what_flew(self, load: bool, below: Below) -> Iterator[Operation]:
        """A prompt that takes all slots, those of copies that a reset has forgotten among them; and
        the engine's next.
        """
        pools = [pool for pool in (DEVICE if load else HOST)[:2] if pool in self.config.pools]
        fits = min(map(self.config.slots, pools)) + self.config.bigram
        key = Key((1 + below(2),) * fits)
        if load or HostInsert not in self.kinds:
            yield Insert(key, state=self._brings_state(below))
        else:
            yield HostInsert(key)
        yield RunCopies(1, load, rank=below(self.config.ranks))

    def _relief(self, make_room: Evict, model: Cache, below: Below) -> Iterator[Operation]:
        """Where everything in a pool is locked, evicting is in vain: wait for copies, or give
        something back.
        """
        asked = zip(DEVICE, (make_room.full, make_room.swa, make_room.mamba), strict=True)
        if not any(
            count and all(page.locked_in(pool) for page in model.trie.recency_in[pool])
            for pool, count in asked
        ):
            return
        names = [*self.ledger.receipts, *self.ledger.requests]
        flying = {copy.load for copy in model.copies.flying}
        if flying and (below(2) or not names):
            yield from [
                check(blocking=True)
                for load, check in ((False, WritingCheck), (True, LoadingCheck))
                if load in flying
            ]
        elif names:
            name = names[below(len(names))]
            yield Unlock(name) if name in self.ledger.receipts else Finish(name)

    def _demote(self, model: Cache, below: Below) -> Iterator[Operation]:
        """Evict what is backed up, all of it or a little, so that it is on the host only."""
        if any(not copy.load for copy in model.copies.flying):
            yield WritingCheck(blocking=True)
        if any(model.trie.recency_in[Pool.FULL]):
            yield Evict(
                self.config.slots(Pool.FULL) if below(2) else self._amount(Pool.FULL, below)
            )

    def _evicting(self, model: Cache, below: Below) -> Iterator[Operation]:
        """An eviction; where a leaf without a host copy hangs above host data, often one for which
        the host refuses that copy.
        """
        refusable = self.config.write_back and Refuse in self.kinds
        leaves = model.trie.recency_in[Pool.FULL]
        if refusable and any(map(_is_above_host_data, leaves)) and below(2):
            yield Refuse(Pool.FULL_HOST)
        yield self._evict(below)

    # -- amounts -------------------------------------------------------------------------------

    def _evict(self, below: Below) -> Evict:
        windowed, states = self.config.window is not None, self.config.mamba_states
        full = self._amount(Pool.FULL, below) if below(3) or not (windowed or states) else 0
        swa = (
            self._amount(Pool.SWA, below)
            if windowed and (not below(3) or (not full and below(3)))
            else 0
        )
        mamba = (1, 1, 2, states)[below(4)] if states and (not below(3) or not (full or swa)) else 0
        return Evict(full, swa, mamba)

    def _amount(self, pool: Pool, below: Below) -> int:
        unit = self.config.unit(pool)
        slots = (1, 1, 1, 2, 2, 3, self.config.pages(pool))[below(7)] * unit
        return slots - (0 if below(5) else below(unit))

    def _quota(self, below: Below) -> int | None:
        """None, or some pages; every fourth is a token less: nothing, or no whole pages."""
        if below(3):
            return None
        self.quotas += 1
        return (1 + below(4)) * self.config.page_size - (self.quotas % 4 == 0)


def _is_above_host_data(page: Page) -> bool:
    return bool(page.children) and is_device_leaf(page) and not page.has(Pool.FULL_HOST)


class Generator:
    """Random operations of one history, guided by its judge."""

    def __init__(self, judge: Judge, rng: Random, scope: Scope = EVERYTHING) -> None:
        self.judge = judge
        self.rng = rng
        self.shaper = Shaper(judge.ledger, scope)
        self.weights = [MIX[kind] for kind in self.shaper.kinds]

    def operations(self, count: int) -> Iterator[Operation]:
        """Around ``count`` operations; the judge's model is looked up anew between them, since a
        reset replaces it.
        """
        made = tries = 0
        while made < count and tries < 4 * count:
            tries += 1
            (kind,) = self.rng.choices(self.shaper.kinds, self.weights)
            for operation in self.shaper.operations(kind, self.judge.model, self.rng.randrange):
                made += 1
                yield operation
