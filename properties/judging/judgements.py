"""What the model makes of each operation: one class for each, in one place.

A judgement does to the model what the operation says, as far as the rules settle it, and compares
what came back (`before`). If the system had a choice, it is observed, and the model follows what
was chosen (`after`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Prefetch,
    Refuse,
    ReleaseWindow,
    RunCopies,
    RunForward,
    Unlock,
    Using,
    WritingCheck,
)
from radixproof.model.config import DEVICE, HOST, Pool
from radixproof.model.following import breaches as wording
from radixproof.model.following.choice import Choice
from radixproof.model.following.follower import Follower
from radixproof.model.key import Key
from radixproof.model.specification.backing_up import wait_for_backups, written_back_to
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.copies import Copy, batches
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.inserting import Inserting
from radixproof.model.specification.loading import Loading, host_hits
from radixproof.model.specification.matching import MatchEnds
from radixproof.model.specification.trie import Amounts, Holder, Page
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging import carried_checks, reasons
from radixproof.properties.judging.applicable import shown
from radixproof.properties.judging.step_checks import no_room
from radixproof.properties.performing.outcomes import (
    Done,
    Freed,
    Inserted,
    Locked,
    Matched,
    Outcome,
    Skipped,
)
from radixproof.properties.performing.step import (
    Act,
    Adopt,
    CopyState,
    HandOver,
    ReleaseState,
    Step,
)

BROKEN = {
    Matched: Property.MATCH,
    Inserted: Property.MATCH,
    Locked: Property.MATCH,
    Freed: Property.SIZE,
    Done: Property.PROGRESS,
}
"""Per kind of outcome: the property that is broken if another outcome came back."""

ActT = TypeVar("ActT")


class Followed(Protocol):
    """What a judgement needs of the judge."""

    model: Cache
    follower: Follower

    def holder(self, receipt: str) -> Holder:
        """The holder that operations know under this name."""

    def note_allocations(self) -> None:
        """Tell the model what requests took and gave."""

    @property
    def shows_host_hits(self) -> bool:
        """Whether a match says which part of it is on the host only."""


class Judgement(Generic[ActT]):
    """The judgement of an operation that changes nothing and leaves no choice: it was
    skipped, or is a reset.
    """

    choice = False
    """What the system did has to be seen now: it had a choice (which victims, which backups), or a
    later observation could not distinguish its effect.
    """
    served: Page | None = None
    """The last page that may be served from the device."""
    copied_from: tuple[Page, Page] | None = None
    """What a request matched that takes a copy of a state: on the device, and at best."""
    own: Holder | None = None
    """What the operation locks for itself, while it lasts or until its ack."""
    given_up = False
    """A request was carried so wrongly that all else which is seen follows from it."""
    ran: Sequence[Copy] = ()
    """Copies whose bytes have moved, with this step, on every rank."""
    acked: Sequence[Copy] = ()
    """Backups that were acknowledged, in order."""
    evicts = False
    """It evicts from the device, or may; so it may have waited for backups (semantics 7.8)."""
    waited: Collection[Page] = ()
    """Pages that backups had kept on the device, if the operation waited for these."""

    allocates: Sequence[Pool] = ()
    """Pools from which the system may have allocated by its own choice: a refusal that is pending
    there may have been met, and nowhere else.
    """

    def __init__(self, judge: Followed, step: Step, operation: ActT) -> None:
        self.judge = judge
        self.model = judge.model
        self.step = step
        self.operation = operation

    def before(self) -> list[Breach]:
        """What the rules settle without seeing the system's choices."""
        return []

    def after(self, choice: Choice) -> list[Breach]:
        """What the choices reveal: victims, backups that were started, whether there was room."""
        return []

    @property
    def may_wait(self) -> bool:
        """Whether there are backups that it may have waited for (semantics 7.8)."""
        if not (self.evicts and self.model.config.write_back):
            return False
        return any(not copy.load for copy in self.model.copies.flying)

    def wait(self) -> None:
        """It waited for all backups in flight (semantics 7.8)."""
        flying = [copy for copy in self.model.copies.flying if not copy.load]
        self.ran = [copy for copy in flying if not copy.complete]
        self.waited = {page for copy in flying for page in copy.node[-1].path()}
        self.acked = wait_for_backups(self.model)

    def found(self, operation: Using) -> tuple[Key, MatchEnds]:
        """What an operation uses, and the prompt of it: what its match finds, or one that was kept
        (semantics 3.7).
        """
        if operation.kept is None:
            return operation.key, self.model.match(operation.key)
        device, best, _ = self.model.kept[operation.kept]
        return best.key(), MatchEnds(device, best)

    def why_there(self, key: Key, device: Page, best: Page) -> str:
        """Why a match of a key ends where it does."""
        return reasons.of_match(self.model.trie.walk(key), device, best, self.model.config)

    def expect(self, expected: Outcome, why: Callable[[], str]) -> list[Breach]:
        """A breach if something else came back; ``why`` gives the reason for what was expected."""
        step = self.step
        if step.outcome == expected:
            return []
        text = (
            f"{step.operation}: expected {str(expected) or 'nothing'}, "
            f"got {str(step.outcome) or 'nothing'}; {why()}"
        )
        return [Breach(BROKEN[type(expected)], f"{step.operation.name}-outcome", text)]


def judgement(judge: Followed, step: Step) -> Judgement[Any]:
    """The judgement of a step, by the kind of its operation."""
    if isinstance(step.operation, HostLock) and step.declined:
        return JudgedDecline(judge, step, step.operation)
    if isinstance(step.outcome, Skipped):
        return Judgement(judge, step, step.operation)
    return JUDGEMENTS.get(type(step.operation), Judgement)(judge, step, step.operation)


# -- looking up and inserting ----------------------------------------------------------------------


class JudgedMatch(Judgement[Match]):
    def before(self) -> list[Breach]:
        device, best = ends = self.model.match(self.operation.key)
        if self.operation.kept is not None:
            self.model.keep(self.operation.kept, ends)
        self.served = device
        outcome = self.step.outcome
        hits = outcome.host if isinstance(outcome, Matched) else None
        if self.judge.shows_host_hits:
            shown(hits, "what a match finds on the host only")
            hits = host_hits(best.path(), self.model.config)
        key = self.operation.key
        expected = Matched(device.end, best.end, hits)
        breaches = self.expect(expected, lambda: self.why_there(key, device, best))
        return breaches + _declined(self.step, best)


class JudgedInsert(Judgement[Insert]):
    insert: Inserting

    def before(self) -> list[Breach]:
        model, operation, outcome = self.model, self.operation, self.step.outcome
        known = self.step.protected
        if operation.reuse:
            self.served = model.match(operation.key).device
            known = self.served.end
        protected = outcome.protected if isinstance(outcome, Inserted) else 0
        self.insert = model.insert(
            operation.key,
            protected,
            operation.evicted,
            operation.state,
            operation.priority,
            self.step.inserted,
        )
        self.insert.counted = self.step.carried is None or self.step.carried.counted
        self.choice = self.insert.opens
        self.allocates = HOST
        prefix = self.insert.existing * model.config.page_size
        expected = Inserted(prefix, known, self.insert.taken)
        breaches = carried_checks.of_insert(model.config, self.step, operation)
        self.given_up = any(one.violates is Property.MAP for one in breaches)
        if self.given_up:
            return breaches
        return breaches + self.expect(expected, lambda: reasons.of_insert(expected, outcome))

    def after(self, choice: Choice) -> list[Breach]:
        return self.judge.follower.finish_insert(self.insert, choice)


class JudgedHostInsert(Judgement[HostInsert]):
    choice = True

    def before(self) -> list[Breach]:
        key, start = self.operation.key, self.step.fetched
        length = len(self.model.trie.units(key))
        if start is None:
            start = self.model.match(key).best.end
            if start == length:
                text = f"{key} was fetched, though nothing of it is missing"
                return [Breach(Property.PROGRESS, "fetched-needlessly", text)]
        kept = self.model.host_insert(key, start)
        return self.expect(Done(kept), lambda: reasons.of_host_insert(start, length, kept))


# -- locks -----------------------------------------------------------------------------------------


class JudgedLock(Judgement[Lock]):
    def before(self) -> list[Breach]:
        key, (device, _) = self.found(self.operation)
        self.served = device
        self.model.lock(self.judge.holder(self.operation.receipt), device)
        handed_over = self.model.trie.walk(key) if device.end < self.step.given else ()
        breaches = carried_checks.of_lock(self.step, device.end, handed_over)
        self.given_up = bool(breaches)
        return breaches + self.expect(
            Locked(device.end), lambda: self.why_there(key, device, device)
        )


class JudgedHostLock(Judgement[HostLock]):
    def before(self) -> list[Breach]:
        key, (device, best) = self.found(self.operation)
        self.model.lock_host(self.judge.holder(self.operation.receipt), best)
        return self.expect(Locked(best.end), lambda: self.why_there(key, device, best))


class JudgedDecline(Judgement[HostLock]):
    """A host lock that was not given where a kept match ends."""

    def before(self) -> list[Breach]:
        _, (_, best) = self.found(self.operation)
        return _declined(self.step, best)


def _declined(step: Step, best: Page) -> list[Breach]:
    """A system may decline what begins with a host lock where nothing is backed up (10.2)."""
    if not step.declined or not (best.parent is None or best.has(Pool.FULL_HOST)):
        return []
    here = f"{spell(best.node())}, though it has a host copy" if best.parent else "the root"
    text = f"{step.operation}: {step.declined} was declined at {here}"
    return [Breach(Property.PROGRESS, f"{step.declined}-declined", text)]


class JudgedAdopt(Judgement[Adopt]):
    def before(self) -> list[Breach]:
        key = self.operation.key
        path = self.model.trie.walk(key)
        self.served = end = path[-1] if path else self.model.trie.root(key.namespace)
        self.model.lock(self.judge.holder(self.operation.receipt), end)
        breaches = carried_checks.of_lock(self.step, end.end, path)
        self.given_up = bool(breaches)
        return breaches + self.expect(Locked(end.end), lambda: "that much of it is in the tree")


class JudgedUnlock(Judgement[Unlock]):
    def before(self) -> list[Breach]:
        self.model.unlock(self.judge.holder(self.operation.receipt))
        return []


class JudgedReleaseWindow(Judgement[ReleaseWindow]):
    def before(self) -> list[Breach]:
        freed = self.model.release_window(self.judge.holder(self.operation.receipt))
        self.choice = bool(freed)
        return []


class JudgedReleaseState(Judgement[ReleaseState]):
    def before(self) -> list[Breach]:
        self.model.release_state(self.judge.holder(self.operation.receipt))
        refused = Pool.MAMBA in self.model.refusing
        return carried_checks.of_released_state(self.operation, refused)


class JudgedHandOver(Judgement[HandOver]):
    def before(self) -> list[Breach]:
        return carried_checks.of_hand_over(self.step, self.operation)


class JudgedPrefetch(Judgement[Prefetch]):
    """The beginning of one; its parts are judged as what they are."""

    def before(self) -> list[Breach]:
        if self.step.due is None:
            return []
        expected = Done(self.step.due)
        return self.expect(expected, lambda: "so much does storage have, and there is room for it")


# -- evicting and loading back ---------------------------------------------------------------------


def _for_write_back(model: Cache) -> Sequence[Pool]:
    """Pools from which an eviction may allocate (semantics 7.4)."""
    return written_back_to(model) if model.config.write_back and model.refusing else ()


class JudgedEvict(Judgement[Evict]):
    evicts = True

    def before(self) -> list[Breach]:
        self.choice = self.model.config.write_back or self.step.outcome != Freed(0)
        self.allocates = _for_write_back(self.model)
        return carried_checks.of_room(self.step, self.operation)

    def after(self, choice: Choice) -> list[Breach]:
        asked = Amounts(self.operation.full, self.operation.swa, self.operation.mamba)
        freed, breaches = self.judge.follower.evict(asked, choice)
        return breaches + self.expect(Freed(*freed), lambda: reasons.EVICTED)


class JudgedEvictHost(Judgement[EvictHost]):
    def before(self) -> list[Breach]:
        self.choice = self.model.config.write_back or self.step.outcome != Done(0)
        return []

    def after(self, choice: Choice) -> list[Breach]:
        component = self.operation.component
        follower = self.judge.follower
        freed, breaches = follower.evict_host(self.operation.tokens, component, choice)
        return breaches + self.expect(Done(freed[component]), lambda: reasons.EVICTED)


class JudgedLoadBack(Judgement[LoadBack]):
    evicts = True
    loading: Loading

    def before(self) -> list[Breach]:
        _, (_, best) = self.found(self.operation)
        self.loading = self.model.load_back(best, self.operation.quota)
        self.own = self.loading.holder
        self.choice = not self.loading.refused or self.step.outcome != Done(0) or self.may_wait
        self.allocates = (
            *self.judge.follower.allocates(self.loading),
            *_for_write_back(self.model),
        )
        return []

    def after(self, choice: Choice) -> list[Breach]:
        loading = self.loading
        lists = loading.lists
        loaded = any(page in choice.gained[pool] for pool in DEVICE for page in lists[pool])
        if loading.refused and not (loaded or any(choice.gone)):
            return self.expect(Done(0), self._why_refused)
        breaches = self.judge.follower.finish_load(loading, loaded, choice)
        if loaded:
            self.model.not_refusing(pool for pool in DEVICE if lists[pool])
        expected = Done(loading.full if loaded else 0)
        return breaches + self.expect(expected, lambda: reasons.of_loaded(loaded, loading))

    def _why_refused(self) -> str:
        return reasons.of_load(self.loading, self.operation.quota, self.model.config)


class JudgedCopyState(Judgement[CopyState]):
    evicts = True
    source: Page
    best: Page

    def before(self) -> list[Breach]:
        self.source, self.best = self.model.match(self.operation.key)
        self.copied_from = self.source, self.best
        self.choice = self._full() or Pool.MAMBA in self.model.refusing
        self.allocates = _for_write_back(self.model)
        return []

    def after(self, choice: Choice) -> list[Breach]:
        breaches: list[Breach] = []
        if self._full() or (Pool.MAMBA in self.model.refusing and any(choice.gone)):
            named = partial(self._named, self.source in choice.gone[Pool.MAMBA])
            breaches += map(named, self.judge.follower.copy_state(self.source, choice))
        self.judge.note_allocations()
        if not self.step.slots:
            breaches += no_room(self.model, [(Pool.MAMBA, 1)])
            self.model.not_refusing([Pool.MAMBA])  # whoever copies asks for a slot first
        return breaches

    def _full(self) -> bool:
        return not self.model.trie.free(Pool.MAMBA)

    def _named(self, lost: bool, breach: Breach) -> Breach:
        """By its cause, where there was no slot for a copy, or the state that should be copied was
        ``lost`` for it, but another could have been meant.
        """
        another = self.best is not self.source and self.best.has(Pool.MAMBA)
        meant = another and (lost or not self.step.slots)
        if breach.rule != "stopped-early" or not meant:
            return breach
        return wording.state_of_best_kept(breach, self.source, self.best)


# -- copies and failures ---------------------------------------------------------------------------


class JudgedRunCopies(Judgement[RunCopies]):
    def before(self) -> list[Breach]:
        one = self.operation
        ran = self.model.copies.run(one.count, one.load, one.rank, one.fail)
        self.ran = [copy for copy in ran if copy.complete]
        return self.expect(Done(batches(ran)), lambda: reasons.of_run(one.load, one.rank))


class JudgedCheck(Judgement[WritingCheck | LoadingCheck]):
    def before(self) -> list[Breach]:
        load = isinstance(self.operation, LoadingCheck)
        if self.operation.blocking:
            flying = self.model.copies.flying
            self.ran = [copy for copy in flying if copy.load == load and not copy.complete]
        blocking = self.operation.blocking
        acked = self.model.check(load, blocking)
        self.acked = () if load else acked
        return self.expect(Done(batches(acked)), lambda: reasons.of_check(load, blocking))


class JudgedRefuse(Judgement[Refuse]):
    def before(self) -> list[Breach]:
        self.model.refuse(self.operation.pool)
        return []


JUDGEMENTS: dict[type[Act], type[Judgement[Any]]] = {
    Match: JudgedMatch,
    Insert: JudgedInsert,
    HostInsert: JudgedHostInsert,
    Lock: JudgedLock,
    HostLock: JudgedHostLock,
    Adopt: JudgedAdopt,
    Unlock: JudgedUnlock,
    ReleaseWindow: JudgedReleaseWindow,
    ReleaseState: JudgedReleaseState,
    HandOver: JudgedHandOver,
    Prefetch: JudgedPrefetch,
    Evict: JudgedEvict,
    EvictHost: JudgedEvictHost,
    LoadBack: JudgedLoadBack,
    CopyState: JudgedCopyState,
    RunCopies: JudgedRunCopies,
    RunForward: Judgement,
    WritingCheck: JudgedCheck,
    LoadingCheck: JudgedCheck,
    Refuse: JudgedRefuse,
}
