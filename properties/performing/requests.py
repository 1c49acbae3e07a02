"""Requests: what a scheduler does around the tree, played step by step (semantics 11).

A request owns slots that no node has: its *row*. The ledger of rows is kept here, because no snapshot of a tree shows it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
)
from radixproof.impl.system import Complete
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key, Units
from radixproof.properties.judging.judge import Judge
from radixproof.properties.performing.outcomes import (
    Done,
    Freed,
    Inserted,
    Locked,
    Matched,
    Skipped,
)
from radixproof.properties.performing.step import Adopt, CopyState, Step


@dataclass(slots=True)
class Request:
    """One request alive. Lengths are in units of its key; the row has whole pages."""

    name: str
    key: Key
    receipt: str
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
    released: bool = False
    """The window part of its receipt was given back."""
    locks: int = 0


@dataclass(slots=True)
class Requests:
    """All requests alive on one system, and the receipts of everybody."""

    system: Complete
    judge: Judge
    config: Config
    offers: frozenset[type]
    """Operations that the system can be put to."""
    receipts: dict[str, Any]
    alive: dict[str, Request] = field(default_factory=dict)

    def perform(self, operation: Requested) -> Iterator[Step]:
        """The steps of one operation of a request, each performed when the one before has been judged."""
        if isinstance(operation, Arrive):
            yield from self._arrive(operation)
            return
        request = self.alive.get(operation.request)
        if request is None:
            yield Step(operation, Skipped(f"there is no request {operation.request}"))
        elif isinstance(operation, Prefill):
            yield from self._prefill(request, operation)
        elif isinstance(operation, Decode):
            yield from self._decode(request, operation)
        else:
            yield from self._end(request, operation)

    def load_back(self, operation: LoadBack) -> Step:
        found = self.system.match(operation.key)
        return Step(operation, Done(self.system.load_back(found.best_anchor, operation.quota)))

    # -- the life of a request -------------------------------------------------------------------------------------------------

    def _arrive(self, operation: Arrive) -> Iterator[Step]:
        name, key = operation.request, operation.key
        if name in self.alive:
            yield Step(operation, Skipped(f"{name} is running"))
            return
        if self.config.hosted and LoadBack in self.offers:
            yield self.load_back(LoadBack(key, operation.quota))
        state = None
        if Component.MAMBA in self.config.components:
            state = yield from self._first_state(key)
        found = self.system.match(key)
        receipt, reached = f"{name}'s lock", found.device
        self.receipts[receipt] = self.system.lock(found.anchor)
        self.alive[name] = Request(
            name, key, receipt, list(found.slots), [0] * reached, reached, reached, reached, state
        )
        yield Step(Lock(receipt, key), Locked(reached), found.slots)
        self._share(self.alive[name])

    def _first_state(self, key: Key) -> Generator[Step, None, int | None]:
        """A request begins with a copy of the state that it matches, or with an empty one."""
        found = self.system.match(key)
        if found.device:
            slot = self.system.copy_state(found.anchor)
            copied = () if slot is None else (slot,)
            yield Step(CopyState(key), Done(len(copied)), copied)
            return slot
        yield Step(Match(key), Matched(found.device, found.best, found.host), found.slots)
        slot = yield from self._new_state()
        if slot is not None:
            self.judge.abstraction.take(Pool.MAMBA, [slot])
        return slot

    def _prefill(self, request: Request, operation: Prefill) -> Iterator[Step]:
        length = min(request.computed + operation.tokens, len(self.units(request.key)))
        if length == request.computed:
            yield Step(operation, Skipped("its prompt is computed"))
            return
        if not (yield from self._compute(request, length, operation)):
            return
        self._slide(request)
        paged = self.config.floor(length)
        if paged > request.protected:
            state = (yield from self._new_state()) if request.state is not None else None
            if state is not None:
                self.system.write_state(state, self._tags(request.key)[paged - 1])
            yield from self._insert_and_adopt(request, paged, state)

    def _decode(self, request: Request, operation: Decode) -> Iterator[Step]:
        if request.computed < len(self.units(request.key)):
            yield Step(operation, Skipped("its prompt is not computed yet"))
            return
        longer = replace(request.key, tokens=request.key.tokens + operation.tokens)
        before, request.key = request.key, longer
        if not (yield from self._compute(request, len(self.units(longer)), operation)):
            request.key = before
            return
        self._slide(request)
        left = (
            self.config.window is not None
            and request.computed - self.config.window >= request.protected > 0
        )
        if left and not request.released and ReleaseWindow in self.offers:
            self.system.release_window(self.receipts[request.receipt])
            request.released = True
            yield Step(ReleaseWindow(request.receipt), Done())

    def _end(self, request: Request, operation: Finish | Abort) -> Iterator[Step]:
        paged = (
            request.protected
            if isinstance(operation, Abort)
            else self.config.floor(request.computed)
        )
        state, request.state = request.state, None
        if state is not None:
            self.judge.abstraction.give(Pool.MAMBA, [state])
        if isinstance(operation, Finish) and paged:
            yield self._insert(request, paged, state)[0]
        elif state is not None:
            self.system.free_state(state)
        if request.row[paged:]:
            self._give(request, paged, len(request.row))
            self.system.free(request.row[paged:])
        del self.alive[request.name]
        self.judge.shared_rows.pop(request.name, None)
        self.system.unlock(self.receipts.pop(request.receipt))
        yield Step(Unlock(request.receipt), Done())

    # -- parts of them ---------------------------------------------------------------------------------------------------------

    def _compute(
        self, request: Request, length: int, operation: Prefill | Decode
    ) -> Generator[Step, None, bool]:
        """Let a request own slots for ``length`` units, making room if need be, and fill them. Returns whether it could."""
        need = self.config.floor(length + self.config.page_size - 1) - len(request.row)
        if need > 0:
            yield from self._make_room(need, 0)
            new = self.system.allocate(need)
            if new is None:
                yield Step(
                    operation, Skipped("the device pools have no room"), refused=self.joint(need)
                )
                return False
            request.row += new
            request.peers += (
                self.system.swa_of(new) if self.config.window is not None else [0] * need
            )
            self._take(request, len(request.row) - need)
        begin, request.computed = request.computed, length
        self.system.write(request.row[begin:length], self._tags(request.key)[begin:length])
        paged = self.config.floor(length)
        if request.state is not None and paged:
            self.system.write_state(request.state, self._tags(request.key)[paged - 1])
        yield Step(operation, Done(length - begin))
        return True

    def _slide(self, request: Request) -> None:
        """Free the SWA state that the request's window has left, as long as it is the request's (semantics 11.4).

        Counted from where an insert would end now, so that what is inserted ends in a whole window.
        """
        if self.config.window is None:
            return
        reached, window = (
            self.config.floor(request.computed),
            max(self.config.window, self.config.page_size),
        )
        left = self.config.floor(max(0, reached - window))
        if left > request.evicted:
            self._give_peers(request, request.evicted, left)
            self.system.free_swa(request.row[request.evicted : left])
            request.evicted = left

    def _insert_and_adopt(self, request: Request, paged: int, state: int | None) -> Iterator[Step]:
        """An unfinished request inserts what it has and goes on with the tree's slots, under a new lock (semantics 11.2)."""
        step, anchor = self._insert(request, paged, state)
        yield step
        request.locks += 1
        old, request.receipt = request.receipt, f"{request.name}'s lock {request.locks}"
        prefix = self._prefix(request, paged)
        if anchor is None:
            found = self.system.match(prefix)
            reached, slots, node = found.device, found.slots, found.anchor
            act: Lock | Adopt = Lock(request.receipt, prefix)
        else:
            reached, slots, node = paged, self.system.path_slots(anchor), anchor
            act = Adopt(request.receipt, prefix)
        self.receipts[request.receipt] = self.system.lock(node)
        request.row[:reached], request.protected, request.released = slots, reached, False
        request.evicted = max(request.evicted, reached)
        yield Step(act, Locked(reached), slots)
        self._share(request)
        self.system.unlock(self.receipts.pop(old))
        yield Step(Unlock(old), Done())

    def _insert(self, request: Request, paged: int, state: int | None) -> tuple[Step, Any]:
        """Hand over the row and a state down to ``paged``; returns the step, and the node that the insert ended on."""
        key, protected, evicted = (
            self._prefix(request, paged),
            request.protected,
            min(paged, request.evicted),
        )
        inserted = self.system.insert(key, request.row[:paged], protected, evicted, state)
        self._give(request, protected, paged)
        if state is not None and not inserted.taken:
            self.system.free_state(state)
        outcome = Inserted(inserted.reused, protected, inserted.taken)
        return Step(
            Insert(key, evicted, state=state is not None), outcome, protected=protected
        ), inserted.anchor

    def _new_state(self) -> Generator[Step, None, int | None]:
        """A MAMBA slot, for which a state is evicted if there is none free. Returns the slot, or None."""
        yield from self._make_room(0, 1)
        slot = self.system.allocate_state()
        if slot is None:
            yield Step(
                CopyState(Key(())),
                Skipped("there is no room for a state"),
                refused=[(Pool.MAMBA, 1)],
            )
        return slot

    def _make_room(self, tokens: int, states: int) -> Iterator[Step]:
        trie = self.judge.model.trie
        full, swa = (max(0, tokens - trie.free(pool)) for pool in (Pool.FULL, Pool.SWA))
        if self.config.window is None:
            swa = 0
        mamba = max(0, states - trie.free(Pool.MAMBA))
        if full or swa or mamba:
            yield Step(Evict(full, swa, mamba), Freed(*self.system.evict(full, swa, mamba)))

    def joint(self, tokens: int) -> list[tuple[Pool, int]]:
        """What an allocation of ``tokens`` tokens takes on the device."""
        return [(pool, tokens) for pool in (Pool.FULL, Pool.SWA) if pool in self.config.pools]

    # -- the ledger ------------------------------------------------------------------------------------------------------------

    def _take(self, request: Request, start: int) -> None:
        self.judge.abstraction.take(Pool.FULL, request.row[start:])
        pairs = [
            (slot, peer)
            for slot, peer in zip(request.row[start:], request.peers[start:], strict=True)
            if peer
        ]
        self.judge.abstraction.take(Pool.SWA, [peer for _, peer in pairs])
        self.judge.abstraction.row_peers.update(pairs)

    def _give(self, request: Request, start: int, end: int) -> None:
        self.judge.abstraction.give(Pool.FULL, request.row[start:end])
        self._give_peers(request, start, end)

    def _give_peers(self, request: Request, start: int, end: int) -> None:
        self.judge.abstraction.give(Pool.SWA, [peer for peer in request.peers[start:end] if peer])
        for slot in request.row[start:end]:
            self.judge.abstraction.row_peers.pop(slot, None)
        request.peers[start:end] = [0] * (end - start)

    def _share(self, request: Request) -> None:
        """Tell the judge which of the tree's slots a request relies on."""
        path = self.judge.model.trie.walk(self._prefix(request, request.protected))
        if path:
            self.judge.shared_rows[request.name] = path[-1], request.row[: request.protected]

    def units(self, key: Key) -> Units:
        """The key as the tree sees it, with its incomplete page."""
        return self.judge.model.trie.all_units(key)

    def _prefix(self, request: Request, units: int) -> Key:
        tokens = units + 1 if self.config.bigram and units else units
        return replace(request.key, tokens=request.key.tokens[:tokens])

    def _tags(self, key: Key) -> Sequence[int]:
        return self.judge.tags.of(key.namespace, 0, self.judge.model.trie.all_units(key))
