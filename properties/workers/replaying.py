"""A history replayed or shrunk, as the work of a process that runs no system itself: the system may
hang, or end the process, and that is what is wrong with the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from radixproof.impl import registry
from radixproof.impl.operations import History
from radixproof.impl.registry import UnknownSystem
from radixproof.impl.system import Target, Unavailable
from radixproof.model.verdict import Breach
from radixproof.properties.guarding.child import Died, Tell, in_child
from radixproof.properties.guarding.deaths import breach, death
from radixproof.properties.guarding.settling import settled
from radixproof.properties.guarding.starting import started
from radixproof.properties.reporting.narrate import Narrative, narrate
from radixproof.properties.reporting.page.page import STEPS, account, html
from radixproof.properties.reporting.report import render
from radixproof.properties.running import journal
from radixproof.properties.running.journal import Death
from radixproof.properties.running.replaying import declined
from radixproof.properties.running.run import Verdict
from radixproof.properties.search.budget import STEP_SECONDS
from radixproof.properties.search.finding import NothingFails, failure, shrink
from radixproof.properties.search.repeating import differs
from radixproof.properties.workers.lane import Done, Failed, Lane, News
from radixproof.properties.workers.pool import run

T = TypeVar("T")
K = TypeVar("K", bound="OnSystem")
TREES = 2
"""Those before and after the last step: the others of a long history take much memory."""
MOST_DEATHS = 20
"""Processes that may die before it is given up to say what a history does."""


class OnSystem(Protocol):
    """A task that is about a system, named as such."""

    @property
    def system(self) -> str: ...

    @property
    def step_seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Replay:
    """A history to be run on a system."""

    system: str
    history: History | None
    step_seconds: float
    again: str = ""
    """The command that runs it again, as a page is to name it."""

    def __str__(self) -> str:
        return self.system


@dataclass(frozen=True, slots=True)
class Replayed:
    """How it went, in words, and what was wrong."""

    text: str
    breach: Breach | None
    steps: int
    """Up to what was wrong, or in all."""
    left_out: str = ""
    """The first operation that the system cannot be put to, and why: it was skipped."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The page of a history, what was wrong, and the first operation that was left out, and why."""

    page: str
    breach: Breach | None
    left_out: str = ""


def look_up(system: str, step_seconds: float) -> None:
    """Import a system in a process of its own. Raises `UnknownSystem` or `Unavailable`."""
    apart(Replay(system, None, step_seconds), _find)


def replay(
    system: str,
    history: History,
    step_seconds: float,
    tell: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Run a history with every step looked at, and ``tell`` now and then how many were.

    Raises `UnknownSystem` or `Unavailable`.
    """
    return apart(Replay(system, history, step_seconds), _replay, tell)


def drawn(
    system: str,
    history: History,
    step_seconds: float,
    again: str,
    tell: Callable[[int], None] = lambda _: None,
) -> Drawn:
    """A history as a page, which names the command that runs it ``again``.

    Raises `UnknownSystem` or `Unavailable`.
    """
    return apart(Replay(system, history, step_seconds, again), _drawn, tell)


def replay_all(
    systems: Sequence[str], history: History, step_seconds: float, jobs: int
) -> Iterator[tuple[str, Replayed | Failed]]:
    """Run a history on many systems, ``jobs`` at a time, each in a process of its own.

    Yields each with how it went, as they come, or why it could not be run.
    """
    tasks = [Replay(system, history, step_seconds) for system in systems]
    for event in run(tasks, _replay, jobs):
        match event:
            case Done(Replay(system), Replayed() as replayed):
                yield system, replayed
            case Failed(Replay(system)) as failed:
                yield system, failed


def replay_in_children(
    system: str, history: History, step_seconds: float = STEP_SECONDS
) -> Replayed:
    """The same, in forks of this process: for a test, whose process is not to be ended."""
    return _replay(Replay(system, history, step_seconds), lambda _: None)


def shrunk(
    system: str, history: History, step_seconds: float, tell: Callable[[str, int], None]
) -> History | None:
    """A shortest history that fails in the same way; None if the history does not fail.

    Raises `UnknownSystem` or `Unavailable`.
    """
    return apart(Replay(system, history, step_seconds), _shrink, lambda news: tell(*news))


def apart(task: K, work: Callable[[K, Tell], T], tell: Callable[[Any], None] = lambda _: None) -> T:
    """Do it in a new process. Raises `UnknownSystem` or `Unavailable`."""
    lane = Lane(work)
    lane.give(task)
    try:
        while True:
            match lane.event():
                case News(_, news):
                    tell(news)
                case Failed(_, reason, unknown):
                    raise UnknownSystem(reason) if unknown else Unavailable(reason)
                case Done(_, result):
                    done: T = result
                    return done
    finally:
        lane.end()


# -- the work of that process, and of its children -------------------------------------------------


def _find(task: Replay, _: Tell) -> None:
    def find(_: Tell) -> None:
        journal.current().starting()
        registry.find(task.system)

    ending = in_child(find, step_seconds=task.step_seconds)
    if isinstance(ending, Died):
        death(task.system, ending)


def until_it_lives(task: K, work: Callable[[K, Tell], T], tell: Tell = lambda _: None) -> T:
    """Do it in a child; again, with what is known then, if that dies."""
    deaths: list[Death] = []
    for _ in range(MOST_DEATHS):
        ending = in_child(partial(work, task), tell, task.step_seconds, deaths)
        if not isinstance(ending, Died):
            return ending.value
        deaths.append(death(task.system, ending))
    raise Unavailable(
        f"{task.system} ended {MOST_DEATHS} processes that ran this history, in different ways"
    )


def _replay(task: Replay, tell: Tell) -> Replayed:
    return until_it_lives(task, _replayed, tell)


def _replayed(task: Replay, tell: Tell) -> Replayed:
    assert task.history is not None
    target, history = started(task.system), task.history
    told = _told(target, history, tell, TREES)
    text, left_out = render(target.name, history, told), _left_out(target, history)
    return Replayed(text, told.breach, len(told.steps), left_out)


def _told(target: Target, history: History, tell: Tell, trees: int) -> Narrative:
    """How it goes, up to what it was kept for, or else up to the first that is wrong."""
    signature = history.origin.get("signature")
    told = narrate(target, history, signature, now_and_then(tell), trees)
    if told.breach is None and signature is not None:
        told = narrate(target, history, None, now_and_then(tell), trees)
    seen = differs(target, history)
    return told if seen is None else _up_to(target, history, seen, trees)


def _drawn(task: Replay, tell: Tell) -> Drawn:
    return until_it_lives(task, _page, tell)


def _page(task: Replay, tell: Tell) -> Drawn:
    assert task.history is not None
    target, history = started(task.system), task.history
    told = _told(target, history, tell, STEPS + 1)
    page = html(account(target, history, told, task.again))
    return Drawn(page, told.breach, _left_out(target, history))


def _left_out(target: Target, history: History) -> str:
    """The first operation that a system cannot be put to, whatever its state, and why."""
    first = declined(history, target.scope)
    return "" if first is None else f"step {first[0]} {first[1]}"


def now_and_then(tell: Tell) -> Callable[[], None]:
    """Tells of every hundredth step."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done % 100 == 0:
            tell(done)

    return step


def _up_to(target: Target, history: History, seen: Verdict, trees: int) -> Narrative:
    """One way in which it goes up to the step that is not always the same."""
    start = replace(history, operations=history.operations[: seen.step + 1])
    told = narrate(target, start, seen.breach.signature, trees_kept=trees)
    return replace(told, breach=seen.breach)


def _shrink(task: Replay, tell: Tell) -> History | None:
    def pass_on(signature: str, left: int) -> None:
        tell((signature, left))

    smallest = until_it_lives(task, _shrunk, tell)
    if not isinstance(smallest, Death):
        return smallest
    found, _ = settled(task.system, smallest, (), task.step_seconds, pass_on)
    origin = {**smallest.history.origin, "system": task.system, "signature": found.signature}
    return replace(found.history, origin=origin)


def _shrunk(task: Replay, tell: Tell) -> History | Death | None:
    """A shortest history; or the death that is what is wrong with the history."""
    assert task.history is not None
    target = started(task.system)
    try:
        wrong = failure(target, task.history).breach
    except NothingFails:
        return None
    fatal = [each for each in journal.current().deaths if breach(each) == wrong]
    if fatal:
        return Death(replace(fatal[0].history, origin=task.history.origin), fatal[0].outcome)
    return shrink(target, task.history, lambda signature, left: tell((signature, left)))
