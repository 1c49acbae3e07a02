"""The Hypothesis state machine: rules over the same operations as every other driver, judged by the same interpreter.

It is made to be subclassed: set ``target``, and take ``YourMachine.TestCase`` into a pytest file.

    class TestMyCache(CacheMachine.TestCase): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from radixproof.impl.system import Target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.history import History
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
from radixproof.model.verdict import Breach
from radixproof.properties.interpreter import TOLERABLE, Run
from radixproof.properties.shapes import LONGEST_PAGES, Drain, Prompts, closing, config, missing_room

small = st.integers(0, 15)
sizes = st.integers(1, 4)


class Broken(AssertionError):
    """A property was broken. Carries the history, so that a report can be made of it."""

    def __init__(self, history: History, breach: Breach) -> None:
        self.history = history
        self.breach = breach
        super().__init__(f"{breach.signature}: {breach.text}\n{breach.violates.value}\n{history.config}\n{history}")


class CacheMachine(RuleBasedStateMachine):
    """One cache under random operations. ``target`` is the system; ``known`` says which signatures to pass over."""

    target: ClassVar[Target]
    known: ClassVar[frozenset[str]] = frozenset()

    @initialize(rng=st.randoms(use_true_random=False))
    def build(self, rng: Random) -> None:
        self.config: Config = config(rng)
        self.prompts = Prompts(self.config)
        self.drain = rng.choice(tuple(Drain))
        self.run = Run(self.target, self.config)
        self.done: list[Operation] = []
        self.locks = 0
        self.over = False
        self.broken = False

    def perform(self, operation: Operation) -> None:
        if self.over:
            return
        self.done.append(operation)
        self._judge(self.run.step(operation))

    def _judge(self, breaches: list[Breach]) -> None:
        for breach in breaches:
            if breach.signature not in self.known:
                self.over = self.broken = True
                raise Broken(History(self.config, tuple(self.done)), breach)
            self.over = self.over or breach.violates not in TOLERABLE

    def key(self, base: int, keep: int, tail: int, bits: int) -> Key:
        size = self.config.page_size
        return self.prompts.derive(base, keep % (LONGEST_PAGES + 1) * size, tail % 4 * size + tail // 12, bits, base)

    @rule(base=small, keep=small, tail=small, bits=st.integers(0, 255), boundary=small, reuse=st.booleans(), room=st.booleans())
    def insert(self, base: int, keep: int, tail: int, bits: int, boundary: int, reuse: bool, room: bool) -> None:
        key = self.key(base, keep, tail, bits)
        pages = len(key.tokens) // self.config.page_size
        evicted = boundary % (pages + 1) * self.config.page_size if self.config.window is not None else 0
        eviction = missing_room(key, self.run.judge.model, reuse) if room else None
        if eviction is not None:
            self.perform(eviction)
        self.prompts.remember(key)
        self.perform(Insert(key, evicted, reuse))

    @rule(base=small, keep=small, tail=small, bits=st.integers(0, 255))
    def match(self, base: int, keep: int, tail: int, bits: int) -> None:
        self.perform(Match(self.key(base, keep, tail, bits)))

    @rule(base=small, keep=small)
    def lock(self, base: int, keep: int) -> None:
        self.locks += 1
        self.perform(Lock(f"r{self.locks}", self.key(base, keep, 0, 0)))

    @precondition(lambda self: self.locks > 0)
    @rule(which=small)
    def unlock(self, which: int) -> None:
        self.perform(Unlock(f"r{1 + which % self.locks}"))

    @rule(full=st.integers(0, 4), swa=st.integers(0, 4), everything=st.booleans())
    def evict(self, full: int, swa: int, everything: bool) -> None:
        size = self.config.page_size
        tokens = self.config.slots(Pool.FULL) if everything else full * size
        self.perform(Evict(tokens, swa * size if self.config.window is not None else 0))

    @rule(pages=sizes, component=st.sampled_from(Component))
    def evict_host(self, pages: int, component: Component) -> None:
        if component in self.config.components:
            self.perform(EvictHost(pages * self.config.page_size, component))

    @rule(count=st.integers(1, 2))
    def run_copies(self, count: int) -> None:
        self.perform(RunCopies(count))

    @rule(blocking=st.booleans())
    def writing_check(self, blocking: bool) -> None:
        self.perform(WritingCheck(blocking))

    @precondition(lambda self: len(self.done) > 20)
    @rule()
    def reset(self) -> None:
        self.perform(Reset())

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        try:
            if not self.over:
                self._judge(self.run.finish())
            for operation in closing(self.run.judge.model, self.drain):
                self.perform(operation)
            if not self.over:
                self._judge(self.run.finish())
        finally:
            self.run.close()


CHUNK = 25
"""Examples a run of Hypothesis makes at a time, so that progress can be shown and a search stopped."""


def search(
    target: Target, number: int, examples: int, steps: int, known: Callable[[], frozenset[str]]
) -> Iterator[History | Broken]:
    """Examples of the machine, each a function of ``number`` and what is ``known`` by then: the history, or `Broken`.

    Shrinking is left to the minimiser. After a `Broken` the search goes on with the rest of the budget.
    """
    chunk = 0
    while examples > 0:
        ran: list[History] = []
        broken = _chunk(target, f"{number} {chunk}", min(examples, CHUNK), steps, known(), ran)
        yield from ran
        if broken is not None:
            yield broken
        examples -= len(ran) + (broken is not None)
        chunk += 1


def _chunk(target: Target, name: str, examples: int, steps: int, known: frozenset[str], ran: list[History]) -> Broken | None:
    class Machine(CacheMachine):
        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "run") and not self.broken:
                ran.append(History(self.config, tuple(self.done)))

    Machine.target, Machine.known = target, known
    quiet = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
    )
    try:
        factory: Any = seed(name)(Machine)
        run_state_machine_as_test(factory, settings=quiet)
    except Broken as error:
        return error
    return None
