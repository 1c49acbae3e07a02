"""Requests: what a scheduler does around the tree, played step by step (semantics 11).

A request owns slots that no node has: its *row*. Who owns what is in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from radixproof.impl.observation import PerComponent
from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    Evict,
    Finish,
    Insert,
    LoadBack,
    Lock,
    Match,
    Prefill,
    ReleaseWindow,
    Requested,
    Unlock,
    Using,
)
from radixproof.impl.premises import unavailable
from radixproof.impl.revealing import Ordering
from radixproof.impl.scope import Scope
from radixproof.impl.system import AdapterMistake, Complete, Lookup
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing import carried
from radixproof.properties.performing.ledger import Ledger, Request, RequestLock
from radixproof.properties.performing.outcomes import (
    Done,
    Freed,
    Inserted,
    Locked,
    Matched,
    Skipped,
)
from radixproof.properties.performing.step import Adopt, CopyState, Step

NO_ANCHOR = (
    "insert returned no anchor, and no state had come with it: the request cannot go on, since a"
    " match ends at a state. Return the node where the insert ended, or say"
    " Scope(stateless_inserts=False)"
)
"""To whoever writes an adapter (semantics 11.2)."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Plays the requests of one history a step at a time, each once the last has been judged."""

    system: Complete
    ledger: Ledger
    config: Config
    scope: Scope
    ordered: Sequence[Ordering] = ()
    """Ranks that want to know what is computed from what."""

    # -- the life of a request -----------------------------------------------------------------

    def arrive(self, operation: Arrive) -> Iterator[Step]:
        name, key = operation.request, operation.key
        if unavailable(LoadBack, self.config, self.scope) is None:
            yield self.load_back(LoadBack(key, operation.quota))
        state = None
        if Component.MAMBA in self.config.components:
            state = yield from self._first_state(key)
        found = self.system.match(key)
        lock, reached = RequestLock(name), found.device
        row, peers = list(found.slots), [0] * reached
        handle = self.system.lock(found.anchor)
        request = Request(name, key, lock, handle, row, peers, reached, reached, reached, state)
        request.prompt = len(self.ledger.units(key))
        request.priority = self.ledger.counted_priority(operation.priority)
        self.ledger.requests[name] = request
        if self.scope.carries_requests and self._can_insert(state):
            carried.begin(self.system, request)
        yield Step(Lock(lock, key), Locked(reached), found.slots)
        self.ledger.share(request)

    def prefill(self, operation: Prefill) -> Iterator[Step]:
        request = self.ledger.requests[operation.request]
        length = min(request.computed + operation.tokens, len(self.ledger.units(request.key)))
        if not (yield from self._compute(request, length, operation)):
            return
        if request.carried:
            last = length == len(self.ledger.units(request.key))
            yield from carried.carry_on(self.system, self.ledger, self.config, request, last)
            return
        self._slide(request)
        paged = self.config.floor(length)
        if paged > request.protected:
            state = (yield from self._new_state()) if request.state is not None else None
            if state is not None:
                self.system.write_state(state, self.ledger.tags_of(request.key)[paged - 1])
            if self._can_insert(state):
                yield from self._insert_and_adopt(request, paged, state)

    def decode(self, operation: Decode) -> Iterator[Step]:
        request = self.ledger.requests[operation.request]
        longer = replace(request.key, tokens=request.key.tokens + operation.tokens)
        before, request.key = request.key, longer
        if not (yield from self._compute(request, len(self.ledger.units(longer)), operation)):
            request.key = before
            return
        self._slide(request)
        left = (
            self.config.window is not None
            and request.computed - self.config.window >= request.protected > 0
        )
        offered = unavailable(ReleaseWindow, self.config, self.scope) is None
        if left and offered and not request.released:
            self.system.release_window(request.handle)
            request.released = True
            yield Step(ReleaseWindow(request.lock), Done())

    def finish(self, operation: Finish) -> Iterator[Step]:
        request = self.ledger.requests[operation.request]
        if request.carried:
            told = (True, operation.prompt_only, operation.past_stop)
            yield from carried.end(self.system, self.ledger, self.config, request, *told)
            return
        paged = carried.to_keep(self.config, request, operation.prompt_only, operation.past_stop)
        state = request.state if paged == self.config.floor(request.computed) else None
        if not paged or not self._can_insert(state):
            yield from self._leave(request)
            return
        if request.state is not None and state is None:
            self._free_state(request.state)
        request.state = None
        yield self._insert(request, paged, state)[0]
        yield from self._end(request, paged)

    def abort(self, operation: Abort) -> Iterator[Step]:
        request = self.ledger.requests[operation.request]
        if request.carried:
            yield from carried.end(self.system, self.ledger, self.config, request, insert=False)
            return
        yield from self._leave(request)

    def found(self, operation: Using) -> Lookup:
        """What an operation uses: what its match finds, or a match that was kept (3.7)."""
        if operation.kept is not None:
            return self.ledger.matches[operation.kept]
        return self.system.match(operation.key)

    def load_back(self, operation: LoadBack) -> Step:
        found = self.found(operation)
        return Step(operation, Done(self.system.load_back(found.best_anchor, operation.quota)))

    # -- parts of them -------------------------------------------------------------------------

    def _first_state(self, key: Key) -> Generator[Step, None, int | None]:
        """A request begins with a copy of the state that it matches, or with an empty one."""
        found = self.system.match(key)
        if found.device:
            slot = self.system.copy_state(found.anchor)
            copied = () if slot is None else (slot,)
            if copied:
                self.ledger.take(Pool.MAMBA, copied)
            yield Step(CopyState(key), Done(len(copied)), copied)
            return slot
        yield Step(Match(key), Matched(found.device, found.best, found.host), found.slots)
        return (yield from self._new_state())

    def _compute(
        self, request: Request, length: int, operation: Prefill | Decode
    ) -> Generator[Step, None, bool]:
        """Let a request own slots for ``length`` units, making room if need be, and fill them.
        Returns whether that succeeded.
        """
        slots = length + (self.config.bigram and request.carried)  # engines have one a token
        need = self.config.floor(slots + self.config.page_size - 1) - len(request.row)
        refused = yield from self._extend(request, need)
        if refused:
            yield Step(operation, Skipped("the device pools have no room"), refused=refused)
            return False
        if request.carried:
            drafted = self.config.bigram
            self.ledger.computed_row(request, len(request.row) if drafted else slots)
            self.system.compute(request.handle, request.key, request.row, length)
        begin, request.computed = request.computed, length
        tags = self.ledger.tags_of(request.key)
        late = self._launched_from(begin, length, operation)
        self.run_forward()
        self.attend(request.row[:begin])
        self.system.write(request.row[begin:late], tags[begin:late])
        if late < length:
            self.system.launch(request.row[late:length], tags[late:length])
            self.ledger.launch(request, late, length)
        paged = self.config.floor(length)
        if request.state is not None and paged:
            self.system.write_state(request.state, tags[paged - 1])
        if request.tracked:
            for end in self.system.due(request.handle, length):
                yield from carried.track(self.system, self.ledger, request, end, operation)
        yield Step(operation, Done(length - begin))
        return True

    def _launched_from(self, begin: int, length: int, operation: Prefill | Decode) -> int:
        """From where on what a step computes is computed later. A next token is known once its
        forward pass has run: what may be late is a part of a prompt, or the last token.
        """
        if not operation.launched:
            return length
        if isinstance(operation, Decode):
            return length - 1
        left = self.ledger.left_of(operation.request)
        return begin if left else length

    def attend(self, prefix: Sequence[int]) -> None:
        """What is computed next reads the KV of its prefix, on every rank that wants to know."""
        if prefix:
            for system in self.ordered:
                system.attend(prefix)

    def run_forward(self) -> None:
        """Whatever was launched has run."""
        forward = self.ledger.forward
        if forward is not None and forward.in_flight:
            self.system.run_forward()
            forward.in_flight = False

    def _extend(
        self, request: Request, need: int
    ) -> Generator[Step, None, Sequence[tuple[Pool, int]]]:
        """Let a request own so many more slots, and what else its engine has for it; returns the
        allocation that failed, after which it owns no more than before.
        """
        owned = len(request.row)
        if need > 0:
            yield from self._make_room_for(request, need)
            new = self.system.allocate(need)
            if new is None:
                return [(pool, need) for pool in self.ledger.token_pools]
            windowed = self.config.window is not None
            self.ledger.extend_row(
                request, new, self.system.swa_of(new) if windowed else need * [0]
            )
        if request.carried:
            states = yield from carried.admit(self.system, self.ledger, self.config, request)
            if states:
                self._shorten(request, owned)
                return [(Pool.MAMBA, states)]
        return ()

    def _shorten(self, request: Request, owned: int) -> None:
        """A request gives back the slots beyond so many, which it has not used."""
        unused = self.ledger.cut_row(request, owned)
        if unused:
            self.system.free(unused)

    def _slide(self, request: Request) -> None:
        """Free the SWA state that the request's window has left, where it is the request's own
        (semantics 11.4).

        Counted from where an insert would end now, so that what is inserted ends in a whole window.
        """
        if self.config.window is None:
            return
        if request.carried:
            carried.slide(self.system, self.ledger, request)
            return
        reached = self.config.floor(request.computed)
        window = max(self.config.window, self.config.page_size)
        left = self.config.floor(max(0, reached - window))
        if left > request.evicted:
            self.ledger.give_window(request, request.evicted, left)
            self.system.free_swa(request.row[request.evicted : left])
            request.evicted = left

    def _can_insert(self, state: int | None) -> bool:
        """Whether there is a state, or an insert can do without one."""
        stateless = Component.MAMBA not in self.config.components or self.scope.stateless_inserts
        return state is not None or stateless

    def _insert_and_adopt(self, request: Request, paged: int, state: int | None) -> Iterator[Step]:
        """An unfinished request inserts what it has and continues with the tree's slots, under a
        new lock (semantics 11.2).
        """
        step, anchor = self._insert(request, paged, state)
        yield step
        before = request.lock
        lock = RequestLock(request.name, before.number + 1)
        prefix = self.ledger.prefix(request.key, paged)
        act: Lock | Adopt
        if anchor is None and state is None and Component.MAMBA in self.config.components:
            raise AdapterMistake(NO_ANCHOR)
        if anchor is None:
            found = self.system.match(prefix)
            node, reached, slots, act = found.anchor, found.device, found.slots, Lock(lock, prefix)
        else:
            node, reached, slots = anchor, paged, self.system.path_slots(anchor)
            act = Adopt(lock, prefix)
        old = self.ledger.adopt(request, lock, self.system.lock(node), reached, slots)
        yield Step(act, Locked(reached), slots)
        self.ledger.share(request)
        self.system.unlock(old)
        yield Step(Unlock(before), Done())

    def _insert(self, request: Request, paged: int, state: int | None) -> tuple[Step, Any]:
        """Hand over the row and a state down to ``paged``; returns the step, and the node that the
        insert ended on.
        """
        key, protected = self.ledger.prefix(request.key, paged), request.protected
        evicted = min(paged, request.evicted)
        before, request.inserted = request.inserted, paged
        row, priority = request.row[:paged], request.priority
        inserted = self.system.insert(key, row, protected, evicted, state, priority, before)
        self.ledger.give_row(request, protected, paged)
        if state is not None:
            self.ledger.give(Pool.MAMBA, [state])
            if not inserted.taken:
                self.system.free_state(state)
        outcome = Inserted(inserted.reused, protected, inserted.taken)
        insert = Insert(key, evicted, state=state is not None, priority=priority)
        return Step(insert, outcome, protected=protected, inserted=before), inserted.anchor

    def _leave(self, request: Request) -> Iterator[Step]:
        """End a request that inserts nothing more."""
        if request.state is not None:
            self._free_state(request.state)
        yield from self._end(request, request.protected)

    def _end(self, request: Request, kept: int) -> Iterator[Step]:
        """Free what a request has beyond ``kept`` units, and release its lock."""
        if request.row[kept:]:
            self.ledger.give_row(request, kept, len(request.row))
            self.system.free(request.row[kept:])
        self.ledger.end(request)
        self.system.unlock(request.handle)
        yield Step(Unlock(request.lock), Done())

    def _free_state(self, state: int) -> None:
        self.ledger.give(Pool.MAMBA, [state])
        self.system.free_state(state)

    def _new_state(self) -> Generator[Step, None, int | None]:
        """A MAMBA slot, for which a state is evicted if none is free. Returns the slot, or None."""
        yield from self._make_room(0, 1)
        slot = self.system.allocate_state()
        if slot is None:
            skipped = Skipped("there is no room for a state")
            yield Step(CopyState(Key(())), skipped, refused=[(Pool.MAMBA, 1)])
        else:
            self.ledger.take(Pool.MAMBA, [slot])
        return slot

    def _make_room_for(self, request: Request, tokens: int) -> Iterator[Step]:
        """Evict what a request lacks of so many tokens (semantics 11.2)."""
        if not request.carried:
            yield from self._make_room(tokens, 0)
            return
        lacking = partial(self._lacking, tokens, 0)
        yield from carried.make_room(
            self.system, self.ledger, self.config, request, tokens, lacking
        )

    def _make_room(self, tokens: int, states: int) -> Iterator[Step]:
        """Evict what an allocation lacks (semantics 11.2)."""
        full, swa, mamba = self._lacking(tokens, states)
        if full or swa or mamba:
            yield Step(Evict(full, swa, mamba), Freed(*self.system.evict(full, swa, mamba)))

    def _lacking(self, tokens: int, states: int) -> PerComponent:
        """What is not free of so much, as the allocators count (semantics 11.2)."""
        wanted = {Pool.FULL: tokens, Pool.SWA: tokens, Pool.MAMBA: states}
        full, swa, mamba = (
            max(0, count - self.system.available(pool))
            if count and pool in self.config.pools
            else 0
            for pool, count in wanted.items()
        )
        return full, swa, mamba


REQUESTED: dict[type[Requested], Callable[[Scheduler, Any], Iterator[Step]]] = {
    Arrive: Scheduler.arrive,
    Prefill: Scheduler.prefill,
    Decode: Scheduler.decode,
    Finish: Scheduler.finish,
    Abort: Scheduler.abort,
}
"""How each kind of operation on a request is played."""
