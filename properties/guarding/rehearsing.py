"""Histories rehearsed: each is run in a child first, so that this process outlives what ends it.

For systems that are known to end processes: to fork costs less than to begin a search again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from radixproof.properties.guarding.child import Died, Tell, TooManyDeaths, in_child
from radixproof.properties.guarding.deaths import breach, death
from radixproof.properties.running import journal
from radixproof.properties.running.journal import Death, Doing

T = TypeVar("T")


def rehearsed(
    system: str, histories: Iterator[T], is_known: Callable[[str], bool], patience: float, most: int
) -> Iterator[T]:
    """The same histories, run here once it is known what ends a process in each.

    What would end it in a way that is not known yet is left to happen here: a fork may do what no
    process of its own does. Raises `TooManyDeaths` when the deaths known are ``most``.
    """
    deaths = journal.current().deaths
    while True:
        while died := _ended(system, histories, patience, deaths):
            if not is_known(breach(died).signature):
                break
            deaths.append(died)
            if len(deaths) >= most:
                raise TooManyDeaths
        try:
            yield next(histories)
        except StopIteration:
            return


def _ended(
    system: str, histories: Iterator[Any], patience: float, deaths: Sequence[Death]
) -> Death | None:
    """How a child ends in which the next history is run."""

    def work(_: Tell) -> None:
        next(histories, None)

    ending = in_child(work, step_seconds=patience, deaths=deaths)
    if isinstance(ending, Died) and ending.doing is Doing.STEP:
        return death(system, ending)
    return None
