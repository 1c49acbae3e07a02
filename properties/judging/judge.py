"""One step judged: the model does what the operation says, and everything that can be seen of the system must agree.

A step is judged on what it touched (`properties.judging.step_checks`). `properties.judging.state_checks` looks at the entire state, now and then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from radixproof.impl.observation import Observation
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
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.sight import Sight
from radixproof.impl.system import Complete
from radixproof.model.cache import Cache, Inserting, Loading
from radixproof.model.config import DEVICE, HOST, Config, Pool
from radixproof.model.copies import Copy
from radixproof.model.dialect import Dialect
from radixproof.model.eviction import Choice
from radixproof.model.rules import host_hits
from radixproof.model.trie import Page
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging import step_checks
from radixproof.properties.judging.abstraction import Abstraction, Delta, Tags
from radixproof.properties.judging.applicable import (
    Moment,
    Unjudged,
    applicable,
    passed_over,
    shown,
)
from radixproof.properties.judging.event_stream import Announced
from radixproof.properties.performing.outcomes import (
    Crashed,
    Done,
    Freed,
    Inserted,
    Locked,
    Matched,
    Outcome,
    Skipped,
)
from radixproof.properties.performing.step import Adopt, CopyState, Step


@dataclass(slots=True)
class Foreseen:
    """What the model could tell of a step before it saw the system's choices."""

    insert: Inserting | None = None
    loading: Loading | None = None
    ran: Sequence[Copy] = ()
    """Copies whose bytes have moved, with this step, on every rank."""
    served: Page | None = None
    """The last page that a match may serve from the device."""
    source: Page | None = None
    """The page whose state a request takes a copy of."""
    choice: bool = False
    """The system had a choice, which has to be seen: which victims, which backups. Or it did what no later look tells apart."""


UNREMARKABLE = Foreseen()

NOTHING = Delta()
"""What a step did that left everything where it was. Never written to."""


class Judge:
    """The model, the ledger and the last sight of one system."""

    def __init__(self, config: Config, dialect: Dialect, sight: Sight) -> None:
        self.config = config
        self.dialect = dialect
        self.sight = sight
        self.judged = applicable(sight, config)
        self.passed_over = passed_over(sight, config)
        self.unjudged: Counter[Unjudged] = Counter()
        """How often each check was due and could not be made, for what it needs is not shown."""
        self.tags = Tags()
        self.shared_rows: dict[str, tuple[Page, list[int]]] = {}
        """Per request: the end of the prefix it was given, and the slots that it was given for it."""
        self.announced = Announced()
        self._start()

    def _start(self) -> None:
        self.model = Cache(self.config, self.dialect)
        self.abstraction = Abstraction(self.config, self.model, self.tags, self.sight.slots)
        self.announced.abstraction = self.abstraction
        self.model_adopted = False
        """The model has adopted what it should not have had to: from then on its order of use is not the system's."""

    def judge(
        self, step: Step, look: Callable[[], Observation], must_look: bool, system: Complete
    ) -> list[Breach]:
        """Every breach of this step, the plainest first. Afterwards the model agrees with the system as far as it can.

        The system is looked at if it ``must_look``, or if it had a choice that the model has to follow. Otherwise only the outcome
        and the bytes are judged now, and what the step did to the nodes is judged with the next look.
        """
        if isinstance(step.outcome, Crashed):
            return [step_checks.crashed(step, step.outcome)]
        if isinstance(step.operation, Reset) and not isinstance(step.outcome, Skipped):
            self._start()
        breaches: list[Breach] = []
        foreseen = self._before(step, breaches)
        if step.refused:
            breaches += step_checks.refused(self.model, step)
        if must_look or foreseen.choice:
            breaches += self._look(step, look(), foreseen, system)
        elif type(step.operation) in _FOLLOW:
            self._after(step, foreseen, NOTHING, breaches)
        if foreseen.ran:
            breaches += step_checks.copied(self.judged, self.abstraction, foreseen.ran, system)
        if foreseen.served is not None:
            self.pass_over(Moment.MATCH)
            if self.judged.served:
                breaches += step_checks.served(self.abstraction, step, foreseen.served)
        if isinstance(step.operation, CopyState) and step.slots:
            breaches += step_checks.state(self.tags, foreseen.source, step, system)
        return breaches

    def _look(
        self, step: Step, seen: Observation, foreseen: Foreseen, system: Complete
    ) -> list[Breach]:
        """What an observation shows of everything since the last one."""
        delta = self.abstraction.update(seen)
        breaches = delta.breaches
        breaches += step_checks.pinned(self.model, step, delta)
        if not self.model_adopted:
            breaches += step_checks.host_order(self.judged, self.model, step, delta)
        if type(step.operation) in _FOLLOW:
            self._after(step, foreseen, delta, breaches)
        misplaced = step_checks.residency(self.model, self.abstraction, step, delta)
        self.model_adopted = self.model_adopted or bool(misplaced)
        breaches += misplaced
        breaches += step_checks.shape(self.abstraction, delta)
        judged = self.judged
        breaches += step_checks.locks(judged, self.model, self.abstraction, delta)
        breaches += step_checks.sizes(judged, self.model, self.abstraction, seen)
        breaches += step_checks.swa_map(judged, self.abstraction, delta, system)
        breaches += step_checks.arrived(judged, self.model, self.abstraction, delta, system)
        breaches += step_checks.quiet(judged, self.model, seen)
        if judged.events:
            breaches += self.announced.changes(seen.events, delta, self.model.copies.flying)
        self.pass_over(Moment.LOOK)
        self.model.trie.changed.clear()
        self.model.refusing.difference_update(pool for pool in HOST if delta.gained[pool])
        self.model_adopted = self.model_adopted or bool(breaches)
        return breaches

    def pass_over(self, moment: Moment) -> None:
        """Count what is due now and cannot be judged."""
        missing = self.passed_over[moment]
        if missing:
            self.unjudged.update(missing)

    # -- the model's part ------------------------------------------------------------------------------------------------------

    def _before(self, step: Step, breaches: list[Breach]) -> Foreseen:
        """What the model can tell without seeing the system's choices."""
        if isinstance(step.outcome, Skipped):
            return UNREMARKABLE
        foresee = _FORESEE.get(type(step.operation))
        return UNREMARKABLE if foresee is None else foresee(self, step, step.operation, breaches)

    def _match(self, step: Step, operation: Match, breaches: list[Breach]) -> Foreseen:
        device, best = self.model.match(operation.key)
        host = step.outcome.host if isinstance(step.outcome, Matched) else None
        if self.judged.host_hits:
            shown(host, "what a match finds on the host only")
            host = host_hits(best.path(), self.config)
        _expect(step, Matched(device.end, best.end, host), breaches)
        return Foreseen(served=device)

    def _insert(self, step: Step, operation: Insert, breaches: list[Breach]) -> Foreseen:
        key, reuse = operation.key, operation.reuse
        served = self.model.match(key)[0] if reuse else None
        known = served.end if served else step.protected
        reused = step.outcome.protected if isinstance(step.outcome, Inserted) else 0
        insert = self.model.insert(
            key, reused, operation.evicted, operation.state, operation.priority
        )
        _expect(
            step, Inserted(insert.existing * self.config.page_size, known, insert.taken), breaches
        )
        return Foreseen(insert, served=served, choice=insert.opens)

    def _host_insert(self, step: Step, operation: HostInsert, breaches: list[Breach]) -> Foreseen:
        kept = self.model.host_insert(operation.key, self.model.match(operation.key)[1].end)
        _expect(step, Done(kept), breaches)
        return Foreseen(choice=True)

    def _load_back(self, step: Step, operation: LoadBack, breaches: list[Breach]) -> Foreseen:
        loading = self.model.load_back(self.model.match(operation.key)[1], operation.quota)
        return Foreseen(loading=loading, choice=not loading.refused or step.outcome != Done(0))

    def _evict(self, step: Step, operation: Evict | EvictHost, breaches: list[Breach]) -> Foreseen:
        return Foreseen(choice=self.config.write_back or step.outcome not in (Freed(0), Done(0)))

    def _copy_state(self, step: Step, operation: CopyState, breaches: list[Breach]) -> Foreseen:
        source, _ = self.model.match(operation.key)
        return Foreseen(
            source=source,
            choice=not self.model.trie.free(Pool.MAMBA) or Pool.MAMBA in self.model.refusing,
        )

    def _lock(self, step: Step, operation: Lock, breaches: list[Breach]) -> Foreseen:
        device, _ = self.model.match(operation.key)
        self.model.lock(operation.receipt, device)
        _expect(step, Locked(device.end), breaches)
        return Foreseen(served=device)

    def _host_lock(self, step: Step, operation: HostLock, breaches: list[Breach]) -> Foreseen:
        _, best = self.model.match(operation.key)
        self.model.lock_host(operation.receipt, best)
        _expect(step, Locked(best.end), breaches)
        return UNREMARKABLE

    def _adopt(self, step: Step, operation: Adopt, breaches: list[Breach]) -> Foreseen:
        path = self.model.trie.walk(operation.key)
        anchor = path[-1] if path else self.model.trie.root(operation.key.namespace)
        self.model.lock(operation.receipt, anchor)
        _expect(step, Locked(anchor.end), breaches)
        return Foreseen(served=anchor)

    def _unlock(self, step: Step, operation: Unlock, breaches: list[Breach]) -> Foreseen:
        self.model.unlock(operation.receipt)
        return UNREMARKABLE

    def _release_window(
        self, step: Step, operation: ReleaseWindow, breaches: list[Breach]
    ) -> Foreseen:
        return Foreseen(choice=self.model.release_window(operation.receipt))

    def _run_copies(self, step: Step, operation: RunCopies, breaches: list[Breach]) -> Foreseen:
        ran = self.model.copies.run(operation.count, operation.load, operation.rank, operation.fail)
        _expect(step, Done(len(ran)), breaches)
        return Foreseen(ran=[copy for copy in ran if copy.complete]) if ran else UNREMARKABLE

    def _check(
        self, step: Step, operation: WritingCheck | LoadingCheck, breaches: list[Breach]
    ) -> Foreseen:
        load, blocking = isinstance(operation, LoadingCheck), operation.blocking
        flying = self.model.copies.flying
        waiting = (
            [copy for copy in flying if copy.load == load and not copy.complete]
            if blocking and flying
            else []
        )
        _expect(step, Done(len(self.model.check(load, blocking))), breaches)
        return Foreseen(ran=waiting) if waiting else UNREMARKABLE

    def _refuse(self, step: Step, operation: Refuse, breaches: list[Breach]) -> Foreseen:
        self.model.refusing.add(operation.pool)
        return UNREMARKABLE

    # -- and of the system's choices -------------------------------------------------------------------------------------------

    def _after(self, step: Step, foreseen: Foreseen, delta: Delta, breaches: list[Breach]) -> None:
        """What the model tells from the system's choices: victims, backups it could start, whether it had room."""
        if not isinstance(step.outcome, Skipped):
            choice = Choice(delta.gone, delta.gained, sure=not self.model.refusing)
            _FOLLOW[type(step.operation)](self, step, step.operation, foreseen, choice, breaches)

    def _inserted(
        self,
        step: Step,
        operation: Insert,
        foreseen: Foreseen,
        choice: Choice,
        breaches: list[Breach],
    ) -> None:
        assert foreseen.insert is not None
        breaches += self.model.finish_insert(foreseen.insert, choice)

    def _evicted(
        self,
        step: Step,
        operation: Evict,
        foreseen: Foreseen,
        choice: Choice,
        breaches: list[Breach],
    ) -> None:
        freed, found = self.model.evict((operation.full, operation.swa, operation.mamba), choice)
        breaches += found
        _expect(step, Freed(*freed), breaches)

    def _evicted_host(
        self,
        step: Step,
        operation: EvictHost,
        foreseen: Foreseen,
        choice: Choice,
        breaches: list[Breach],
    ) -> None:
        count, found = self.model.evict_host(operation.tokens, operation.component, choice)
        breaches += found
        _expect(step, Done(count), breaches)

    def _copied_state(
        self,
        step: Step,
        operation: CopyState,
        foreseen: Foreseen,
        choice: Choice,
        breaches: list[Breach],
    ) -> None:
        model = self.model
        if not model.trie.free(Pool.MAMBA) or (Pool.MAMBA in model.refusing and any(choice.gone)):
            assert foreseen.source is not None
            model.lock("the copy of a state", foreseen.source)
            breaches += model.evict((0, 0, 1), choice)[1]
            model.unlock("the copy of a state")
        self.abstraction.take(Pool.MAMBA, step.slots)
        if not step.slots:
            breaches += step_checks.no_room(model, [(Pool.MAMBA, 1)])

    def _loaded_back(
        self,
        step: Step,
        operation: LoadBack,
        foreseen: Foreseen,
        choice: Choice,
        breaches: list[Breach],
    ) -> None:
        loading = foreseen.loading
        assert loading is not None
        loaded = False
        if not loading.refused:
            loaded = any(
                page in choice.gained[pool] for pool in DEVICE for page in loading.lists[pool]
            )
            breaches += self.model.finish_load(loading, loaded, choice)
            self.model.refusing.difference_update(
                pool for pool in DEVICE if loaded and loading.lists[pool]
            )
        _expect(step, Done(loading.full if loaded else 0), breaches)


_FORESEE: dict[type, Callable[[Judge, Step, Any, list[Breach]], Foreseen]] = {
    Match: Judge._match,
    Insert: Judge._insert,
    HostInsert: Judge._host_insert,
    LoadBack: Judge._load_back,
    Evict: Judge._evict,
    EvictHost: Judge._evict,
    CopyState: Judge._copy_state,
    Lock: Judge._lock,
    HostLock: Judge._host_lock,
    Adopt: Judge._adopt,
    Unlock: Judge._unlock,
    ReleaseWindow: Judge._release_window,
    RunCopies: Judge._run_copies,
    WritingCheck: Judge._check,
    LoadingCheck: Judge._check,
    Refuse: Judge._refuse,
}

_FOLLOW: dict[type, Callable[[Judge, Step, Any, Foreseen, Choice, list[Breach]], None]] = {
    Insert: Judge._inserted,
    Evict: Judge._evicted,
    EvictHost: Judge._evicted_host,
    CopyState: Judge._copied_state,
    LoadBack: Judge._loaded_back,
}


def _expect(step: Step, expected: Outcome, breaches: list[Breach]) -> None:
    if step.outcome == expected:
        return
    kinds = {
        Matched: Property.MATCH,
        Inserted: Property.MATCH,
        Locked: Property.MATCH,
        Freed: Property.SIZE,
        Done: Property.PROGRESS,
    }
    text = f"{step.operation}: expected {str(expected) or 'nothing'}, got {str(step.outcome) or 'nothing'}"
    breaches.append(Breach(kinds[type(expected)], f"{step.operation.name}-outcome", text))
