"""From a death to a finding: does it come again, and by which shortest history?

Every run is one of a child of its own. Most of them are forked from a process that has imported the
system already. Where forks of such a process do not show what a new process shows (threads and
devices are not always forked), every child imports the system anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from operator import ne
from typing import TypeAlias

from radixproof.impl.operations import History
from radixproof.impl.system import Target, Unavailable
from radixproof.model.verdict import Breach, Property
from radixproof.properties.guarding.child import Died, Ending, Tell, in_child
from radixproof.properties.guarding.deaths import FROM_OUTSIDE, breach, death
from radixproof.properties.guarding.starting import started
from radixproof.properties.performing.outcomes import Outcome
from radixproof.properties.running.journal import Death, Doing
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.run import Run, Verdict, ends
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.minimise import minimise

SECONDS = 45.0
"""After so long, the shortest history so far must do."""
SHORTEST = 0.3
"""Seconds that a step is waited for, at least, when a shorter history that hangs is looked for."""
SLOWER = 50
"""How much slower than any step before it a step must be there, to be taken for one that hangs."""

Told: TypeAlias = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Went:
    """A history that did not end its process: every outcome, and the first breach, if any."""

    outcomes: tuple[Outcome, ...]
    breach: Breach | None


def settled(
    system: str,
    found: Death,
    known: Collection[str],
    step_seconds: float,
    tell: Told,
    stop: Callable[[], bool] = lambda: False,
    again: Ending[Went] | None = None,
) -> tuple[Finding, Death]:
    """The finding in a death, and the death of its shortest history.

    If it does not come again when its history is run once more, that is the finding. ``tell`` is
    told the signature, and how many operations are left while it is shrunk. When ``stop`` says so,
    the history is left as it is. What `run_again` made of it may be known already.

    Raises `Unavailable` if it was nothing that the system did.
    """
    if stop():
        return _finding(breach(found), found.history, found.history, shrunk=False), found
    signature = breach(found).signature
    again = again or run_again(system, found, known, step_seconds)
    same = _the_same(system, again, signature)
    if same is None:
        return _finding(unrepeated(system, found, again), found.history, found.history), found
    smallest = _smallest(system, same, again.slowest, step_seconds, partial(tell, signature), stop)
    return _finding(breach(smallest), smallest.history, found.history, not stop()), smallest


def run_again(
    system: str, found: Death, known: Collection[str], step_seconds: float
) -> Ending[Went]:
    """How the history of a death ends when it is run once more, in a new process."""
    return _alone(system, found.history, known.__contains__, None, step_seconds)


def comes_again(system: str, found: Death, again: Ending[Went]) -> bool:
    """Whether that was the same death."""
    return _the_same(system, again, breach(found).signature) is not None


def _finding(breach: Breach, history: History, original: History, shrunk: bool = True) -> Finding:
    verdict = Verdict(breach, len(history.operations) - 1)
    return Finding(history, verdict, 0, "", 0, original, shrunk)


def unrepeated(system: str, found: Death, again: Ending[Went]) -> Breach:
    """What is to be said of a death that did not come again."""
    at = len(found.history.operations) - 1
    operation, outcome = found.history.operations[at], found.outcome
    if isinstance(again, Died):
        seen = f"{again.error} ({again.doing.name.lower()})"
    elif at < len(again.value.outcomes):
        seen = str(again.value.outcomes[at]) or "it returned"
    else:
        seen = again.value.breach.text if again.value.breach is not None else "it was not reached"
    if outcome.error in FROM_OUTSIDE:
        raise Unavailable(
            f"the process that ran {system} was ended ({outcome.error}) during {operation}, which"
            f" does not come again ({seen}): by somebody else, or because memory ran out"
        )
    text = (
        f"step {at + 1}, {operation}, differs: in the process of the search, {outcome}; in one of"
        f" its own, {seen}"
    )
    return Breach(Property.REPEAT, f"{outcome.error}@{outcome.where}", text)


# -- runs in children ------------------------------------------------------------------------------


def _alone(
    system: str,
    history: History,
    tolerated: Callable[[str], bool],
    every: int | None,
    step_seconds: float,
    target: Target | None = None,
) -> Ending[Went]:
    """Run a history in a child: of this process if that has the ``target``, else a new one."""

    def work(_: Tell) -> Went:
        return _went(target or started(system), history, tolerated, every)

    return in_child(work, step_seconds=step_seconds)


def _went(
    target: Target, history: History, tolerated: Callable[[str], bool], every: int | None
) -> Went:
    """Run a history to its first breach that is not tolerated."""
    if not fits(history, target.scope):
        return Went((), None)
    run = Run(target, history.config, every)
    try:
        for operation in history.operations:
            for breach in run.step(operation):
                if ends(breach) or not tolerated(breach.signature):
                    return Went(_outcomes(run), breach)
        run.finish()
        return Went(_outcomes(run), None)
    finally:
        run.close()


def _outcomes(run: Run) -> tuple[Outcome, ...]:
    return tuple(step.outcome for step in run.steps)


def _the_same(system: str, ending: Ending[Went], signature: str) -> Death | None:
    """The death that a run ended with, if it is one with this signature."""
    if isinstance(ending, Died) and ending.doing is Doing.STEP:
        died = death(system, ending)
        return died if breach(died).signature == signature else None
    return None


# -- shrinking -------------------------------------------------------------------------------------


def _smallest(
    system: str,
    found: Death,
    slowest: float,
    step_seconds: float,
    tell: Callable[[int], None],
    stop: Callable[[], bool],
) -> Death:
    """The death of a shortest history with the same signature, as seen in a new process."""
    signature = breach(found).signature
    patience = min(step_seconds, max(SHORTEST, SLOWER * slowest))
    for forking in (True, False):
        shrink = partial(_shrunk, system, found.history, signature, patience, forking, stop)
        ending = in_child(shrink, tell, step_seconds)
        if isinstance(ending, Died) or ending.value is None:
            continue
        other = partial(ne, signature)
        last = _the_same(system, _alone(system, ending.value, other, 1, step_seconds), signature)
        if last is not None:
            return last
    return found


def _shrunk(
    system: str,
    history: History,
    signature: str,
    patience: float,
    forking: bool,
    stop: Callable[[], bool],
    tell: Tell,
) -> History | None:
    """The work of a child: a shortest history that dies so in children of that child.

    None if there it does not.
    """
    target = started(system) if forking else None
    until = time.monotonic() + SECONDS

    def fails(candidate: History) -> bool:
        ending = _alone(system, candidate, partial(ne, signature), 1, patience, target)
        return _the_same(system, ending, signature) is not None

    def late() -> bool:
        return stop() or time.monotonic() > until

    return minimise(history, fails, tell, stop=late) if fails(history) else None
