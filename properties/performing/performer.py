"""The performer does the operations of a history on a system, and keeps the ledger.

It knows no model, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from radixproof.impl.operations import (
    EndPrefetch,
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Refuse,
    ReleaseWindow,
    Requested,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.impl.premises import premise
from radixproof.impl.revealing import Ordering
from radixproof.impl.system import Complete, Insertion, Target, Unavailable
from radixproof.model.config import COMPONENTS, Config, Pool
from radixproof.properties.accepting.vetted import accepted
from radixproof.properties.performing import fetched, prefetches
from radixproof.properties.performing.building import built, closed
from radixproof.properties.performing.crash import crash, is_of_the_system
from radixproof.properties.performing.ledger import Ledger, Receipt
from radixproof.properties.performing.outcomes import (
    Done,
    Freed,
    Inserted,
    Locked,
    Skipped,
    matched,
)
from radixproof.properties.performing.ranks import Ranks
from radixproof.properties.performing.requests import REQUESTED, Scheduler
from radixproof.properties.performing.step import Step


class Performer:
    """One system, and the ledger of what was done to it."""

    def __init__(self, target: Target, config: Config) -> None:
        refusal = target.scope.refuses(config)
        if refusal:
            raise Unavailable(f"{target.name} cannot be built with {refusal}")
        self.name = target.name
        self.config = config
        self.scope = target.scope
        self.ledger = Ledger(config)
        systems = [accepted(built(target, config), target, config) for _ in range(config.ranks)]
        self.system: Complete = systems[0] if config.ranks == 1 else Ranks(systems)
        ordered = [one for one in systems if isinstance(one, Ordering)]
        self.scheduler = Scheduler(self.system, self.ledger, config, target.scope, ordered)

    def perform(self, operation: Operation) -> Iterator[Step]:
        """The parts of an operation, each performed when the iterator reaches it.

        An exception of the system is an outcome, and the last one. Raises `Unavailable` for a
        mistake of its adapter.
        """
        reason = premise(operation, self.ledger, self.config, self.scope)
        if reason is not None:
            yield Step(operation, Skipped(reason))
            return
        if self.config.write_back or isinstance(operation, RunCopies | WritingCheck):
            self.ledger.copying()
        try:
            yield from PERFORM[type(operation)](self, operation)
        except Unavailable:
            raise
        except BaseException as error:
            if not is_of_the_system(error):
                raise
            yield Step(operation, crash(error))

    def close(self) -> None:
        closed(self.name, self.system)

    def _of_request(self, operation: Requested) -> Iterator[Step]:
        return REQUESTED[type(operation)](self.scheduler, operation)

    # -- looking up and locking ----------------------------------------------------------------

    def _match(self, operation: Match) -> Iterator[Step]:
        found = self.system.match(operation.key)
        if operation.kept is not None:
            self.ledger.matches.pop(operation.kept, None)  # the youngest is the last
            self.ledger.matches[operation.kept] = found
        yield Step(operation, matched(found), found.slots)

    def _lock(self, operation: Lock) -> Iterator[Step]:
        found = self.scheduler.found(operation)
        handle = self.system.lock(found.anchor)
        self.ledger.receipts[operation.receipt] = Receipt(handle, found.device)
        yield Step(operation, Locked(found.device), found.slots)

    def _host_lock(self, operation: HostLock) -> Iterator[Step]:
        found = self.scheduler.found(operation)
        handle = self.system.lock_host(found.best_anchor)
        if handle is None and operation.kept is not None:
            declined = Skipped("the system does not lock there")
            yield Step(operation, declined, declined=operation.name)
            return
        if handle is None:
            match = Match(operation.key)
            yield Step(match, matched(found), found.slots, declined=operation.name)
            return
        self.ledger.receipts[operation.receipt] = Receipt(handle, found.best, on_host=True)
        yield Step(operation, Locked(found.best))

    def _unlock(self, operation: Unlock) -> Iterator[Step]:
        receipt = self.ledger.receipts.pop(operation.receipt)
        give_back = self.system.unlock_host if receipt.on_host else self.system.unlock
        give_back(receipt.handle)
        yield Step(operation, Done())

    def _release_window(self, operation: ReleaseWindow) -> Iterator[Step]:
        receipt = self.ledger.receipts[operation.receipt]
        self.system.release_window(receipt.handle)
        receipt.released = True
        yield Step(operation, Done())

    # -- inserting -----------------------------------------------------------------------------

    def _insert(self, operation: Insert) -> Iterator[Step]:
        """An insert by a request that ends at once: it owns its slots until the tree takes them."""
        key, size = operation.key, self.config.page_size
        units = len(self.ledger.units(key))
        found = self.system.match(key) if operation.reuse else None
        head = list(found.slots) if found else []
        need = -(-(units - len(head)) // size) * size
        new = self.system.allocate(need) if need else []
        state: int | None = None
        if new is not None and operation.state:
            state = self.system.allocate_state()
        if new is None or (operation.state and state is None):
            wanted: list[tuple[Pool, int]] = [(Pool.MAMBA, 1)]
            if new is None:
                wanted = [(pool, need) for pool in self.ledger.token_pools]
            if new:
                self.system.free(new)
            if found is None:
                skipped = Skipped("the device pools have no room")
                yield Step(operation, skipped, refused=wanted)
            else:
                yield Step(Match(key), matched(found), head, refused=wanted)
            return
        self.ledger.hand_over(*(self.ledger.token_pools if need else ()))
        inserted = self._fill_and_insert(operation, head, new, state)
        yield Step(operation, Inserted(inserted.reused, len(head), inserted.taken), head)

    def _fill_and_insert(
        self, operation: Insert, head: list[int], new: list[int], state: int | None
    ) -> Insertion:
        """Fill the ``new`` slots and the ``state``, hand them over, free what is not taken."""
        system, key = self.system, operation.key
        protected, slots, tags = len(head), head + new, self.ledger.tags_of(key)
        units, paged = len(tags), self.config.floor(len(tags))
        self.scheduler.run_forward()
        self.scheduler.attend(head)
        system.write(slots[protected:units], tags[protected:])
        slid = slots[protected : operation.evicted]
        if slid and self.config.window is not None:
            system.free_swa(slid)
        if state is not None:
            system.write_state(state, tags[paged - 1] if paged else 0)
            self.ledger.hand_over(Pool.MAMBA)
        priority = self.ledger.counted_priority(operation.priority)
        inserted = system.insert(key, slots[:units], protected, operation.evicted, state, priority)
        if slots[paged:]:
            system.free(slots[paged:])
        if state is not None and not inserted.taken:
            system.free_state(state)
        return inserted

    def _host_insert(self, operation: HostInsert) -> Iterator[Step]:
        locks = self.scope.has(HostLock)
        return prefetches.at_once(self.system, self.ledger, self.config, operation, locks)

    def _prefetch(self, operation: Prefetch) -> Iterator[Step]:
        begin = fetched.begin if self.scope.carries_prefetches else prefetches.begin
        return begin(self.system, self.ledger, self.config, operation)

    def _end_prefetch(self, operation: EndPrefetch) -> Iterator[Step]:
        end = fetched.end if self.scope.carries_prefetches else prefetches.end
        return end(self.system, self.ledger, self.config, operation)

    # -- tiers ---------------------------------------------------------------------------------

    def _load_back(self, operation: LoadBack) -> Iterator[Step]:
        yield self.scheduler.load_back(operation)

    def _evict(self, operation: Evict) -> Iterator[Step]:
        asked = (operation.full, operation.swa, operation.mamba)
        present = self.config.components
        full, swa, mamba = (
            count if component in present else 0
            for component, count in zip(COMPONENTS, asked, strict=True)
        )
        freed = self.system.evict(full, swa, mamba)
        yield Step(operation, Freed(*freed))

    def _evict_host(self, operation: EvictHost) -> Iterator[Step]:
        yield Step(operation, Done(self.system.evict_host(operation.tokens, operation.component)))

    def _run_copies(self, operation: RunCopies) -> Iterator[Step]:
        system = self.system
        if isinstance(system, Ranks):
            system = system.systems[operation.rank]
        count = system.run_copies(operation.count, operation.load, operation.fail)
        yield Step(operation, Done(count))

    def _run_forward(self, operation: RunForward) -> Iterator[Step]:
        self.scheduler.run_forward()
        yield Step(operation, Done())

    def _writing_check(self, operation: WritingCheck) -> Iterator[Step]:
        yield Step(operation, Done(self.system.writing_check(operation.blocking)))

    def _loading_check(self, operation: LoadingCheck) -> Iterator[Step]:
        yield Step(operation, Done(self.system.loading_check(operation.blocking)))

    def _refuse(self, operation: Refuse) -> Iterator[Step]:
        self.system.refuse(operation.pool)
        yield Step(operation, Done())

    def _reset(self, operation: Reset) -> Iterator[Step]:
        self.scheduler.run_forward()
        self.ledger.forward = None
        self.ledger.overtaken.clear()
        self.ledger.launched.clear()
        self.system.reset()
        yield Step(operation, Done())


PERFORM: dict[type[Operation], Callable[[Performer, Any], Iterator[Step]]] = {
    Match: Performer._match,
    Insert: Performer._insert,
    HostInsert: Performer._host_insert,
    Prefetch: Performer._prefetch,
    EndPrefetch: Performer._end_prefetch,
    LoadBack: Performer._load_back,
    Evict: Performer._evict,
    EvictHost: Performer._evict_host,
    Lock: Performer._lock,
    HostLock: Performer._host_lock,
    Unlock: Performer._unlock,
    ReleaseWindow: Performer._release_window,
    RunCopies: Performer._run_copies,
    RunForward: Performer._run_forward,
    WritingCheck: Performer._writing_check,
    LoadingCheck: Performer._loading_check,
    Refuse: Performer._refuse,
    Reset: Performer._reset,
    **dict.fromkeys(REQUESTED, Performer._of_request),
}
"""How each kind of operation is performed. Not kept bound in each performer: it would hold itself,
and a system that is done with would wait, with all its memory, for the garbage collector.
"""
