"""A search that goes on when the system hangs or ends the process: the work of a process that runs
no system itself.

The search runs in a child. When that dies in a step, the history is settled in other children, and
the search goes on in a new one from where it was, with what is known by then. So it finds what it
would have found if the system had raised there instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from radixproof.impl.operations import History
from radixproof.model.verdict import Property
from radixproof.properties.campaigns.searching import (
    Begun,
    FindingReport,
    Searched,
    SearchNews,
    search_shard,
)
from radixproof.properties.campaigns.shard import Shard
from radixproof.properties.guarding.child import HANG, Died, TooManyDeaths, in_child
from radixproof.properties.guarding.deaths import breach, death
from radixproof.properties.guarding.rehearsing import rehearsed
from radixproof.properties.guarding.settling import SLOWER, settled
from radixproof.properties.running.journal import Death
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import Ran

MOST_DEATHS = 200
"""Processes of one search that may die, before it is given up."""
MOST_HANGS = 50
"""The same, where the system is known to hang: each of them has to be waited for."""
IMPATIENCE = 0.5
"""Seconds that a step may take, once the system is known to hang, before it is taken to hang again.

Where that would be a new finding, it is waited for as long as at first before it is reported.
"""


def guarded_search(shard: Shard, tell: Callable[[SearchNews], None]) -> Searched:
    """Search the system of a shard, as `search_shard` does, in children of this process."""
    guard = _Guard(shard, tell)
    try:
        while len(guard.deaths) < guard.most:
            done = guard.search()
            if done is not None:
                return done
    except TooManyDeaths:
        pass
    return guard.given_up()


@dataclass(slots=True)
class _Guard:
    """What is known of a search: it outlives the processes that the search runs in."""

    shard: Shard
    tell: Callable[[SearchNews], None]
    began: float = field(default_factory=time.monotonic)
    progress: Progress | None = None
    deaths: list[Death] = field(default_factory=list)
    settled: dict[str, Finding] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    slow: list[History] = field(default_factory=list)
    patience: float = field(init=False)

    def __post_init__(self) -> None:
        self.patience = self.shard.step_seconds

    def search(self) -> Searched | None:
        """Search until it ends, or until the process dies: then None."""
        shard, spent = self.shard, time.monotonic() - self.began
        if self.progress is not None and shard.budget.seconds is not None:
            left = max(0.0, shard.budget.seconds - spent)
            shard = replace(shard, budget=replace(shard.budget, seconds=left))
        begun = Begun(self.progress, self.settled, spent if self.deaths else 0.0, self.rehearsal())
        work = partial(_search, shard, begun)
        ending = in_child(work, self.pass_on, self.patience, self.deaths)
        if not isinstance(ending, Died):
            return ending.value
        self.note(death(shard.system, ending), ending.slowest)
        return None

    def rehearsal(self) -> Callable[[Iterator[Ran]], Iterator[Ran]]:
        """What a search does that is known to come to histories which end the process."""
        if not self.settled:
            return iter
        known = frozenset(self.settled).__contains__
        return partial(
            rehearsed, self.shard.system, is_known=known, patience=self.patience, most=self.most
        )

    @property
    def most(self) -> int:
        """Deaths after which it is given up."""
        hangs = any(each.outcome.error == HANG for each in self.deaths)
        return MOST_HANGS if hangs else MOST_DEATHS

    def pass_on(self, news: SearchNews) -> None:
        if isinstance(news, FindingReport):
            if news.signature in self.reported:
                return
            self.reported.add(news.signature)
        elif news.shrinking is None:
            self.progress = news
        self.tell(news)

    def note(self, died: Death, slowest: float) -> None:
        """A history is known to end the process: it is settled, unless its signature is known.

        One step that was slow, and is not when it is run again, is passed over once.
        """
        signature = breach(died).signature
        if signature not in self.settled:
            known = self.progress.passed_over if self.progress is not None else frozenset()
            shard = self.shard
            found, last = settled(shard.system, died, known, shard.step_seconds, self.shrinking)
            once = found.verdict.breach.violates is Property.REPEAT
            if died.outcome.error == HANG and once and died.history not in self.slow:
                self.slow.append(died.history)
                self.patience = shard.step_seconds
                return
            self.settled[signature] = found
            self.deaths.append(last)
            if died.outcome.error == HANG:
                self.patience = min(self.patience, max(IMPATIENCE, SLOWER * slowest))
        self.deaths.append(died)

    def shrinking(self, signature: str, operations: int) -> None:
        if self.progress is not None:
            self.tell(replace(self.progress, shrinking=(signature, operations)))

    def given_up(self) -> Searched:
        """The end of a search whose processes died too often."""
        progress = self.progress or Progress(0, 0)
        names = ", ".join(sorted({each.outcome.error for each in self.deaths}))
        return Searched(
            progress,
            time.monotonic() - self.began,
            f"{self.shard.system} ended its process, or hung, {self.most} times ({names});"
            f" the search was given up after {progress.steps:,} steps",
        )


def _search(shard: Shard, begun: Begun, tell: Callable[[Any], None]) -> Searched:
    return search_shard(shard, tell, begun)
