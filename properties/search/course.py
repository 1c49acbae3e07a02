"""The course of a search: which unit comes next, and what has become of those before.

It runs nothing itself. Units are added in order, whoever has run them, and a unit may be run long
before its turn: as long as the signatures that were known to it are known still, what came of it is
what would come of it now, unless it ended with a breach that has become known since. So the
findings, the steps and the milestones of a search do not depend on how many processes work at it.

A unit that found something is run again with that as known, until it finds nothing new. So a
search to which all findings of another are known goes the same way, meets them, and finds no more;
it may go further, for milestones that have not been met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from radixproof.impl.operations import History
from radixproof.impl.scope import Scope
from radixproof.properties.drivers.machine import CHUNK
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.units import CORPUS, MACHINE, SOAK, Broken, Ran, Unit


@dataclass(frozen=True, slots=True)
class Ahead:
    """A unit that was run before its turn, and what was known to it."""

    ran: Ran
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a broken history."""

    signature: str | None
    """That of the finding; None if the breach was the consequence of something known."""
    passed_over: Counter[str]
    """What was met on the way to that."""


@dataclass(frozen=True, slots=True)
class Met:
    """A history of a search in which something was met that is to be compared."""

    history: History
    driver: str
    at_step: int
    """Steps that the search had judged with it."""


class Course:
    """One search, as far as it has come."""

    def __init__(self, scope: Scope, budget: Budget, stored: int, known: Iterable[str]) -> None:
        self.budget, self.stored = budget, stored
        self.known = frozenset(known)
        """Signatures that are passed over: those known before, and those found."""
        self._known_before = self.known
        self.progress = Progress(0, 0, scope=scope)
        self._examples = budget.examples
        self._replayed_steps = 0
        self.met: list[Met] = []
        """In the order of the units."""
        self._broken: Ran | None = None
        """What ended with a breach that has to be settled."""
        first = Unit(CORPUS, 0) if stored else _drawn(0, self._examples)
        self.unit: Unit | None = first
        """The unit whose turn it is; None when the budget is spent."""

    def ahead(self) -> Iterator[Unit]:
        """The unit whose turn it is, and those that follow if nothing is found, up to where the
        budget will end if histories are as long as they were so far.
        """
        unit, examples, now = self.unit, self._examples, self.progress
        left = self.budget.steps - self._drawn_steps
        if left <= 0:
            left += self.budget.more
        while unit is not None:
            yield unit
            if unit.driver != CORPUS:
                left -= unit.examples * (now.steps // now.histories if now.histories else 1)
            if unit.driver == SOAK and left <= 0:
                return
            examples -= unit.examples if unit.driver == MACHINE else 0
            unit = self._after(unit, examples)

    def takes(self, ahead: Ahead) -> bool:
        """Whether a unit that was run ahead would go the same way now."""
        broken = ahead.ran.broken
        told_apart = broken is None or broken.breach.signature not in self.known
        return told_apart and ahead.known <= self.known

    def add(self, ran: Ran) -> Broken | None:
        """Add what came of the unit whose turn it is; returns what has to be settled next."""
        assert self._broken is None, "something has to be settled first"
        if ran.broken is None:
            self._go_on(ran)
        else:
            self._broken = ran
        return ran.broken

    @property
    def at_step(self) -> int:
        """Steps up to and with the breach that has to be settled."""
        histories = () if self._broken is None else self._broken.histories
        return self.progress.steps + sum(one.steps for one in histories)

    def settled(self, settled: Settled) -> None:
        """What became of the breach. If it is a finding, it is known from now on, and the unit is
        run again, to see what else there is in it. If not, the unit has ended there.
        """
        ran, self._broken = self._broken, None
        assert ran is not None
        assert ran.broken is not None
        if settled.signature is not None:
            self.learn(settled.signature, ran.broken)
        else:
            self._go_on(replace(ran, passed_over=ran.passed_over + settled.passed_over))

    def learn(self, signature: str, broken: Broken) -> None:
        """Pass over, from now on, a finding and the breach by which it showed."""
        self.known |= {signature, broken.breach.signature}

    def _go_on(self, ran: Ran) -> None:
        """The unit is over, and the next one has its turn."""
        assert self.unit is not None, "the search is over"
        now, unit = self.progress, self.unit
        for one in ran.histories:
            now = replace(now, steps=now.steps + one.steps, histories=now.histories + 1)
            if one.met is not None:
                self.met.append(Met(one.met, unit.driver, now.steps))
            if one.milestones:
                now = replace(now, milestones=now.milestones + one.milestones)
            if one.unjudged:
                now = replace(now, unjudged=now.unjudged + one.unjudged)
        if unit.driver == MACHINE:
            self._examples -= len(ran.histories)
        elif unit.driver == CORPUS:
            self._replayed_steps = now.steps
        met = now.passed_over + ran.passed_over
        self.progress = replace(now, passed_over=met)
        if unit.driver == SOAK and self._is_over:
            self.unit, self.progress = None, replace(self.progress, complete=True)
        else:
            self.unit = self._after(unit, self._examples)

    @property
    def _drawn_steps(self) -> int:
        """Steps of the budget that are spent: of all histories but the stored ones."""
        return self.progress.steps - self._replayed_steps

    @property
    def _is_over(self) -> bool:
        """Whether the budget is spent, and what was added to it for milestones, if anything was."""
        spent, budget = self._drawn_steps - self.budget.steps, self.budget
        if spent < 0:
            return False
        found = self.known > self._known_before
        return found or spent >= budget.more or self.progress.has_met(budget.demand)

    def _after(self, unit: Unit, examples: int) -> Unit:
        """The unit that follows, with so many examples of the state machine left."""
        following = unit.number + 1
        if unit.driver == SOAK:
            return Unit(SOAK, following)
        if unit.driver == CORPUS:
            return Unit(CORPUS, following) if following < self.stored else _drawn(0, examples)
        return _drawn(following, examples)


def _drawn(chunk: int, examples: int) -> Unit:
    """What follows where so many examples of the state machine are left: the soak, if none."""
    return Unit(MACHINE, chunk, min(examples, CHUNK)) if examples > 0 else Unit(SOAK, 0)
