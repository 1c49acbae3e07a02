"""Progress: a live line on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from radixproof.properties.reporting.wording import plural
from radixproof.properties.search import progress as search

if TYPE_CHECKING:
    from radixproof.properties.power.trials import TrialResult

SECONDS = 5
"""Between two plain lines."""


class Output(Console):
    """A console whose reader may go away: the command line handles that, not rich."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class _Line:
    """One task, shown while it is entered."""

    def __init__(
        self, console: Console, columns: tuple[ProgressColumn, ...], total: int, done: int
    ) -> None:
        self.live: Progress | None = None
        self.last = 0.0
        if console.is_terminal:
            self.live = Progress(*columns, console=console, transient=True)
            self.task = self.live.add_task("starting", total=total, completed=done)

    def start(self) -> None:
        if self.live is not None:
            self.live.start()

    def stop(self) -> None:
        if self.live is not None:
            self.live.stop()

    def update(self, done: int, text: str, plain: str, last: bool = False) -> None:
        """``text`` on the live line, or ``plain`` if the last plain line was some time ago."""
        if self.live is not None:
            self.live.update(self.task, completed=done, description=text)
        elif last or time.monotonic() - self.last > SECONDS:
            self.last = time.monotonic()
            print(plain, file=sys.stderr, flush=True)


class SearchProgress:
    """Progress of the searches that are going on; of many systems, also how many are done with."""

    def __init__(
        self, console: Console, systems: int | None = None, done: int = 0, what: str = "systems"
    ) -> None:
        counted = (BarColumn(), MofNCompleteColumn()) if systems is not None else ()
        columns = (*counted, TimeElapsedColumn(), TextColumn("{task.description}"))
        self.line = _Line(console, columns, systems or 0, done)
        self.line.last = time.monotonic()
        self.systems, self.done, self.what = systems, done, what
        self.news: dict[str, str] = {}

    def __enter__(self) -> SearchProgress:
        self.line.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.line.stop()

    def show(self, name: str, wanted: int, progress: search.Progress) -> None:
        """How far the search of a system has come, of so many steps, or beyond them."""
        news = f"{name}: {progress.steps:,} of {wanted:,} steps"
        if progress.steps > wanted and not progress.complete:
            lacking = plural(len(progress.unreached), "milestone")
            news = f"{name}: {progress.steps:,} steps, and {lacking} still to be met"
        if progress.shrinking is not None:
            signature, operations = progress.shrinking
            news += f", shrinking {signature}: {operations} operations"
        self.news[name] = news
        self._tell()

    def comparing(self, name: str, reference: str, histories: int, of: int) -> None:
        """How many histories of a system were run on its reference as well, of so many."""
        self.news[name] = f"{name}: {histories:,} of {of:,} histories compared with {reference}"
        self._tell()

    def over(self, name: str) -> None:
        """The search of a system has ended."""
        self.news.pop(name, None)
        self.done += 1
        self._tell()

    def _tell(self) -> None:
        counted = [] if self.systems is None else [f"{self.done} of {self.systems} {self.what}"]
        told = [*self.news.values()]
        if told or counted:
            self.line.update(self.done, "; ".join(told), "; ".join([*counted, *told]))


class _Counted:
    """Progress of many things of which it is known how many there are."""

    def __init__(self, total: int, done: int = 0) -> None:
        self.total, self.done = total, done
        bar = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        columns = (*bar, TextColumn("{task.description}"))
        self.line = _Line(Console(stderr=True), columns, total, done)

    def __exit__(self, *_: object) -> None:
        self.line.stop()


class ReplayProgress(_Counted):
    """Progress of a replay, which takes long only for a long history, or a large cache."""

    def __enter__(self) -> Callable[[int], None]:
        self.line.last = time.monotonic()
        self.line.start()
        return self.show

    def show(self, done: int) -> None:
        news = f"replayed {done:,} of {self.total:,} steps"
        self.line.update(done, "steps replayed", news)


class TrialProgress(_Counted):
    """Progress of a campaign of trials."""

    def __enter__(self) -> Callable[[str, TrialResult], None]:
        self.line.start()
        return self.show

    def show(self, name: str, one: TrialResult) -> None:
        self.done += 1
        what = f"after {one.steps:,} steps" if one.steps is not None else one.error or "not found"
        news = f"{name}: {what}"
        plain = f"{self.done} of {self.total} trials; {news}"
        self.line.update(self.done, news, plain, last=self.done == self.total)


class CountProgress(_Counted):
    """Progress of many small things that are alike."""

    def __init__(self, things: str, total: int) -> None:
        super().__init__(total)
        self.things = things

    def __enter__(self) -> Callable[[int], None]:
        self.line.start()
        return self.show

    def show(self, done: int) -> None:
        news = f"{done:,} of {self.total:,} {self.things}"
        self.line.update(done, self.things, news, last=done == self.total)


class ExplorationProgress:
    """Progress of an exploration, of which nobody knows how large it is."""

    def __init__(self, what: str) -> None:
        columns = (TimeElapsedColumn(), TextColumn("{task.description}"))
        self.line = _Line(Console(stderr=True), columns, 0, 0)
        self.what = what
        self.states = self.transitions = 0

    def __enter__(self) -> ExplorationProgress:
        self.line.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.line.stop()

    def expanded(self, length: int, transitions: int) -> None:
        """One more state, all of whose histories of one length are judged."""
        self.states += 1
        self.transitions += transitions
        news = (
            f"{self.what}: histories of {plural(length, 'operation')},"
            f" {plural(self.states, 'state')} expanded, {plural(self.transitions, 'transition')}"
        )
        self.line.update(self.states, news, news)
