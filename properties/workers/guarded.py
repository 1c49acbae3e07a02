"""The jobs of a search, done so that the system may hang or end the process: the work of a lane.

The lane runs no system itself. Jobs are done in a child; when that dies in a step, the step is put
on record, and the job is done again in a new child, where the step is not performed any more: its
outcome is how the child ended. So a search finds what it would have found if the system had raised
there instead, and goes on behind it in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

from radixproof.impl.operations import History, Operation
from radixproof.model.config import Config
from radixproof.properties.guarding.child import HANG, Child, Died, Ending
from radixproof.properties.guarding.deaths import as_death, breach, death, is_fatal, too_many
from radixproof.properties.guarding.settling import SLOWER, Went, comes_again, run_again, settled
from radixproof.properties.running.journal import Death
from radixproof.properties.search.search import time_is_up
from radixproof.properties.workers.searching import Examine, Explore, Job, Rehearsal, work
from radixproof.properties.workers.shard import Shard

MOST_DEATHS = 200
"""Processes of one lane that may die, before the search is given up."""
MOST_HANGS = 50
"""The same, where the system is known to hang: each of them has to be waited for."""
IMPATIENCE = 0.5
"""Seconds that a step may take, once the system is known to hang, before it is taken to hang again.

Where that would be a new finding, it is waited for as long as at first before it is reported.
"""


def guarded(job: Job, tell: Callable[[Any], None]) -> Any:
    """What `searching.work` makes of a job. All jobs of a process must be about one shard."""
    return _lane(job.shard).do(job, tell)


@cache
def _lane(shard: Shard) -> _Lane:
    return _Lane(shard)


class _Lane:
    """What is known of a system, which outlives the processes that run it."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.patience = shard.step_seconds
        self.deaths: list[Death] = []
        self._fatal: set[str] = set()
        """Signatures of deaths that came again."""
        self._run_again: dict[tuple[Config, tuple[Operation, ...]], Ending[Went]] = {}
        """How histories ended that hung, when they were run again: not to be waited for twice."""
        self._slow: list[History] = []
        """Histories that hung once, and not when they were run again."""
        self._child: Child[Any] | None = None

    def do(self, job: Job, tell: Callable[[Any], None]) -> Any:
        """Do a job, in as many children as that takes."""
        ends = time_is_up(getattr(job, "seconds", None))
        if isinstance(job, Examine) and not job.finding and is_fatal(job.broken.breach):
            job = self._settled(job, ends, tell)
        while True:
            if self._child is None or not self._child.alive:
                self._child = Child(work, self.deaths)
            ending = self._child.do(self._with_care(job), tell, self.patience)
            if not isinstance(ending, Died):
                return ending.value
            self._note(death(self.shard.system, ending), ending.slowest, job)

    def _with_care(self, job: Job) -> Job:
        """The job as it is done where the system is known to end processes."""
        if not (self._fatal and isinstance(job, Explore)):
            return job
        return replace(job, rehearsal=Rehearsal(frozenset(self._fatal), self.patience, self._most))

    @property
    def _most(self) -> int:
        hangs = any(each.outcome.error == HANG for each in self.deaths)
        return MOST_HANGS if hangs else MOST_DEATHS

    def _note(self, died: Death, slowest: float, job: Job) -> None:
        """Put a death on record. A step that was slow, and is not when it is run again, is forgiven
        once. Raises `Unavailable` if there are too many.
        """
        signature = breach(died).signature
        known: frozenset[str] = getattr(job, "known", frozenset())
        if signature not in self._fatal and died.outcome.error == HANG:
            seconds = self.shard.step_seconds
            again = run_again(self.shard.system, died, known, seconds)
            if comes_again(self.shard.system, died, again):
                self._fatal.add(signature)
                self._run_again[died.history.config, died.history.operations] = again
                self.patience = min(self.patience, max(IMPATIENCE, SLOWER * slowest))
            elif died.history not in self._slow:
                self._slow.append(died.history)
                self.patience = seconds
                return
        if len(self.deaths) >= self._most:
            raise too_many(self.shard.system, self.deaths)
        self.deaths.append(died)

    def _settled(self, job: Examine, ends: Callable[[], bool], tell: Callable[[Any], None]) -> Job:
        """The job with what the death is that it is about."""
        died = as_death(job.broken.history, job.broken.breach)
        system, seconds = self.shard.system, self.shard.step_seconds
        again = self._run_again.get((died.history.config, died.history.operations))
        found, last = settled(system, died, job.known, seconds, partial(_told, tell), ends, again)
        self._fatal |= {found.signature, breach(died).signature}
        self.deaths += [last] if last == died else [died, last]
        self._begin_anew()
        return replace(job, finding=found)

    def _begin_anew(self) -> None:
        """Only a new child knows the new deaths."""
        if self._child is not None and self._child.alive:
            self._child.end()


def _told(tell: Callable[[Any], None], signature: str, operations: int) -> None:
    tell((signature, operations))
