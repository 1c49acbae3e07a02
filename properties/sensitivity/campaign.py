"""A campaign of sabotage: histories are scouted, sabotages chosen until every cell has enough, and
tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from radixproof.properties.search.search import calm_collector
from radixproof.properties.sensitivity.cells import COUNTED, Cell, Result, Sabotage
from radixproof.properties.sensitivity.scouting import scout
from radixproof.properties.sensitivity.trying import attempt
from radixproof.properties.workers.lane import Done, Failed
from radixproof.properties.workers.pool import run

TOGETHER = 40
"""Sabotages of one history, at most, that a process is given at a time."""


@dataclass(frozen=True, slots=True)
class Scouting:
    """One history to be scouted for these kinds."""

    seed: int
    number: int
    kinds: tuple[str, ...]

    def __str__(self) -> str:
        return f"scouting history {self.number} of seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Trying:
    """Sabotages of one history to be tried."""

    sabotages: tuple[Sabotage, ...]

    def __str__(self) -> str:
        return f"{self.sabotages[0]} and {len(self.sabotages) - 1} more"


def work(job: Scouting | Trying, tell: Callable[[object], None]) -> Any:
    """The work of a process: a list of sabotages that can be done, or of results."""
    _calmed()
    if isinstance(job, Scouting):
        wanted = set(job.kinds)
        return [one for one in scout(job.seed, job.number) if one.kind in wanted]
    return [attempt(one) for one in job.sabotages]


@cache
def _calmed() -> None:
    """The collector of a process is calmed once."""
    calm_collector()


def scouted(
    seed: int, histories: int, kinds: Iterable[str], jobs: int
) -> Generator[list[Sabotage], None, None]:
    """What can be done in each history of a seed; in their order, whatever came first."""
    names = tuple(kinds)
    todo = [Scouting(seed, number, names) for number in range(histories)]
    early: dict[int, list[Sabotage]] = {}
    due = 0
    with closing(performed(todo, jobs)) as done:
        for job, found in done:
            early[job.number] = found
            while due in early:
                yield early.pop(due)
                due += 1


def tried(sabotages: Sequence[Sabotage], jobs: int) -> Generator[list[Result], None, None]:
    """The results, some at a time, those of one history together."""
    ordered = sorted(sabotages, key=attrgetter("seed", "number", "step"))
    todo = [
        Trying(tuple(alike[first : first + TOGETHER]))
        for alike in (list(part) for _, part in groupby(ordered, key=attrgetter("story")))
        for first in range(0, len(alike), TOGETHER)
    ]
    with closing(performed(todo, jobs)) as done:
        for _, results in done:
            yield results


def performed(todo: Sequence[Any], jobs: int) -> Generator[tuple[Any, Any], None, None]:
    """Jobs and their results; with one process, in this one. Raises `CampaignError`."""
    if jobs == 1:
        for job in todo:
            yield job, work(job, lambda _: None)
        return
    with closing(run(todo, work, jobs)) as events:
        for event in events:
            if isinstance(event, Done):
                yield event.job, event.result
            elif isinstance(event, Failed):
                raise CampaignError(event.reason)


class CampaignError(RuntimeError):
    """A part of the campaign could not be done: the message says which, and why."""


def chosen(possible: Sequence[Sabotage], done: Iterable[Result], each: int) -> list[Sabotage]:
    """Sabotages that are still to be tried, so that every cell comes to have ``each``, if there are
    so many: those that were left out do not count, but a cell that has had ``each`` of these as
    well is given up.
    """
    results = {result.sabotage: result for result in done}
    have: Counter[Cell] = Counter()
    left_out: Counter[Cell] = Counter()
    for result in results.values():
        (have if result.verdict in COUNTED else left_out).update(result.sabotage.cells)
    for cell, count in left_out.items():
        if count >= each:
            have[cell] += each
    todo = []
    for one in possible:
        if one not in results and any(have[cell] < each for cell in one.cells):
            todo.append(one)
            have.update(one.cells)
    return todo
