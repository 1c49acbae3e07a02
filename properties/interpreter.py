"""One interpreter: it performs a history on a system, an operation at a time, and has every step judged.

The state machine, the soak driver, replay and the minimiser all run histories through `Run`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from radixproof.impl.system import System, Target
from radixproof.model.config import Config
from radixproof.model.history import History
from radixproof.model.observation import Observation
from radixproof.model.operations import (
    Evict,
    EvictHost,
    Insert,
    Key,
    Lock,
    Match,
    Operation,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.outcomes import Crashed, Done, Freed, Inserted, Locked, Matched, Outcome, Skipped
from radixproof.model.verdict import Breach, Property
from radixproof.properties.inspect import inspect
from radixproof.properties.judge import Judge
from radixproof.properties.step import Step

TOLERABLE = {Property.RECENCY, Property.PROGRESS, Property.MATCH, Property.BACKUP}
"""Properties whose breach leaves a state that the model can adopt and go on from. After any other, a run is over."""


MOST_UNSEEN = 32
"""Operations without a choice in a row after which nodes are looked at all the same."""


class Run:
    """One system under one history, as far as it has gone.

    ``every`` is the distance between whole inspections, in steps. None is for speed: the distance grows with the tree, so that a
    step costs the same in a large tree as in a small one, and nodes are not looked at after every operation. What a search
    finds that way, a run with ``every`` 1 pins to the step at which it happened.
    """

    def __init__(self, target: Target, config: Config, every: int | None = None) -> None:
        self.config = config
        self.every = every
        self.system: System = target.build(config)
        self.judge = Judge(config, target.dialect)
        self.receipts: dict[str, Any] = {}
        self.steps: list[Step] = []
        self.seen: Observation | None = None
        self.since_whole = 0
        self.unseen = 0

    def step(self, operation: Operation, whole: bool = False) -> list[Breach]:
        """Perform one operation and judge it. ``whole`` asks for an inspection of the whole state."""
        step = self._perform(operation)
        self.steps.append(step)
        self.since_whole += 1
        self.unseen += 1
        if not whole:
            whole = self.since_whole >= (self.every or 200 + 4 * len(self.judge.mirror.nodes))
        return self._judge(step, whole, whole or self.every is not None or self.unseen > MOST_UNSEEN)

    def finish(self) -> list[Breach]:
        """A last look at the whole state."""
        if (self.since_whole == 0 and not self.unseen) or (self.steps and isinstance(self.steps[-1].outcome, Crashed)):
            return []
        return self._judge(Step(WritingCheck(), Skipped("the end")), True, True)

    def _judge(self, step: Step, whole: bool, must_look: bool) -> list[Breach]:
        look = self._look_at_all if whole else self._look_at_changes
        breaches = self.judge.judge(step, look, must_look, self.system)
        if whole and self.seen is not None and not isinstance(step.outcome, Crashed):
            self.since_whole = 0
            breaches += inspect(self.judge, self.seen, self.system)
        return breaches

    def _look_at_all(self) -> Observation:
        self.unseen = 0
        self.seen = self.system.observe(True)
        return self.seen

    def _look_at_changes(self) -> Observation:
        self.unseen = 0
        self.seen = self.system.observe(False)
        return self.seen

    def close(self) -> None:
        self.system.close()

    # -- performing ------------------------------------------------------------------------------------------------------------

    def _perform(self, operation: Operation) -> Step:
        try:
            return self._try(operation)
        except Exception as error:  # whatever the system raises is a verdict on the system
            return Step(operation, Crashed(type(error).__name__, _first_line(error), _where(error.__traceback__)))

    def _try(self, operation: Operation) -> Step:
        system = self.system
        match operation:
            case Match(key):
                found = system.match(key)
                return Step(operation, Matched(found.device, found.best), found.slots)
            case Insert():
                return self._insert(operation)
            case Lock(receipt, key):
                if receipt in self.receipts:
                    return Step(operation, Skipped(f"{receipt} is taken"))
                found = system.match(key)
                self.receipts[receipt] = system.lock(found.anchor)
                return Step(operation, Locked(found.device), found.slots)
            case Unlock(receipt):
                if receipt not in self.receipts:
                    return Step(operation, Skipped(f"there is no receipt {receipt}"))
                system.unlock(self.receipts.pop(receipt))
                return Step(operation, Done())
            case Evict(full, swa):
                return Step(operation, Freed(*system.evict(full, swa)))
            case EvictHost(tokens, component):
                return Step(operation, Done(system.evict_host(tokens, component)))
            case RunCopies(count):
                return Step(operation, Done(system.run_copies(count)))
            case WritingCheck(blocking):
                return Step(operation, Done(system.writing_check(blocking)))
            case Reset():
                if self.receipts or self.judge.model.in_flight:
                    return Step(operation, Skipped("the cache is not idle"))
                system.reset()
                return Step(operation, Done())

    def _insert(self, operation: Insert) -> Step:
        """What a request does around an insert: it owns its slots until the tree takes them."""
        system, key, size = self.system, operation.key, self.config.page_size
        if operation.evicted > self.config.floor(len(key.tokens)):
            return Step(operation, Skipped("the SWA boundary is beyond the prompt"))
        found = system.match(key) if operation.reuse else None
        head = list(found.slots) if found else []
        tokens = len(key.tokens) - len(head)
        new = system.allocate(-(-tokens // size) * size) if tokens else []
        if new is None:
            outcome: Outcome = Skipped("the device pools have no room")
            refused = -(-tokens // size) * size
            if found:
                return Step(Match(key), Matched(found.device, found.best), head, refused)
            return Step(operation, outcome, refused=refused)
        protected, paged = len(head), self.config.floor(len(key.tokens))
        slots = head + new
        system.write(slots[protected : len(key.tokens)], self._tags(key)[protected:])
        slid = slots[protected : operation.evicted]
        if slid and self.config.window is not None:
            system.free_swa(slid)
        prefix = system.insert(key, slots[: len(key.tokens)], protected, max(protected, operation.evicted))
        if slots[paged:]:
            system.free(slots[paged:])
        return Step(operation, Inserted(prefix, protected), head)

    def _tags(self, key: Key) -> Sequence[int]:
        return self.judge.tags.of(key.namespace, 0, key.tokens)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a history first went wrong. ``step`` counts from 0; ``earlier`` are the tolerable signatures passed on the way."""

    breach: Breach
    step: int
    earlier: tuple[str, ...] = ()


def run_history(
    target: Target, history: History, tolerated: Callable[[str], bool] = lambda _: False, every: int | None = 1
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


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


def _where(trace: TracebackType | None) -> str:
    """The innermost function of the system under test."""
    where = "?"
    for frame, _ in traceback.walk_tb(trace):
        module = frame.f_globals.get("__name__", "")
        if module.startswith(("sglang.", "radixproof.impl.")) or where == "?":
            where = frame.f_code.co_qualname
    return where
