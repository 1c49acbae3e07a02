"""A search in units: the parts of it that are run at a stretch, and what is kept of each.

What a unit yields is a function of the system, the seed, the unit and the known signatures, so that
it does not matter where, when and in which order units are run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.coverage.milestones import Milestone
from radixproof.properties.drivers import machine, soak
from radixproof.properties.judging.applicable import Unjudged
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.passed_over import PassedOver
from radixproof.properties.running.replaying import fits, replayed
from radixproof.properties.search.budget import Budget

CORPUS, MACHINE, SOAK = "corpus", "state machine", "soak"


@dataclass(frozen=True, slots=True)
class Unit:
    """One stored history, one history of the soak, or one chunk of examples of the machine."""

    driver: str
    number: int
    examples: int = 1


@dataclass(frozen=True, slots=True)
class Broken:
    """A history that ends with a breach that was not known."""

    history: History
    breach: Breach


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a history that was run."""

    steps: int
    broken: Broken | None = None
    milestones: Counter[Milestone] = field(default_factory=Counter)
    unjudged: Counter[Unjudged] = field(default_factory=Counter)
    met: History | None = None
    """The history itself, if something was met in it that is to be compared."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A unit that was run: its histories, of which only the last can be broken."""

    histories: tuple[Kept, ...]
    passed_over: Counter[str]
    """How often each known signature was met."""

    @property
    def broken(self) -> Broken | None:
        return self.histories[-1].broken if self.histories else None


class Units:
    """Runs the units of one search. Of its ``stored`` histories, those count that the target
    fits; those are kept in which a signature is met that is to be ``compared``.
    """

    def __init__(
        self,
        target: Target,
        seed: int,
        budget: Budget,
        stored: Iterable[History] = (),
        compared: Sequence[str] = (),
    ) -> None:
        self.target, self.seed, self.budget = target, seed, budget
        self.stored = [history for history in stored if fits(history, target.scope)]
        self.compared = compared

    def run(self, unit: Unit, known: Iterable[str]) -> Ran:
        """Run one unit; signatures that are ``known`` are passed over."""
        passed_over = PassedOver(known)
        histories: list[Kept] = []
        before = 0
        for ran in self._histories(unit, passed_over):
            now = sum(passed_over.met[signature] for signature in self.compared)
            histories.append(_kept(ran, now > before))
            before = now
        return Ran(tuple(histories), passed_over.met)

    def _histories(self, unit: Unit, known: PassedOver) -> Iterable[JudgedHistory]:
        target, number = self.target, unit.number
        match unit.driver:
            case "corpus":
                return replayed(target, [self.stored[number]], known.__contains__)
            case "state machine":
                steps = self.budget.example_steps
                examples = machine.chunk(target, self.seed, number, unit.examples, steps, known)
                return map(of_machine, examples)
            case _:
                return [soak.one(target, self.seed, number, known.__contains__)]


def of_machine(example: History | machine.Broken) -> JudgedHistory:
    """An example of the state machine, in the form in which the soak has its histories."""
    if isinstance(example, machine.Broken):
        return JudgedHistory(example.history, example.breach)
    return JudgedHistory(example, None)


def _kept(ran: JudgedHistory, met: bool) -> Kept:
    broken = None if ran.breach is None else Broken(ran.history, ran.breach)
    kept = Kept(len(ran.history.operations), broken, ran.milestones or Counter(), ran.unjudged)
    return replace(kept, met=ran.history) if met else kept
