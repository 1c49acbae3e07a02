"""One interpreter: it performs a history on a system, an operation at a time, and has every step judged.

The state machine, the soak driver, replay and the minimiser all run histories through `Run`.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, get_args

from radixproof.impl.observation import Observation
from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Refuse,
    ReleaseWindow,
    Requested,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.system import Complete, Target, Unavailable, close, complete
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging.applicable import Unjudged
from radixproof.properties.judging.judge import Judge
from radixproof.properties.judging.state_checks import inspect
from radixproof.properties.performing.outcomes import (
    Crashed,
    Done,
    Freed,
    Inserted,
    Locked,
    Matched,
    Skipped,
)
from radixproof.properties.performing.ranks import Diverged, Ranks
from radixproof.properties.performing.requests import Requests
from radixproof.properties.performing.step import Step

TOLERABLE = {Property.RECENCY, Property.PROGRESS, Property.MATCH, Property.BACKUP}
"""Properties whose breach leaves a state that the model can adopt and go on from. After any other, a run is over."""


REQUESTED = get_args(Requested)
HOSTED = (HostLock, EvictHost, LoadBack, HostInsert)
"""Operations that only a cache with a host tier has."""

MOST_UNSEEN = 32
"""Operations without a choice in a row after which nodes are looked at all the same."""


class Run:
    """One system under one history, as far as it has gone.

    ``every`` is the distance between whole inspections, in steps. None is for speed: the distance grows with the tree, so that a
    step costs the same in a large tree as in a small one, and nodes are not looked at after every operation. What a search
    finds that way, a run with ``every`` 1 pins to the step at which it happened.
    """

    def __init__(self, target: Target, config: Config, every: int | None = None) -> None:
        refusal = target.scope.refuses(config)
        if refusal:
            raise Unavailable(f"{target.name} cannot be built with {refusal}")
        self.config = config
        self.every = every
        self.scope = target.scope
        self.offers = target.scope.offers()
        systems = [complete(target.build(config), target.scope) for _ in range(config.ranks)]
        self.system: Complete = systems[0] if config.ranks == 1 else Ranks(systems)
        self.judge = Judge(config, target.dialect, target.sight)
        self.receipts: dict[str, Any] = {}
        self.host_receipts: dict[str, Any] = {}
        self.requests = Requests(self.system, self.judge, config, self.offers, self.receipts)
        self.steps: list[Step] = []
        """The operations so far, each with the outcome of its last part."""
        self.seen: Observation | None = None
        self.since_whole = 0
        self.unseen = 0

    def step(self, operation: Operation, whole: bool = False) -> list[Breach]:
        """Perform one operation and judge it, part by part. ``whole`` asks for inspections of the whole state."""
        self.since_whole += 1
        breaches: list[Breach] = []
        step: Step | None = None
        for step in self._performed(operation):
            self.unseen += 1
            look_at_all = whole or self.since_whole >= self.distance
            found = self._judge(
                step,
                look_at_all,
                look_at_all or self.every is not None or self.unseen > MOST_UNSEEN,
            )
            if found:
                breaches += found
                if any(breach.violates not in TOLERABLE for breach in found):
                    break
        assert step is not None
        self.steps.append(step if step.operation is operation else Step(operation, step.outcome))
        return breaches

    @property
    def distance(self) -> int:
        """Steps from one whole inspection to the next, which costs about as much as a step for every node: a thirtieth in all."""
        return self.every or 400 + 32 * len(self.judge.abstraction.nodes)

    def finish(self) -> list[Breach]:
        """A last look at the whole state."""
        if (self.since_whole == 0 and not self.unseen) or (
            self.steps and isinstance(self.steps[-1].outcome, Crashed)
        ):
            return []
        return self._judge(Step(WritingCheck(), Skipped("the end")), True, True)

    def _judge(self, step: Step, whole: bool, must_look: bool) -> list[Breach]:
        look = self._look_at_all if whole else self._look_at_changes
        try:
            breaches = self.judge.judge(step, look, must_look, self.system)
            if whole and self.seen is not None and not isinstance(step.outcome, Crashed):
                self.since_whole = 0
                breaches += inspect(self.judge, self.seen, self.system)
        except Diverged as error:  # seen only when the ranks were looked at
            return [Breach(Property.RANK, "diverged", f"{step.operation}: {error}")]
        return breaches

    def _look_at_all(self) -> Observation:
        self.unseen = 0
        self.seen = self.system.observe(True)
        return self.seen

    def _look_at_changes(self) -> Observation:
        self.unseen = 0
        self.seen = self.system.observe(False)
        return self.seen

    @property
    def unjudged(self) -> Counter[Unjudged]:
        """How often each check was due and could not be made, because the system does not show what it needs."""
        return self.judge.unjudged

    def close(self) -> None:
        close(self.system)

    # -- performing ------------------------------------------------------------------------------------------------------------

    def _performed(self, operation: Operation) -> Iterable[Step]:
        """The parts of an operation, each performed when it is asked for. What the system raises is a verdict, and ends it."""
        if not self.scope.namespaces and self.scope.declines(operation):
            return (Step(operation, Skipped(self.scope.declines(operation))),)
        if isinstance(operation, REQUESTED):
            return self._requested(operation)
        try:
            return (self._perform(operation),)
        except Exception as error:
            return (_crash(operation, error),)

    def _requested(self, operation: Requested) -> Iterator[Step]:
        try:
            yield from self.requests.perform(operation)
        except Exception as error:
            yield _crash(operation, error)

    def _perform(self, operation: Operation) -> Step:
        kind = type(operation)
        if kind not in self.offers:
            return Step(operation, Skipped("the system has no such operation"))
        if kind in HOSTED and not self.config.hosted:
            return Step(operation, Skipped("there is no host tier"))
        return _PERFORM[kind](self, operation)

    def _match(self, operation: Match) -> Step:
        found = self.system.match(operation.key)
        return Step(operation, Matched(found.device, found.best, found.host), found.slots)

    def _evict(self, operation: Evict) -> Step:
        return Step(
            operation, Freed(*self.system.evict(operation.full, operation.swa, operation.mamba))
        )

    def _evict_host(self, operation: EvictHost) -> Step:
        return Step(operation, Done(self.system.evict_host(operation.tokens, operation.component)))

    def _load_back(self, operation: LoadBack) -> Step:
        return self.requests.load_back(operation)

    def _reset(self, operation: Reset) -> Step:
        if (
            self.receipts
            or self.host_receipts
            or self.requests.alive
            or self.judge.model.copies.flying
        ):
            return Step(operation, Skipped("the cache is not idle"))
        self.system.reset()
        return Step(operation, Done())

    def _run_copies(self, operation: RunCopies) -> Step:
        system = (
            self.system.systems[operation.rank] if isinstance(self.system, Ranks) else self.system
        )
        if operation.fail and not self.scope.failing_copies:
            return Step(operation, Skipped("copies of this system cannot fail"))
        return Step(
            operation, Done(system.run_copies(operation.count, operation.load, operation.fail))
        )

    def _writing_check(self, operation: WritingCheck) -> Step:
        return Step(operation, Done(self.system.writing_check(operation.blocking)))

    def _loading_check(self, operation: LoadingCheck) -> Step:
        return Step(operation, Done(self.system.loading_check(operation.blocking)))

    def _refuse(self, operation: Refuse) -> Step:
        if operation.pool not in self.config.pools:
            return Step(operation, Skipped(f"there is no {operation.pool.name} pool"))
        self.system.refuse(operation.pool)
        return Step(operation, Done())

    def _lock(self, operation: Lock) -> Step:
        if self._taken(operation.receipt):
            return Step(operation, Skipped(f"{operation.receipt} is taken"))
        found = self.system.match(operation.key)
        self.receipts[operation.receipt] = self.system.lock(found.anchor)
        return Step(operation, Locked(found.device), found.slots)

    def _host_lock(self, operation: HostLock) -> Step:
        if self._taken(operation.receipt):
            return Step(operation, Skipped(f"{operation.receipt} is taken"))
        found = self.system.match(operation.key)
        self.host_receipts[operation.receipt] = self.system.lock_host(found.best_anchor)
        return Step(operation, Locked(found.best))

    def _unlock(self, operation: Unlock) -> Step:
        if operation.receipt in self.receipts:
            self.system.unlock(self.receipts.pop(operation.receipt))
        elif operation.receipt in self.host_receipts:
            self.system.unlock_host(self.host_receipts.pop(operation.receipt))
        else:
            return Step(operation, Skipped(f"there is no receipt {operation.receipt}"))
        return Step(operation, Done())

    def _release_window(self, operation: ReleaseWindow) -> Step:
        if operation.receipt not in self.receipts or not self.judge.model.may_release(
            operation.receipt
        ):
            return Step(operation, Skipped(f"the window of {operation.receipt} is not locked"))
        self.system.release_window(self.receipts[operation.receipt])
        return Step(operation, Done())

    def _taken(self, receipt: str) -> bool:
        return receipt in self.receipts or receipt in self.host_receipts

    def _insert(self, operation: Insert) -> Step:
        """What a request does that ends at once: it owns its slots until the tree takes them."""
        system, key, size = self.system, operation.key, self.config.page_size
        units = len(self.requests.units(key))
        paged = self.config.floor(units)
        if operation.evicted and self.config.window is None:
            return Step(operation, Skipped("there is no SWA"))
        if operation.evicted > paged:
            return Step(operation, Skipped("the SWA boundary is beyond the prompt"))
        found = system.match(key) if operation.reuse else None
        head = list(found.slots) if found else []
        need = -(-(units - len(head)) // size) * size
        new = system.allocate(need) if need else []
        wanted = self.requests.joint(need)
        state = None
        if new is not None and operation.state:
            state = system.allocate_state()
            wanted = [(Pool.MAMBA, 1)]
        if new is None or (operation.state and state is None):
            if new:
                system.free(new)
            if found:
                return Step(
                    Match(key), Matched(found.device, found.best, found.host), head, refused=wanted
                )
            return Step(operation, Skipped("the device pools have no room"), refused=wanted)
        if need and self.judge.model.refusing:
            self.judge.model.refusing.difference_update(
                pool for pool, _ in self.requests.joint(need)
            )
        protected, slots = len(head), head + new
        tags = self._tags(key)
        system.write(slots[protected:units], tags[protected:])
        slid = slots[protected : operation.evicted]
        if slid and self.config.window is not None:
            system.free_swa(slid)
        if state is not None:
            system.write_state(state, tags[paged - 1] if paged else 0)
            self.judge.model.refusing.discard(Pool.MAMBA)
        evicted = max(protected, operation.evicted)
        inserted = system.insert(key, slots[:units], protected, evicted, state, operation.priority)
        if slots[paged:]:
            system.free(slots[paged:])
        if state is not None and not inserted.taken:
            system.free_state(state)
        return Step(operation, Inserted(inserted.reused, protected, inserted.taken), head)

    def _host_insert(self, operation: HostInsert) -> Step:
        """What a prefetch does that has fetched everything: host slots for what neither tier has, filled, and handed over."""
        key = operation.key
        found = self.system.match(key)
        seen = Matched(found.device, found.best, found.host)
        tags = self._tags(key)[found.best : self.config.floor(len(self.requests.units(key)))]
        if not tags:
            return Step(Match(key), seen, found.slots)
        slots = self.system.allocate_host(len(tags))
        if slots is None:
            return Step(Match(key), seen, found.slots, refused=[(Pool.FULL_HOST, len(tags))])
        self.system.write_host(slots, tags)
        return Step(operation, Done(self.system.insert_host(key, slots, found.best)))

    def _tags(self, key: Key) -> Sequence[int]:
        return self.judge.tags.of(key.namespace, 0, self.requests.units(key))


_PERFORM: dict[type, Callable[[Run, Any], Step]] = {
    Match: Run._match,
    Insert: Run._insert,
    HostInsert: Run._host_insert,
    LoadBack: Run._load_back,
    Evict: Run._evict,
    EvictHost: Run._evict_host,
    Lock: Run._lock,
    HostLock: Run._host_lock,
    Unlock: Run._unlock,
    ReleaseWindow: Run._release_window,
    RunCopies: Run._run_copies,
    WritingCheck: Run._writing_check,
    LoadingCheck: Run._loading_check,
    Refuse: Run._refuse,
    Reset: Run._reset,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a history first went wrong. ``step`` counts from 0; ``earlier`` are the tolerable signatures passed on the way."""

    breach: Breach
    step: int
    earlier: tuple[str, ...] = ()


def run_history(
    target: Target,
    history: History,
    tolerated: Callable[[str], bool] = lambda _: False,
    every: int | None = 1,
) -> Verdict | None:
    """Run a history to its first breach that is not tolerated. None: there was none.

    A tolerated signature is passed over if the model can go on after it; if it cannot, the run ends there without a verdict.
    """
    run = Run(target, history.config, every)
    earlier: list[str] = []
    try:
        for at, operation in enumerate(history.operations):
            breaches = run.step(operation)
            if at == len(history.operations) - 1:
                breaches += run.finish()
            for breach in breaches:
                if not tolerated(breach.signature):
                    return Verdict(breach, at, tuple(earlier))
            if any(breach.violates not in TOLERABLE for breach in breaches):
                return None
            earlier += [breach.signature for breach in breaches if breach.signature not in earlier]
        return None
    finally:
        run.close()


def _crash(operation: Operation, error: Exception) -> Step:
    return Step(
        operation, Crashed(type(error).__name__, _first_line(error), _where(error.__traceback__))
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


def _where(trace: TracebackType | None) -> str:
    """The innermost function of the system under test; of one that is not ours and not SGLang, of anything but the harness."""
    frames = [
        (frame.f_globals.get("__name__", ""), frame.f_code.co_qualname)
        for frame, _ in traceback.walk_tb(trace)
    ]
    known = [name for module, name in frames if module.startswith(("sglang.", "radixproof.impl."))]
    others = [
        name
        for module, name in frames
        if not module.startswith(("radixproof.properties.", "radixproof.model."))
    ]
    return (known or others or ["?"])[-1]
