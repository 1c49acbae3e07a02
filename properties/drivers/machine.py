"""The Hypothesis state machine: a rule for each operation, and one for splits.

What a rule is given is the operation itself, chosen in view of the system as it is by then. So what
Hypothesis prints can be read, and runs when it is pasted:

    state = RadixMachine()
    state.build(config=Config(page_size=2), drain=Drain.BY_PAGES)
    state.insert(operation=Insert(Key((1, 2, 1, 1))))
    state.evict(operation=Evict(2))
    state.teardown()
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, note, seed, settings
from hypothesis import strategies as st
from hypothesis.control import currently_in_test_context
from hypothesis.errors import FlakyFailure
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.stateful import (
    Rule,
    RuleBasedStateMachine,
    RuleStrategy,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from radixproof.impl.operations import History, Operation
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.verdict import Breach
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.generating.configs import config
from radixproof.properties.generating.endings import Drain, closing
from radixproof.properties.generating.keys import digits
from radixproof.properties.generating.operations import LOTS, RULES, Shaper
from radixproof.properties.running.run import Run, ends, first_unknown

rolls = st.binary(min_size=7, max_size=7)
"""A number to take choices from, each as likely as any other. It is not drawn as an integer,
because Hypothesis's own backend prefers small ones, which hold few choices.
"""

OTHERS = 10
"""Lots of a rule that a subclass adds."""


class Broken(AssertionError):
    """A property was broken. Carries the history, so that a report can be made of it."""

    def __init__(self, history: History, breach: Breach) -> None:
        self.history = history
        self.breach = breach
        super().__init__(
            f"{breach.signature}: {breach.text}\n{breach.violates.sentence}\n{history.config}\n"
            f"{history}"
        )


@st.composite
def configs(draw: Callable[[Any], Any]) -> Config:
    """A configuration within the scope of the machine's system."""
    machine: CacheMachine = draw(st.runner())
    return config(Random(int.from_bytes(draw(rolls))), machine.target.scope)


class Chosen(st.SearchStrategy[Operation]):
    """An operation for the rule of this name, which suits the state that the machine is in."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def do_draw(self, data: ConjectureData) -> Operation:
        machine: CacheMachine = data.hypothesis_runner
        return machine.choose(self.name, digits(int.from_bytes(data.draw_bytes(7, 7))))


def performing(name: str) -> Any:
    """A rule that performs an operation, where there is something for it to work on."""

    def perform(self: CacheMachine, operation: Operation) -> None:
        self.perform(operation)
        for following in self.shaper.following():
            self.beforehand(following)

    def possible(self: CacheMachine) -> bool:
        return self.shaper.suits(name, self.run.judge.model)

    perform.__name__ = name
    return precondition(possible)(rule(operation=Chosen(name))(perform))


class Turns(RuleStrategy):
    """Which rule has its turn, and with what: as often as `LOTS` has it, if it is possible now.

    Hypothesis's own choice knows no weights, and takes longer than a step.
    """

    def __init__(self, machine: CacheMachine) -> None:
        super().__init__(machine)
        self.named = {one.function.__name__: one for one in self.rules}
        self.lots = LOTS + [name for name in self.named if name not in RULES for _ in range(OTHERS)]

    def do_draw(self, data: ConjectureData) -> tuple[Rule, dict[str, Any]]:
        below = digits(int.from_bytes(data.draw_bytes(7, 7)))
        while True:  # an insert, which is the first of them all, is always possible
            turn = self.named[self.lots[below(len(self.lots))]]
            if self.is_valid(turn):
                break
        return turn, {name: data.draw(values) for name, values in turn.arguments_strategies.items()}


class CacheMachine(RuleBasedStateMachine):
    """One cache under random operations; a subclass names the system, as its ``target``."""

    target: Target
    known: Collection[str] = frozenset()
    """Signatures that are passed over."""

    def __init__(self) -> None:
        super().__init__()
        self._rules_strategy = Turns(self)

    @initialize(config=configs(), drain=st.sampled_from(Drain))
    def build(self, config: Config, drain: Drain) -> None:
        """Build the system; ``drain`` is how it is emptied at the end."""
        self.config, self.drain = config, drain
        self.run = Run(self.target, config)
        self.shaper = Shaper(self.run.ledger, self.target.scope)
        self.done: list[Operation] = []
        self.over = False
        self.broken = False

    insert = performing("insert")
    match = performing("match")
    split = performing("split")
    lock = performing("lock")
    host_lock = performing("host_lock")
    unlock = performing("unlock")
    release_window = performing("release_window")
    evict = performing("evict")
    evict_host = performing("evict_host")
    load_back = performing("load_back")
    host_insert = performing("host_insert")
    run_copies = performing("run_copies")
    writing_check = performing("writing_check")
    loading_check = performing("loading_check")
    refuse = performing("refuse")
    arrive = performing("arrive")
    prefill = performing("prefill")
    decode = performing("decode")
    finish = performing("finish")
    abort = performing("abort")
    reset = performing("reset")

    def choose(self, name: str, below: Callable[[int], int]) -> Operation:
        """The operation that a rule is about to perform. What it needs beforehand is performed
        here, and printed as steps of its own.
        """
        for operation in self.shaper.by_rule(name, self.run.judge.model, below):
            if isinstance(operation, RULES[name]):
                return operation
            self.beforehand(operation)
        raise AssertionError(f"no operation was made for the rule {name}")

    def beforehand(self, operation: Operation) -> None:
        """A step that is no rule's."""
        if currently_in_test_context():
            note(f"state.{operation.name}(operation={operation!r})")
        self.perform(operation)

    def perform(self, operation: Operation) -> None:
        if self.over:
            return
        self.done.append(operation)
        self._judge(self.run.step(operation))

    def _judge(self, breaches: list[Breach]) -> None:
        unknown = first_unknown(breaches, self.known.__contains__)
        if unknown is not None:
            self.over = self.broken = True
            raise Broken(History(self.config, tuple(self.done)), unknown)
        self.over = self.over or any(map(ends, breaches))

    def teardown(self) -> None:
        """End the history: everything released and acknowledged, and the tiers emptied."""
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


class Searching(CacheMachine):
    """One that tells what it has done. Hypothesis keeps every class of a machine that it has run,
    so that this one is for all searches.
    """

    def __init__(
        self, target: Target, known: Collection[str], tell: Callable[[History], None]
    ) -> None:
        super().__init__()
        self.target, self.known, self._tell = target, known, tell

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "run") and not self.broken:
            self._tell(History(self.config, tuple(self.done)))


CHUNK = 100
"""Examples in one run of Hypothesis, before they are passed on: as many as a test has by default.

The first is the simplest one.
"""


def search(
    target: Target, number: int, examples: int, steps: int, known: Callable[[], frozenset[str]]
) -> Iterator[History | Broken]:
    """Examples of the machine, each the history or, where something broke, `Broken`.

    Each is a function of ``number``, its place, and what is ``known`` by then. The first are those
    that a test of the machine makes with the seed ``number``.

    Shrinking is left to the minimiser. After a `Broken` the search goes on with the rest of the
    budget.
    """
    place = 0
    while examples > 0:
        ran = chunk(target, number, place, min(examples, CHUNK), steps, known())
        yield from ran
        examples -= len(ran)
        place += 1


def chunk(
    target: Target,
    number: int,
    place: int,
    examples: int,
    steps: int,
    known: Collection[str],
    backend: str = BACKEND,
) -> list[History | Broken]:
    """One run of Hypothesis: chunk ``place`` of search ``number``, up to the first `Broken`.

    ``backend`` makes the choices.
    """
    ran: list[History | Broken] = []

    def machine() -> Searching:
        return Searching(target, known, ran.append)

    quiet = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        backend=backend,
    )
    try:
        factory: Any = seed(f"{number} {place}" if place else number)(machine)
        run_state_machine_as_test(factory, settings=quiet)
    except Broken as error:
        ran.append(error)
    except FlakyFailure as flaky:
        ran.append(_broken_once(flaky))
    return ran


def _broken_once(flaky: FlakyFailure) -> Broken:
    """What broke, and did not when Hypothesis ran it again: whoever gets it runs it himself, too,
    and says what he sees. An end in the middle of a step can do that, where somebody else's code
    takes the exception for another.
    """
    for error in flaky.exceptions:
        if isinstance(error, Broken):
            return error
    raise flaky
