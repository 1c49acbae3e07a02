"""Judging one step: the model does what the operation says, and what can be seen must agree.

A step is judged on its outcome (`judgements`), on what it touched (`step_checks`), and on bytes
(`content_checks`). Now and then `state_checks` looks at the entire state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from radixproof.impl.observation import Observation
from radixproof.impl.operations import Reset, RunForward
from radixproof.impl.sight import Sight
from radixproof.impl.system import Complete
from radixproof.model.config import DEVICE, HOST, Config
from radixproof.model.dialect import Dialect
from radixproof.model.following.choice import Choice
from radixproof.model.following.follower import Follower
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.trie import Holder, HolderKind, Page
from radixproof.model.verdict import Breach
from radixproof.properties.judging import content_checks, step_checks
from radixproof.properties.judging.abstraction import Abstraction, Delta
from radixproof.properties.judging.applicable import (
    Moment,
    Unjudged,
    applicable,
    passed_over,
)
from radixproof.properties.judging.event_stream import Announced
from radixproof.properties.judging.forgotten import NO_SLOTS, Written
from radixproof.properties.judging.judgements import Judgement, judgement
from radixproof.properties.performing.ledger import Ledger, OwnLock, PrefetchLock, RequestLock
from radixproof.properties.performing.outcomes import Crashed, Skipped
from radixproof.properties.performing.step import CopyState, Step

_STILL = Delta()
NOTHING = {sure: Choice(_STILL.gone, _STILL.gained, sure) for sure in (False, True)}
"""What a system chose in a step that left everything where it was, by whether that is sure."""


OWNERS: dict[type[OwnLock], HolderKind] = {
    RequestLock: HolderKind.REQUEST,
    PrefetchLock: HolderKind.PREFETCH,
}
"""What holds the locks that no operation of a history took by name."""


class Judge:
    """The model, which follows one system, and that system as last seen; what requests
    hold is in the ledger.
    """

    def __init__(self, config: Config, dialect: Dialect, sight: Sight, ledger: Ledger) -> None:
        self.config = config
        self.dialect = dialect
        self.ledger = ledger
        self.sight = sight
        self.applicable = applicable(sight, config)
        self.passed_over = passed_over(sight, config)
        self.unjudged: Counter[Unjudged] = Counter()
        """How often each check was due and could not be made: what it needs is not shown."""
        self.announced = Announced()
        self.given_up = False
        """Something was seen of which all that could be seen from now on would be a consequence."""
        self.before_adopting: Callable[[], None] | None = None
        """Called when the model has done a step, before it is made to agree with what was seen."""
        self._start()

    def _start(self, forgotten: Sequence[Written] = NO_SLOTS) -> None:
        self.model = Cache(self.config, self.dialect)
        self.follower = Follower(self.model)
        self.abstraction = Abstraction(
            self.config, self.model, self.ledger, self.sight.slots, forgotten
        )
        self.announced.restart(self.abstraction)
        self.model_adopted = False
        """The model's order of use may differ from the system's: it adopted a state that broke a
        rule.
        """
        self.unordered: set[Page] = set()
        """Pages whose SWA, or state, came to be on the host only in an order that was hidden."""

    def judge(
        self, step: Step, look: Callable[[], Observation], must_look: bool, system: Complete
    ) -> list[Breach]:
        """Every breach of this step, the plainest first. Afterwards the model agrees, if it can.

        The system is observed if the judge ``must_look``, or if the system had a choice that the
        model has to follow. Otherwise only the outcome and the bytes are judged now, and what the
        step did to the nodes is judged with the next observation.
        """
        if self.given_up:
            return []
        if isinstance(step.outcome, Crashed):
            return [step_checks.crashed(step, step.outcome)]
        if isinstance(step.operation, Reset) and not isinstance(step.outcome, Skipped):
            self._start(self.abstraction.still_written())
        if not isinstance(step.operation, CopyState):  # which evicts before it takes
            self.note_allocations()
        judged = judgement(self, step)
        breaches = judged.before()
        if self.applicable.events:
            self.announced.turns.acked += judged.acked
        if judged.given_up:
            self.given_up = True
            return breaches
        if step.refused:
            breaches += step_checks.allocation_refused(self.model, step)
        if must_look or judged.choice:
            breaches += self._look(step, look(), judged, system)
        else:
            breaches += judged.after(NOTHING[self._is_sure(judged)])
        breaches += self._bytes(step, judged, system)
        self._forget_matches()
        return breaches

    def _forget_matches(self) -> None:
        """What kept matches found is there no more, and not to be used (semantics 3.7)."""
        if self.ledger.matches:
            for name in [*self.ledger.matches]:
                if not self.model.stands(name):
                    del self.ledger.matches[name]

    def note_allocations(self) -> None:
        """Tell the model what requests took and gave."""
        for pool, count in self.ledger.allocations():
            if count < 0:
                self.model.freed(pool, -count)
            else:
                self.model.allocated(pool, count)

    def _is_sure(self, judged: Judgement[Any]) -> bool:
        """Whether no allocation of the step may have been told to fail (semantics 17.4)."""
        return self.model.refusing.isdisjoint(judged.allocates)

    def _look(
        self, step: Step, seen: Observation, judged: Judgement[Any], system: Complete
    ) -> list[Breach]:
        """What an observation shows of everything since the last one."""
        delta = self.abstraction.update(seen)
        for page, ends in delta.ends:
            self.model.adopt_end(page, ends)
        breaches = delta.breaches
        if judged.may_wait:
            breaches += self._wait(step, delta, judged)
        breaches += step_checks.pinned(self.model, step, delta, judged.own)
        shown = self.applicable
        sure, ordered = self._is_sure(judged), not (self.model_adopted or self.unordered)
        choice = Choice(delta.gone, delta.gained, sure, ordered, judged.waited)
        breaches += judged.after(choice)
        self._note_hidden_order(self._left_in_hidden_order(choice))
        if self.before_adopting is not None:
            self.before_adopting()
        breaches += step_checks.residency(self.model, self.abstraction, step, delta)
        breaches += step_checks.shape(self.abstraction, delta)
        touched = step_checks.touched(self.model, self.abstraction, delta)
        breaches += step_checks.locks(shown, touched, step)
        breaches += step_checks.marks(shown, self.model, touched)
        breaches += step_checks.sizes(shown, self.model, self.abstraction, seen)
        breaches += step_checks.swa_map(shown, self.abstraction, delta, system)
        breaches += content_checks.arrived(shown, self.model, self.abstraction, step, delta, system)
        breaches += step_checks.quiet(shown, self.model, seen)
        breaches = breaches or self.follower.overdue
        self.model_adopted = self.model_adopted or bool(breaches)
        if shown.events:
            log = [] if breaches else self.follower.host_log
            breaches += self.announced.changes(seen.events, delta, self.model.copies.flying, log)
        self.follower.host_log = []
        self.follower.hidden = False
        self.follower.overdue = []
        self.pass_over(Moment.LOOK)
        self.model.trie.changed.clear()
        if step.fetched is None:  # else its slots were allocated before
            self.model.not_refusing(pool for pool in HOST if delta.gained[pool])
        return breaches

    def _wait(self, step: Step, delta: Delta, judged: Judgement[Any]) -> list[Breach]:
        """An eviction that waited for the backups in flight left none of them, and one that took
        something has to wait (semantics 7.8).
        """
        copies = (copy for copy in self.model.copies.flying if not copy.load)
        placed = [self.abstraction.placed(copy.node[-1]) for copy in copies]
        left = [node for node in placed if node is not None and node.view.pending]
        if not left:
            judged.wait()
            if self.applicable.events:
                self.announced.turns.acked += judged.acked
        elif any(delta.gone[pool] for pool in DEVICE):
            return [step_checks.not_awaited(step, left[0])]
        return []

    def _left_in_hidden_order(self, choice: Choice) -> set[Page]:
        """What left the device, if a refusal may have kept one of several victims for later."""
        left = {page for pool in DEVICE for page in choice.gone[pool]}
        several = sum(page.cut for page in left) > 1
        return left if several and self.follower.hidden else set()

    def _note_hidden_order(self, hidden: set[Page]) -> None:
        """These may have come to be on the host only. Where one node is left of them, its place in
        the order is known.
        """
        self.unordered |= hidden
        if self.unordered:
            _, *orders = self.model.trie.host_only
            left = [self.unordered.intersection(order) for order in orders]
            several = [pages for pages in left if sum(page.cut for page in pages) > 1]
            self.unordered = set[Page]().union(*several)

    def _bytes(self, step: Step, judged: Judgement[Any], system: Complete) -> list[Breach]:
        """CONTENT of what was copied and of what was served."""
        breaches: list[Breach] = []
        if judged.ran:
            breaches += content_checks.copied(self.applicable, self.abstraction, judged.ran, system)
        if isinstance(step.operation, RunForward) and self.ledger.forward is not None:
            breaches += content_checks.computed(
                self.applicable, self.model, self.abstraction, system
            )
        if judged.served is not None:
            self.pass_over(Moment.MATCH)
            if self.applicable.served:
                breaches += content_checks.served(self.abstraction, step, judged.served)
        if judged.copied_from is not None and step.slots:
            breaches += content_checks.state(self.ledger.tags, *judged.copied_from, step, system)
        return breaches

    def pass_over(self, moment: Moment) -> None:
        """Count what is due now but cannot be judged."""
        missing = self.passed_over[moment]
        if missing:
            self.unjudged.update(missing)

    # -- what judgements ask -------------------------------------------------------------------

    def holder(self, receipt: str) -> Holder:
        """The holder that operations know under this name."""
        if isinstance(receipt, OwnLock):
            return Holder(OWNERS[type(receipt)], receipt.owner, receipt.number)
        return Holder(HolderKind.RECEIPT, receipt)

    @property
    def shows_host_hits(self) -> bool:
        """Whether a match says which part of it is on the host only."""
        return bool(self.applicable.host_hits)
