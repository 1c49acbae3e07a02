"""Operations, one after another, made from choices with a view of ledger and model, so that they
name what exists and ask for what matters.

What an operation needs is decided by `radixproof.impl.premises`; here is only what makes it worth
trying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random

from radixproof.impl.operations import (
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
from radixproof.model.config import DEVICE, HOST, Pool
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.properties.generating.configs import EVERYTHING
from radixproof.properties.generating.endings import settling
from radixproof.properties.generating.evictions import Evictions
from radixproof.properties.generating.inserts import Inserts, missing_room
from radixproof.properties.generating.keys import Below, loadable
from radixproof.properties.generating.making import Making
from radixproof.properties.generating.preview import preview_match
from radixproof.properties.generating.requests import Requests
from radixproof.properties.generating.wide import in_parts
from radixproof.properties.judging.judge import Judge
from radixproof.properties.performing.ledger import Ledger
from radixproof.properties.performing.prefetches import needed

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
    HostInsert: 1,
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

FAILURES = 4
"""How often the same copies fail in a row, where they do so more than once."""
MOST_PREFETCHES = 3
"""The most prefetches that have begun at a time."""


class Shaper:
    """Makes the operations of one history."""

    def __init__(self, ledger: Ledger, scope: Scope = EVERYTHING) -> None:
        self.ledger = ledger
        self.scope = scope
        self.config = config = ledger.config
        self.making = Making(ledger, scope)
        self.keys, self.late = self.making.keys, self.making.late
        self.evictions, self.inserts = Evictions(self.making), Inserts(self.making)
        self.requests = Requests(self.making, self.evictions)
        self.kinds = [kind for kind in MIX if unavailable(kind, config, scope) is None]
        self.prefetches = unavailable(Prefetch, config, scope) is None and in_parts(config)
        self.left: Iterator[Operation] = iter(())
        """What is to follow on the operation of the last rule."""
        self.make: dict[type[Operation], Callable[[Cache, Below], Iterable[Operation]]] = {
            Insert: self.inserts.inserting,
            LoadBack: self._load_back,
            Arrive: self.requests.arriving,
            Evict: self.evictions.evicting,
            Reset: self._reset,
            RunCopies: self._copying,
            **dict.fromkeys((HostInsert, Prefetch, EndPrefetch), self._fetch),
            **{kind: partial(self._with_key, kind) for kind in (Match, Lock, HostLock)},
            **{kind: partial(self._with_receipt, kind) for kind in (Unlock, ReleaseWindow)},
            **{
                kind: partial(self.requests.going_on, kind)
                for kind in (Prefill, Decode, Finish, Abort)
            },
            **{
                kind: partial(self._plain, kind)
                for kind in (EvictHost, RunForward, Refuse, WritingCheck, LoadingCheck)
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
            return bool(self.requests.at_work(kind))
        return kind is not Arrive or self.requests.may_arrive

    def by_rule(self, name: str, model: Cache, below: Below) -> Iterator[Operation]:
        """What an engine does beforehand, and the operation of a rule."""
        kind = RULES[name][0]
        if name == "split":
            inside = [page for page in model.trie.recency if not page.cut]
            key = inside[below(len(inside))].key()
            self.left = self.inserts.splitting(key, model, below)
        else:
            self.left = iter(self._with_more(kind, model, below))
        while (operation := next(self.left, None)) is not None:  # open, if this one is closed here
            yield operation
        if kind is LoadBack:
            yield LoadBack(self.keys.on_host(model, below), self.making.quota(below))

    def _with_more(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        """The operation of a rule, in whatever others go before it and follow on it."""
        if kind not in (Prefill, Decode):
            return self.make[kind](model, below)
        names = self.requests.at_work(kind)
        return self.requests.continuing(kind, names[below(len(names))], model, below)

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

    # -- one kind at a time --------------------------------------------------------------------

    def _load_back(self, model: Cache, below: Below) -> Iterator[Operation]:
        """A load-back; if there is nothing to load, what is backed up is evicted first."""
        ready = bool(loadable(model))
        if not ready and below(4):
            yield from self.evictions.demoting(model, below)
            ready = bool(loadable(model))
        if ready or not below(8):
            made = LoadBack(self.keys.on_host(model, below), self.making.quota(below))
            yield from self.late.loading(made, model)
            room = self.config.threshold == 1 and self.config.mamba_host_states > 1
            if room and self.making.in_turn("states in a row", every=3):
                yield from self._states_in_a_row(model, below)

    def _states_in_a_row(self, model: Cache, below: Below) -> Iterator[Operation]:
        """A prompt that is loaded back has two states, of which one is brought, and then, by a
        load-back of its own, the other; a request begins there.
        """
        size = self.config.page_size
        whole = Key(tuple(1 + below(2) for _ in range(2 * size)))
        part = self.ledger.prefix(whole, size)
        for key in (part, whole):
            make_room = missing_room(key, model, reuse=True, state=True)
            if make_room is not None:
                yield make_room
            yield Insert(key, reuse=True, state=True)
        if any(copy.load for copy in model.copies.flying):
            yield LoadingCheck(blocking=True)
        yield from (WritingCheck(blocking=True), Evict(self.config.slots(Pool.FULL)))
        yield from (LoadBack(whole), RunCopies(1, load=True), LoadBack(part))
        if self.requests.may_arrive:
            yield Arrive(self.making.name("q"), part)

    def _with_key(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        if kind is HostLock:
            return (self.late.host_lock(self.making.name("h"), self.keys.on_host(model, below)),)
        if kind is Match and self.ledger.prefetches and not below(4):
            return (Match(self._part_of_a_prefix(below)),)
        key = self.keys.derived(model, below)
        if kind is Lock:
            return (self.late.lock(self.making.name("r"), key),)
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
            return self._fetch_at_once(self.keys.to_fetch(model, below), model, below)
        begun = list(self.ledger.prefetches.items())
        if len(begun) == MOST_PREFETCHES or (begun and below(2)):
            name, one = begun[below(len(begun))]
            pages = len(one.slots[Pool.FULL_HOST]) // self.config.page_size
            came = None if below(3) else below(pages) * self.config.page_size
            return (EndPrefetch(name, came),)
        name, key = self.making.name("f"), self.keys.to_fetch(model, below)
        if not self.scope.carries_prefetches or below(4):
            return (Prefetch(name, key),)
        return (Prefetch(name, key, below(3) * self.config.page_size),)

    def _fetch_at_once(self, key: Key, model: Cache, below: Below) -> Iterator[Operation]:
        """Half of the time room is made for it, as an engine would."""
        if below(2):
            start, end = preview_match(model, key).best.end, len(model.trie.units(key))
            for pool, count in needed(self.config, start, end):
                if short := max(0, count - model.trie.free(pool)):
                    yield EvictHost(short, pool.component)
        yield HostInsert(key)

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

    def _plain(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        if kind is EvictHost:
            return (self.evictions.on_host(model, below),)
        if kind is RunForward:
            return (RunForward(),)
        if kind is Refuse:
            return (Refuse(self.config.pools[below(len(self.config.pools))]),)
        return (WritingCheck(below(5) < 2) if kind is WritingCheck else LoadingCheck(below(5) < 2),)

    def _copying(self, model: Cache, below: Below) -> Iterable[Operation]:
        """Copies of one direction run on one rank; then the forward pass in flight, if it is to."""
        load, rank = bool(below(2)), below(self.config.ranks)
        load = load if model.copies.queued[load, rank] else not load
        queued, ranks = len(model.copies.queued[load, rank]), self.config.ranks
        if ranks > 1 and self.making.in_turn("one rank ahead", every=5):
            return self._ahead(load, rank, below)
        if queued > 1 and self.scope.failing_copies:
            ahead = below(3) if ranks > 1 else self.making.in_turn("a failure ahead", every=5)
            if ahead:
                return self._behind_a_failure(load, rank, below)
        if queued and self.scope.failing_copies and self.making.in_turn("all fail", every=4):
            return self._fail_together(load, rank, queued)
        count, fail = 1 + below(3) // 2, self.scope.failing_copies and not below(4)
        if queued > 2 and self.making.in_turn("all of them", every=3):
            count = queued
        run = RunCopies(count, load, fail, rank)
        return (run, RunForward()) if self.making.in_flight.runs() else (run,)

    def _behind_a_failure(self, load: bool, rank: int, below: Below) -> Iterator[Operation]:
        """One rank has a copy done behind one that failed, and the others have both done."""
        yield RunCopies(1, load, True, rank)
        for one in range(self.config.ranks):
            yield RunCopies(1 if one == rank else 2, load, rank=one)
        yield from self._polled(load, below)

    def _ahead(self, load: bool, rank: int, below: Below) -> Iterator[Operation]:
        """One rank has its copy done, and the others have not."""
        yield RunCopies(1, load, rank=rank)
        yield from self._polled(load, below)

    def _polled(self, load: bool, below: Below) -> Iterator[Operation]:
        """Copies are seen to be done, of which none can be acknowledged; then the host is short."""
        yield LoadingCheck() if load else WritingCheck()
        if self.config.hosted:
            component = self.config.components[below(len(self.config.components))]
            yield EvictHost(self.making.amount(HOST[component], below), component)

    def _fail_together(self, load: bool, rank: int, queued: int) -> Iterator[Operation]:
        """All copies fail, and are made again, in the same order; every other time more often than
        an engine may have the patience for.
        """
        times = 1 if self.making.in_turn("all fail once", every=2) else FAILURES
        for _ in range(times):
            yield RunCopies(queued, load, True, rank)
            yield LoadingCheck() if load else WritingCheck()
        yield RunCopies(queued, load, rank=rank)

    def _reset(self, model: Cache, below: Below) -> Iterator[Operation]:
        waits = below(4)
        if waits:
            yield from [Abort(name) for name in self.ledger.requests]
            yield from settling(self.ledger, model, copies=waits > 2)
        flying = [copy.load for copy in model.copies.flying]
        load = bool(flying) and flying[below(len(flying))]
        fails = self.making.fails("a reset", every=2)
        if flying and fails:
            yield RunCopies(1, load, True, below(self.config.ranks))
        yield Reset()
        if flying:
            yield from self._over_what_flew(load, fails, below)

    def _over_what_flew(self, load: bool, failed: bool, below: Below) -> Iterator[Operation]:
        """A prompt that takes all slots, those of copies that a reset has forgotten among them; and
        the engine's next. One that has failed would be made again with a backup.
        """
        pools = [pool for pool in (DEVICE if load else HOST)[:2] if pool in self.config.pools]
        fits = min(map(self.config.slots, pools)) + self.config.bigram
        key = Key((1 + below(2),) * fits)
        if load or HostInsert not in self.kinds:
            yield Insert(key, state=self.making.brings_state(below))
        else:
            yield HostInsert(key)
        rank = below(self.config.ranks)
        yield RunCopies(1, load, rank=rank)
        if not load and failed:
            page = Key((3 - key.tokens[0],) * (self.config.page_size + self.config.bigram))
            yield Insert(page, state=self.making.brings_state(below))
            yield from (WritingCheck(), RunCopies(2, rank=rank))


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
