"""One step judged: the model does what the operation says, and what can be seen must agree.

A step is judged on what it touched (`step_checks`), by what the model makes of its operation
(`judgements`). `state_checks` looks at the entire state, now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from radixproof.impl.observation import Observation
from radixproof.impl.operations import Reset
from radixproof.impl.system import System
from radixproof.model.config import HOST, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.following.choice import Choice
from radixproof.model.following.follower import Follower
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.trie import Holder, HolderKind, Page
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging import step_checks
from radixproof.properties.judging.abstraction import Abstraction, Delta, Tags
from radixproof.properties.judging.event_stream import Announced
from radixproof.properties.judging.judgements import Judgement, judgement
from radixproof.properties.performing.outcomes import Crashed, Skipped
from radixproof.properties.performing.step import CopyState, Step

NOTHING = Delta()
"""What a step did that left everything where it was. Never written to."""


class Judge:
    """The model, which follows one system, and the last sight of that."""

    def __init__(self, config: Config, dialect: Dialect, events: bool = False) -> None:
        self.config = config
        self.dialect = dialect
        self.events = events
        """The system promises a stream of them."""
        self.tags = Tags()
        self.shared_rows: dict[str, tuple[Page, list[int]]] = {}
        """Per request: the end of the prefix it was given, and the slots it was given for it."""
        self.announced = Announced()
        self._start()

    def _start(self) -> None:
        self.model = Cache(self.config, self.dialect)
        self.follower = Follower(self.model)
        self.abstraction = Abstraction(self.config, self.model, self.tags)
        self.announced.abstraction = self.abstraction
        self.model_adopted = False
        """The model has adopted a state that broke a rule: its order of use is not the system's."""

    def judge(
        self, step: Step, look: Callable[[], Observation], must_look: bool, system: System
    ) -> list[Breach]:
        """Every breach of this step, the plainest first. Afterwards the model agrees if it can.

        The system is looked at if it ``must_look``, or if it had a choice that the model has to
        follow. Otherwise only the outcome and the bytes are judged now, and what the step did to
        the nodes is judged with the next look.
        """
        if isinstance(step.outcome, Crashed):
            return [step_checks.crashed(step, step.outcome)]
        if isinstance(step.operation, Reset) and not isinstance(step.outcome, Skipped):
            self._start()
        judged = judgement(self, step)
        breaches = judged.before()
        if step.refused:
            breaches += step_checks.refused(self.model, step)
        if must_look or judged.choice:
            breaches += self._look(step, look(), judged, system)
        else:
            breaches += judged.after(self._choice(NOTHING))
        return breaches + self._bytes(step, judged, system)

    def _choice(self, delta: Delta) -> Choice:
        """What the system chose, as far as a step shows it."""
        return Choice(delta.gone, delta.gained, sure=not self.model.refusing)

    def _look(
        self, step: Step, seen: Observation, judged: Judgement[Any], system: System
    ) -> list[Breach]:
        """What an observation shows of everything since the last one."""
        delta = self.abstraction.update(seen)
        for page, ends in delta.ends:
            self.model.adopt_end(page, ends)
        breaches = delta.breaches
        breaches += step_checks.pinned(self.model, step, delta)
        breaches += judged.after(self._choice(delta))
        misplaced = step_checks.residency(self.model, self.abstraction, step, delta)
        self.model_adopted = self.model_adopted or bool(misplaced)
        breaches += misplaced
        breaches += step_checks.shape(self.abstraction, delta)
        breaches += step_checks.locks(self.model, self.abstraction, delta)
        breaches += step_checks.sizes(self.abstraction, seen)
        breaches += step_checks.swa_map(self.abstraction, delta, system)
        breaches += step_checks.arrived(self.model, self.abstraction, delta, system)
        breaches += step_checks.quiet(self.model, seen)
        breaches += self._events(seen, delta)
        self.model.trie.changed.clear()
        self.model.not_refusing(pool for pool in HOST if delta.gained[pool])
        self.model_adopted = self.model_adopted or bool(breaches)
        return breaches

    def _events(self, seen: Observation, delta: Delta) -> list[Breach]:
        """EVENT: what was announced, and, where that is legal, what is known by it."""
        if seen.events is not None:
            flying = self.model.copies.flying
            return self.announced.hear(seen.events) or self.announced.agrees(delta, flying)
        if self.events:
            text = "the system promises a stream of events, and shows none"
            return [Breach(Property.EVENT, "silent", text)]
        return []

    def _bytes(self, step: Step, judged: Judgement[Any], system: System) -> list[Breach]:
        """CONTENT of what was copied, and of what was served."""
        breaches: list[Breach] = []
        if judged.ran:
            breaches += step_checks.copied(self.abstraction, judged.ran, system)
        if judged.served is not None:
            breaches += step_checks.served(self.abstraction, step, judged.served)
        if isinstance(step.operation, CopyState) and step.slots:
            breaches += step_checks.state(self.tags, judged.source, step, system)
        return breaches

    # -- what judgements ask -------------------------------------------------------------------

    def holder(self, receipt: str) -> Holder:
        """Who it is that operations know under this name."""
        request, lock, number = receipt.partition("'s lock")
        if lock:
            return Holder(HolderKind.REQUEST, request, int(number or 0))
        return Holder(HolderKind.RECEIPT, receipt)

    def took(self, pool: Pool, slots: Sequence[int]) -> None:
        """A request holds these slots now."""
        self.abstraction.take(pool, slots)
