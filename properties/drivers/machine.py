"""The Hypothesis state machine: rules over the same operations as every other driver.

It takes the system as an argument, and its ``TestCase`` goes into a pytest file:

    TestMyCache = state_machine(target).TestCase

Its examples are drawn with the backend of `hypothesis_backend`. Settings of your own replace that,
unless they name it: ``settings(max_examples=1_000, backend=BACKEND)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from radixproof.impl.operations import History, Operation
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.verdict import Breach
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.generating.configs import config
from radixproof.properties.generating.endings import Drain, closing
from radixproof.properties.generating.operations import RULES, Shaper, digits
from radixproof.properties.histories.file_names import slug
from radixproof.properties.running.run import TOLERABLE, Run

rolls = st.binary(min_size=7, max_size=7)
"""A number to take choices from, each as likely as any other. It is not drawn as an integer,
because Hypothesis's own backend prefers small ones, which hold few choices.
"""


class Broken(AssertionError):
    """A property was broken. Carries the history, so that a report can be made of it."""

    def __init__(self, history: History, breach: Breach) -> None:
        self.history = history
        self.breach = breach
        super().__init__(
            f"{breach.signature}: {breach.text}\n{breach.violates.sentence}\n{history.config}\n"
            f"{history}"
        )


class CacheMachine(RuleBasedStateMachine):
    """One cache under random operations, made by `state_machine`.

    A subclass that sets ``target``, as was usual before that function existed, works as well.
    """

    target: ClassVar[Target]
    known: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        """Make its test draw from the seed alone, unless it is given settings that say
        otherwise.
        """
        cls.TestCase.settings = settings(cls.TestCase.settings, backend=BACKEND)

    @initialize(dice=rolls)
    def build(self, dice: bytes) -> None:
        rng = Random(int.from_bytes(dice))
        self.config: Config = config(rng, self.target.scope)
        self.drain = rng.choice(tuple(Drain))
        self.run = Run(self.target, self.config)
        self.shaper = Shaper(self.run.ledger, self.target.scope)
        self.done: list[Operation] = []
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

    def make(self, name: str, dice: bytes) -> None:
        """Perform an operation of one rule, if this cache has it and one is possible now."""
        for operation in self.shaper.by_rule(
            name, self.run.judge.model, digits(int.from_bytes(dice))
        ):
            self.perform(operation)

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        try:
            if not self.over:
                self._judge(self.run.finish())
            for operation in closing(self.run.judge, self.drain):
                self.perform(operation)
            if not self.over:
                self._judge(self.run.finish())
        finally:
            self.run.close()


def _rule(name: str) -> Any:
    def perform(self: CacheMachine, dice: bytes) -> None:
        self.make(name, dice)

    perform.__name__ = name
    return rule(dice=rolls)(perform)


for _name in RULES:
    setattr(CacheMachine, _name, _rule(_name))


def state_machine(target: Target, known: Iterable[str] = ()) -> type[CacheMachine]:
    """A state machine for one system, which passes over the signatures that are ``known``.

    It is a class of Hypothesis like any other: its ``TestCase`` is a test, with ``settings`` to be
    set, and it can be subclassed.
    """
    name = "".join(part.capitalize() for part in slug(target.name).split("-")) + "Machine"
    members = {"target": target, "known": frozenset(known), "__module__": __name__}
    machine: type[CacheMachine] = type(name, (CacheMachine,), members)
    return machine


CHUNK = 50
"""Examples in one run of Hypothesis, before they are passed on. The first is the simplest one."""


def search(
    target: Target,
    number: int,
    examples: int,
    steps: int,
    known: Callable[[], frozenset[str]],
    chunk: int = 0,
) -> Iterator[History | Broken]:
    """Examples of the machine, each the history or, where something broke, `Broken`.

    Each is a function of ``number``, its place, and what is ``known`` by then.

    Shrinking is left to the minimiser. After a `Broken` the search goes on with the rest of the
    budget. A search may begin with a later ``chunk``.
    """
    while examples > 0:
        ran: list[History] = []
        broken = _chunk(target, f"{number} {chunk}", min(examples, CHUNK), steps, known(), ran)
        yield from ran
        if broken is not None:
            yield broken
        examples -= len(ran) + (broken is not None)
        chunk += 1


def _chunk(
    target: Target, name: str, examples: int, steps: int, known: frozenset[str], ran: list[History]
) -> Broken | None:
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
        backend=BACKEND,
    )
    try:
        factory: Any = seed(name)(Machine)
        run_state_machine_as_test(factory, settings=quiet)
    except Broken as error:
        return error
    return None
