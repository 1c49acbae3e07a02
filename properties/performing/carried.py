"""Requests that a system carries through its engine's own functions (semantics 11.5).

What such a function does in one call is played as a step for each of its parts. The ledger then
says what the engine's own record of the request says.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from radixproof.impl.carrying import Carriage, Did, Moment
from radixproof.impl.observation import PerComponent
from radixproof.impl.operations import Decode, Evict, Insert, Lock, Match, Prefill, Unlock
from radixproof.impl.system import Complete
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.ledger import Ledger, Request, RequestLock
from radixproof.properties.performing.outcomes import (
    Done,
    Freed,
    Inserted,
    Locked,
    Matched,
    Skipped,
)
from radixproof.properties.performing.step import (
    Adopt,
    Carried,
    CopyState,
    HandOver,
    ReleaseState,
    Step,
)


def begin(system: Complete, request: Request) -> None:
    """Let the engine have a record of a request, if it would have such a request."""
    told = (request.key, request.row, request.handle, request.state, request.priority)
    record = system.begin_request(*told)
    if record is not None:
        request.handle, request.carried = record, True


def admit(
    system: Complete, ledger: Ledger, config: Config, request: Request
) -> Generator[Step, None, int]:
    """The engine has the request run; returns the states for which there was no room."""
    carriage = system.admit(request.handle)
    yield from Play(system, ledger, config, request, carriage, ends=False).steps()
    return carriage.refused


def track(
    system: Complete, ledger: Ledger, request: Request, end: int, operation: Prefill | Decode
) -> Iterator[Step]:
    """The engine has a state for the end of these pages, which are computed."""
    state = system.track(request.handle, end)
    if state.slot not in request.tracked:
        ledger.take(Pool.MAMBA, [state.slot])
        request.tracked.append(state.slot)
    request.sums[state.slot] = end
    system.write_state(state.slot, ledger.tags_of(request.key)[end - 1])
    if state.freed is not None:
        ledger.give(Pool.MAMBA, [state.freed])
        request.tracked.remove(state.freed)
    if state.refused:
        skipped = Skipped("there is no room for a second state")
        yield Step(operation, skipped, refused=[(Pool.MAMBA, 1)])


def make_room(
    system: Complete,
    ledger: Ledger,
    config: Config,
    request: Request,
    tokens: int,
    lacking: Callable[[], PerComponent],
) -> Iterator[Step]:
    """The engine makes room for an allocation of so many tokens, of which some are ``lacking``: it
    may ask for these in one eviction or in several, and what an earlier one has freed besides need
    not be asked for.
    """
    unasked = lacking()
    carriage = system.make_room(request.handle, tokens)
    for step in Play(system, ledger, config, request, carriage, ends=False).steps():
        if isinstance(step.operation, Evict):
            asked = (step.operation.full, step.operation.swa, step.operation.mamba)
            step.lacking = _each(min, unasked, asked)
            unasked = _each(operator.sub, unasked, step.lacking)
        yield step
    left_out = _each(min, unasked, lacking())
    if any(left_out):
        yield Step(Evict(), Freed(0), lacking=left_out)


def _each(
    count: Callable[[int, int], int], some: PerComponent, others: PerComponent
) -> PerComponent:
    full, swa, mamba = map(count, some, others)
    return full, swa, mamba


def slide(system: Complete, ledger: Ledger, request: Request) -> None:
    """The engine frees what has left the window."""
    _lost(ledger, request, system.slide(request.handle))


def carry_on(
    system: Complete, ledger: Ledger, config: Config, request: Request, last: bool
) -> Iterator[Step]:
    """A request inserts what it has computed, and goes on. An engine that raises for want of a
    state is excused if it would not run so many requests with so few (semantics 11.5).
    """
    carriage = system.carry_on(request.handle, last)
    play = Play(system, ledger, config, request, carriage, ends=False)
    play.due = _due(config, request)
    yield from play.steps()
    if carriage.refused:
        if carriage.error is not None and ledger.users() <= carriage.runs:
            raise carriage.error
        request.cannot_insert = carriage.error is not None
        skipped = Skipped("there is no room for a state")
        yield Step(CopyState(Key(())), skipped, refused=[(Pool.MAMBA, carriage.refused)])


def end(
    system: Complete,
    ledger: Ledger,
    config: Config,
    request: Request,
    insert: bool,
    prompt_only: bool = False,
    past_stop: int = 0,
) -> Iterator[Step]:
    """A request ends; one whose engine has raised leaves nothing in the cache."""
    insert = insert and not request.cannot_insert
    carriage = system.end_request(request.handle, insert, prompt_only, past_stop)
    play = Play(system, ledger, config, request, carriage, ends=True)
    play.cut = prompt_only or past_stop > 0
    play.due = _due(config, request, prompt_only, past_stop) if insert else 0
    yield from play.steps()


def _due(config: Config, request: Request, prompt_only: bool = False, past_stop: int = 0) -> int:
    """Units that the tree is to have of a request: whole pages, if any are not the tree's yet."""
    kept = to_keep(config, request, prompt_only, past_stop)
    return kept if kept > request.protected else 0


def to_keep(config: Config, request: Request, prompt_only: bool, past_stop: int) -> int:
    """Units of a request that are to be in the tree when it has ended (semantics 11.3)."""
    answer = 0 if prompt_only else request.computed - past_stop
    return config.floor(min(request.computed, max(request.prompt, answer)))


def _lost(ledger: Ledger, request: Request, evicted: int) -> None:
    """The request has lost its window down to there."""
    if evicted > request.evicted:
        ledger.give_window(request, request.evicted, min(evicted, len(request.row)))
        request.evicted = evicted


@dataclass(slots=True)
class Play:
    """One call of an engine's function, played part by part."""

    system: Complete
    ledger: Ledger
    config: Config
    request: Request
    carriage: Carriage
    ends: bool
    """The request ends with it."""
    cut: bool = False
    """Not all that it generated is to be kept."""
    due: int = 0
    """Where every insert is possible, so much is to be inserted."""
    given: int = field(init=False)
    """So much of the row is the tree's."""
    matched: Moment | None = None
    length: int = 0
    """How much of the key the last insert was about."""
    unused: list[int] = field(default_factory=list)
    """States that the request holds, and that no insert took."""

    def __post_init__(self) -> None:
        self.given = self.request.protected

    def steps(self) -> Iterator[Step]:
        """Raises what the function raised."""
        moments = self.carriage.moments
        for number, moment in enumerate(moments):
            self.system.show(number)
            self._tracked(moment.states)
            step = _PLAY[moment.did](self, moment)
            self._freed(moment)
            if number == len(moments) - 1 and not self.carriage.crashed:
                self._last()
            yield step
            if moment.did is Did.LOCK:
                self.ledger.share(self.request)
        self.system.show(None)
        self._tracked(self.carriage.states)
        if self.carriage.error is not None and self.carriage.crashed:
            raise self.carriage.error
        unheard = self.ends and not self.carriage.moments
        if unheard:
            self._last()
        stateless = Component.MAMBA not in self.config.components
        due = self.due if stateless else 0
        if unheard or self.length < due:
            yield Step(HandOver(self.request.name, due), Done(self.length))

    # -- the parts -----------------------------------------------------------------------------

    def evict(self, moment: Moment) -> Step:
        """For a state of the request, which may have lost its window before."""
        _lost(self.ledger, self.request, moment.evicted)
        return Step(Evict(*moment.asked), Freed(*moment.freed))

    def insert(self, moment: Moment) -> Step:
        request, length = self.request, moment.length
        _lost(self.ledger, request, moment.evicted)
        protected, self.length = min(self.given, length), max(self.length, length)
        if length > self.given:
            self.ledger.give_row(request, self.given, length)
            self.given = length
        own = moment.state is not None and moment.state == request.state
        summed = self._summed(moment.state)
        if moment.state is not None:
            self._handed_over(moment.state, moment.taken)
        before = min(request.inserted, length)
        request.inserted = max(request.inserted, length)
        key, brings = self.ledger.prefix(request.key, length), moment.state is not None
        evicted = min(length, max(request.evicted, protected))
        operation = Insert(key, evicted, state=brings, priority=moment.priority)
        outcome = Inserted(moment.reused, protected, moment.taken)
        carried = Carried(
            moment.told,
            request.evicted,
            request.computed,
            moment.counted,
            summed,
            own,
            self.cut,
            request.priority,
        )
        return Step(operation, outcome, protected=protected, inserted=before, carried=carried)

    def _summed(self, state: int | None) -> int | None:
        """Units that a state of the request sums up, as far as it is known."""
        if state is not None and state == self.request.state:
            return self.config.floor(self.request.computed)
        return None if state is None else self.request.sums.pop(state, None)

    def _handed_over(self, state: int, taken: bool) -> None:
        """A state of the request's own, one that was tracked for it, or one that was allocated for
        the tree.
        """
        request = self.request
        if state == request.state:
            if taken:
                self.ledger.give(Pool.MAMBA, [state])
                request.state = None
        elif state in request.tracked:
            request.tracked.remove(state)
            if taken:
                self.ledger.give(Pool.MAMBA, [state])
            else:
                self.unused.append(state)
        elif taken:
            self.ledger.hand_over(Pool.MAMBA)
        else:
            self.ledger.take(Pool.MAMBA, [state])
            self.unused.append(state)

    def match(self, moment: Moment) -> Step:
        self.matched = moment
        key = self.ledger.prefix(self.request.key, moment.length)
        found = Matched(moment.device, moment.best, moment.host)
        return Step(Match(key), found, moment.slots)

    def unlock(self, _: Moment) -> Step:
        self.ledger.shared.pop(self.request.name, None)
        return Step(Unlock(self.request.lock), Done())

    def release_state(self, moment: Moment) -> Step:
        """It has no room for the state that it hands over."""
        request = self.request
        consumed = request.lock.number > 0 or request.computed > request.protected
        free = len(moment.free[Pool.MAMBA])
        return Step(ReleaseState(request.lock, consumed, free), Done())

    def lock(self, moment: Moment) -> Step:
        """Where nothing was looked up before, it is the node that the insert ended on."""
        request, before = self.request, self.request.lock
        lock = RequestLock(request.name, before.number + 1)
        key = self.ledger.prefix(request.key, self.length)
        reached = self.length if self.matched is None else self.matched.device
        act = Adopt(lock, key) if self.matched is None else Lock(lock, key)
        slots = list(moment.row[:reached])
        self.ledger.adopt(request, lock, request.handle, reached, slots)
        return Step(act, Locked(reached), slots, given=self.given)

    # -- what the request holds ----------------------------------------------------------------

    def _tracked(self, states: Sequence[int]) -> None:
        """Its engine keeps these. When it ends, it gets no more."""
        new = [state for state in states if state not in self.request.tracked]
        if new and not self.ends:
            self.ledger.take(Pool.MAMBA, new)
            self.request.tracked += new

    def _freed(self, moment: Moment) -> None:
        """What it has given back by then, as far as the pools show."""
        free = [set(slots) for slots in moment.free]
        if self.ends:
            self._give(Pool.FULL, [slot for slot in self._own() if slot in free[Pool.FULL]])
            self._give(Pool.SWA, [peer for peer in self._peers() if peer in free[Pool.SWA]])
            self._give(Pool.MAMBA, [state for state in self._states() if state in free[Pool.MAMBA]])
        self._give(Pool.MAMBA, [state for state in self.unused if state in free[Pool.MAMBA]])

    def _last(self) -> None:
        """What it has not given back by now is lost."""
        self._give(Pool.MAMBA, self.unused)
        if self.ends:
            self._give(Pool.FULL, self._own())
            self._give(Pool.SWA, self._peers())
            self._give(Pool.MAMBA, self._states())
            self.ledger.end(self.request)

    def _states(self) -> list[int]:
        own = self.request.state
        return [*self.request.tracked, *([] if own is None else [own])]

    def _own(self) -> list[int]:
        return self.request.row[self.given :]

    def _peers(self) -> list[int]:
        return [peer for peer in self.request.peers[self.given :] if peer]

    def _give(self, pool: Pool, slots: Iterable[int]) -> None:
        held = [slot for slot in slots if slot in self.ledger.rows[pool]]
        self.ledger.give(pool, held)
        if pool is Pool.FULL:
            for slot in held:
                self.ledger.peers.pop(slot, None)


_PLAY: dict[Did, Callable[[Play, Moment], Step]] = {
    Did.EVICT: Play.evict,
    Did.INSERT: Play.insert,
    Did.MATCH: Play.match,
    Did.LOCK: Play.lock,
    Did.UNLOCK: Play.unlock,
    Did.RELEASE_STATE: Play.release_state,
}
