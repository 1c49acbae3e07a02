"""A history run: performed on a system an operation at a time, with every step judged.

The state machine, the soak driver, replay and the minimiser all run histories through `Run`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from radixproof.impl.observation import NodeView, Observation
from radixproof.impl.operations import History, Operation, Reset, WritingCheck
from radixproof.impl.replicas import Diverged
from radixproof.impl.revealing import Ordering
from radixproof.impl.system import Complaint, Target
from radixproof.model.config import Config
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging.applicable import Unjudged
from radixproof.properties.judging.judge import Judge
from radixproof.properties.judging.races import Races
from radixproof.properties.judging.state_checks import inspect
from radixproof.properties.judging.step_checks import DIVERGED, crashed
from radixproof.properties.performing.crash import (
    crash,
    is_from_the_system,
    is_of_the_system,
    plain,
)
from radixproof.properties.performing.outcomes import Crashed, Skipped
from radixproof.properties.performing.performer import Performer
from radixproof.properties.performing.ranks import Ranks
from radixproof.properties.performing.step import Step
from radixproof.properties.running import journal

TOLERABLE = {
    Property.RECENCY,
    Property.PROGRESS,
    Property.MATCH,
    Property.BACKUP,
    Property.EVENT,
    Property.RACE,
}
"""Properties whose breach leaves a state that the model can adopt and go on from. After any other,
a run is over.
"""

CHECKED_ITSELF = 8
"""Steps after which a system that can check itself is told to, when no request uses it next."""

COMPLAINT = "self-check-"
"""What rules begin with that are about what a system's own check finds."""

MOST_UNSEEN = 32
"""Most choice-free steps between observations."""

_END = Step(WritingCheck(), Skipped("the end"))
"""What is judged when the whole is looked at one last time."""


class Run:
    """One system under one history, as far as it has gone: performer, ledger and judge.

    ``every`` is the distance between inspections of the whole state, in steps. None is for speed:
    the distance grows with the tree, so that a step costs the same in a large tree as in a small
    one, and nodes are not looked at after every operation. A run with ``every`` 1 then pins what a
    search finds to the step at which it happened.
    """

    def __init__(self, target: Target, config: Config, every: int | None = None) -> None:
        self.config = config
        self.every = every
        self.journal = journal.current()
        self.journal.building(config)
        self.performer = Performer(target, config)
        self.journal.idle()
        self.system, self.ledger = self.performer.system, self.performer.ledger
        self.scope = target.scope
        self.judge = Judge(config, target.dialect, target.sight, self.ledger)
        self.races = [(one, Races()) for one in self.systems if isinstance(one, Ordering)]
        self.steps: list[Step] = []
        """The operations so far, each with the outcome of its last part."""
        self.last_parts: list[Step] = []
        """What the last of them consisted of."""
        self.nodes: dict[int, NodeView] = {}
        """Every node as last seen, also those that the judge can make no sense of."""
        self.seen: Observation | None = None
        """The last observation, whole or not."""
        self.since_whole = 0
        self.since_self_check = 0
        self.flawless = True
        """Nothing has been found so far."""
        self.unseen = 0

    def step(self, operation: Operation, whole: bool = False) -> list[Breach]:
        """Perform one operation and judge it, part by part. ``whole`` asks for
        inspections of the whole state.
        """
        self.since_whole += 1
        breaches: list[Breach] = []
        step: Step | None = None
        self.last_parts = []
        for step in self._performed(operation):
            self.last_parts.append(step)
            self.unseen += 1
            self.since_self_check += 1
            look_at_all = whole or self.every == 1 or self.since_whole >= self.distance
            must_look = look_at_all or self.every is not None or self.unseen > MOST_UNSEEN
            found = self._judge(step, look_at_all, must_look)
            if found:
                breaches += found
                if any(map(ends, found)):
                    break
        assert step is not None
        self.judge.note_allocations()
        self.journal.idle()
        self.steps.append(step if step.operation is operation else Step(operation, step.outcome))
        return breaches

    def _performed(self, operation: Operation) -> Iterable[Step]:
        """The parts of an operation. One that ended a process before is not performed again."""
        ending = self.journal.before(operation)
        if ending is not None:
            return (Step(operation, ending),)
        return self.performer.perform(operation)

    @property
    def systems(self) -> Sequence[object]:
        """The system, or every rank of it."""
        return self.system.systems if isinstance(self.system, Ranks) else [self.system]

    @property
    def distance(self) -> int:
        """Steps from one whole inspection to the next, which costs about as much as a step for
        every node: a thirtieth in all.
        """
        return self.every or 400 + 32 * len(self.judge.abstraction.nodes)

    def finish(self) -> list[Breach]:
        """Inspect the whole state one last time."""
        if (self.since_whole == 0 and not self.unseen) or (
            self.steps and isinstance(self.steps[-1].outcome, Crashed)
        ):
            return []
        self.journal.looking()
        breaches = self._judge(_END, True, True)
        self.journal.idle()
        return breaches

    @property
    def unjudged(self) -> Counter[Unjudged]:
        """How often each check was due and could not be made, because the system does
        not show what it needs.
        """
        return self.judge.unjudged

    def close(self) -> None:
        self.journal.closing()
        self.performer.close()
        self.journal.idle()

    def _judge(self, step: Step, whole: bool, must_look: bool) -> list[Breach]:
        look = self._look_at_all if whole else self._look_at_changes
        try:
            raced = self._raced(step)
            breaches = self.judge.judge(step, look, must_look, self.system)
            if raced:
                breaches[_first_of_content(breaches) : 0] = raced
            if self.judge.given_up:
                return breaches
            if whole and self.seen is not None and not isinstance(step.outcome, Crashed):
                self.since_whole = 0
                breaches += inspect(self.judge, self.seen, self.system)
            self.flawless = self.flawless and not breaches
            if self._is_to_check_itself():
                self.system.check_itself()
        except Complaint as complaint:
            found = plain(" ".join(str(complaint).split()))
            text = f"{step.operation}: then the system's own check finds: {found}"
            return [Breach(Property.NOCRASH, COMPLAINT + plain(complaint.kind), text)]
        except Diverged as error:  # seen only when the ranks were looked at
            rule = DIVERGED[type(error).__name__]
            return [Breach(Property.RANK, rule, f"{step.operation}: {error}")]
        except BaseException as error:  # raised where the system was looked at
            if not (is_of_the_system(error) and is_from_the_system(error)):
                raise
            return [crashed(self.steps[-1] if step is _END else step, crash(error))]
        return breaches

    def _raced(self, step: Step) -> list[Breach]:
        """What nothing orders of what a step has submitted, on each rank."""
        breaches: list[Breach] = []
        for system, races in self.races:
            entries = system.ordering()
            if entries:
                breaches += races.follow(entries, step.operation)
            if isinstance(step.operation, Reset) and not isinstance(step.outcome, Skipped):
                races.reset()
        return breaches

    def _is_to_check_itself(self) -> bool:
        """Whether it can, has not done so for a while, and no request uses it. What it says after
        something was found follows from that.
        """
        due = self.since_self_check >= (self.every or CHECKED_ITSELF)
        if not (self.scope.self_checks and due and self.flawless and self.ledger.unused):
            return False
        self.since_self_check = 0
        return True

    def _look_at_all(self) -> Observation:
        return self._look(True)

    def _look_at_changes(self) -> Observation:
        return self._look(False)

    def _look(self, whole: bool) -> Observation:
        self.unseen = 0
        self.seen = seen = self.system.observe(whole)
        if seen.whole is not None:
            self.nodes.clear()
        for node in seen.removed:
            self.nodes.pop(node, None)
        for view in seen.nodes:
            self.nodes[view.id] = view
        return seen


def _first_of_content(breaches: Sequence[Breach]) -> int:
    """Where breaches of content begin, which may come of a race; the others do not."""
    of_content = (breach.violates is Property.CONTENT for breach in breaches)
    return next((at for at, one in enumerate(of_content) if one), len(breaches))


def ends(breach: Breach) -> bool:
    """Whether the model cannot go on after it: the tree has not the shape that the rules are about,
    or may not have it. A system's own check leaves everything as it is.
    """
    if breach.violates in TOLERABLE:
        return breach.rule == "parent-missing"
    return not breach.rule.startswith(COMPLAINT)


def first_unknown(breaches: Iterable[Breach], known: Callable[[str], bool]) -> Breach | None:
    """The first breach of a step that is not known.

    None is, after one after which the model cannot go on: what follows that may follow from it.
    """
    for breach in breaches:
        if not known(breach.signature):
            return breach
        if ends(breach):
            return None
    return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a history first went wrong. ``step`` counts from 0; ``earlier`` are the tolerated
    signatures that came before.
    """

    breach: Breach
    step: int
    earlier: tuple[str, ...] = ()


class Ran(NamedTuple):
    """How a history ran."""

    verdict: Verdict | None
    tolerated: tuple[str, ...] = ()
    """Tolerated signatures that were met."""
    ended: bool = False
    """Whether one of them ended the run, since the model could not go on after it."""


def run_history(
    target: Target,
    history: History,
    tolerated: Callable[[str], bool] = lambda _: False,
    every: int | None = 1,
    looked: int = 0,
) -> Verdict | None:
    """Run a history to its first breach that is not tolerated; None if there is none.

    A tolerated signature is passed over if the model can go on after it; if it cannot, the run ends
    there without a verdict. The whole is looked at after ``looked`` operations, and at the end.
    """
    return ran(target, history, tolerated, every, looked).verdict


def ran(
    target: Target,
    history: History,
    tolerated: Callable[[str], bool],
    every: int | None = 1,
    looked: int = 0,
) -> Ran:
    """Run a history as `run_history` does."""
    run = Run(target, history.config, every)
    met: dict[str, None] = {}
    try:
        for at, operation in enumerate(history.operations):
            breaches = run.step(operation)
            if at + 1 in (looked, len(history.operations)):
                breaches += run.finish()
            unknown = first_unknown(breaches, tolerated)
            if unknown is not None:
                return Ran(Verdict(unknown, at, tuple(met)), tuple(met))
            met.update(dict.fromkeys(breach.signature for breach in breaches))
            if any(map(ends, breaches)):
                return Ran(None, tuple(met), ended=True)
        return Ran(None, tuple(met))
    finally:
        run.close()
