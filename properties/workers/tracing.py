"""A trace followed, or reduced, as the work of a process that runs no system itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radixproof.impl.operations import History
from radixproof.properties.guarding.child import Tell
from radixproof.properties.guarding.starting import started
from radixproof.properties.traces.following import Followed, follow
from radixproof.properties.traces.rebuilding import Rebuilt
from radixproof.properties.traces.reducing import reduce
from radixproof.properties.workers.replaying import apart, now_and_then, until_it_lives


@dataclass(frozen=True)
class _Task:
    system: str
    step_seconds: float

    def __str__(self) -> str:
        return self.system


@dataclass(frozen=True)
class _Following(_Task):
    rebuilt: Rebuilt
    known: frozenset[str]


@dataclass(frozen=True)
class _Reducing(_Task):
    history: History
    signature: str


def followed(
    system: str,
    rebuilt: Rebuilt,
    known: frozenset[str],
    step_seconds: float,
    tell: Callable[[int], None],
) -> Followed:
    """How a trace goes on a system. Raises `UnknownSystem` or `Unavailable`."""
    return apart(_Following(system, step_seconds, rebuilt, known), _follow, tell)


def reduced(
    system: str,
    history: History,
    signature: str,
    step_seconds: float,
    tell: Callable[[int], None],
) -> History | None:
    """A shortest history that fails with a signature; None if this one does not.

    Raises `UnknownSystem` or `Unavailable`.
    """
    return apart(_Reducing(system, step_seconds, history, signature), _reduce, tell)


def _follow(task: _Following, tell: Tell) -> Followed:
    return until_it_lives(task, _followed, tell)


def _followed(task: _Following, tell: Tell) -> Followed:
    known = task.known.__contains__
    return follow(started(task.system), task.rebuilt, known, now_and_then(tell))


def _reduce(task: _Reducing, tell: Tell) -> History | None:
    return until_it_lives(task, _reduced, tell)


def _reduced(task: _Reducing, tell: Tell) -> History | None:
    return reduce(started(task.system), task.history, task.signature, tell)
