"""A check as a person sees it: systems searched one after the other, progress shown, findings printed and written as they come."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from radixproof.impl.system import Unavailable
from radixproof.properties.campaigns.worker import Failed, Finding, Finished, searching
from radixproof.properties.reporting.report import plural, slug
from radixproof.properties.search import search


@dataclass(slots=True)
class Result:
    """What came of a check: how many findings, and whether a system was not searched to its end."""

    found: int = 0
    incomplete: bool = False


def check(
    names: Sequence[str], seed: int, budget: search.Budget, out: Path, corpus: Path | None = None
) -> Result:
    """Search the systems called ``names``; one that cannot be run does not keep the others from it.

    What is in the folder ``corpus`` is replayed first.

    Raises `Unavailable` if findings could not be written to ``out``.
    """
    _writable(out)
    result = Result()
    console = Output(highlight=False, soft_wrap=True)
    for name in names:
        try:
            _one(name, seed, budget, out / slug(name), corpus, console, result)
        except Unavailable as error:
            print(f"radixproof: {error}", file=sys.stderr)
            result.incomplete = True
        except KeyboardInterrupt:
            kept = (
                f"; what was found is kept in {out}"
                if result.found
                else ", nothing was found until then"
            )
            rest = names[names.index(name) + 1 :]
            kept += f"; not searched: {', '.join(rest)}" if rest else ""
            console.print(f"{name}: interrupted{kept}", markup=False)
            result.incomplete = True
            break
    return result


class Output(Console):
    """A console whose reader may go away: the command line decides what that means, not rich."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _one(
    name: str,
    seed: int,
    budget: search.Budget,
    folder: Path,
    corpus: Path | None,
    console: Console,
    result: Result,
) -> None:
    findings: list[Finding] = []
    with ProgressLine(name, budget, console) as show:
        for message in searching(name, seed, budget, str(folder), corpus):
            match message:
                case search.Progress():
                    show(message)
                case Finding():
                    findings.append(message)
                    result.found += 1
                    console.rule(f"{name}: finding {len(findings)}", align="left")
                    console.print(message.report, markup=False)
                    console.print(_write(message, folder), markup=False)
                case Failed(reason):
                    raise Unavailable(reason)
                case Finished(progress, seconds):
                    show(progress)
                    _conclude(name, findings, progress, f"({seconds:.1f} s, seed {seed})", console)
                    if (
                        budget.everywhere
                        and budget.seconds is None
                        and not findings
                        and progress.unreached
                    ):
                        result.incomplete = True


def _conclude(
    name: str, findings: list[Finding], progress: search.Progress, when: str, console: Console
) -> None:
    """The last lines on a system: what was searched, what was found, and where the search has been."""
    console.rule(characters="-")
    checked = f"{progress.steps:,} steps in {progress.histories:,} histories checked"
    verdict = plural(len(findings), "finding") if findings else "clean"
    console.print(f"{name}: {checked}, {verdict} {when}", markup=False)
    for finding in findings:
        cost = f"found after {finding.at_step:,} steps, {finding.seconds:.1f} s"
        console.print(
            f"  {finding.signature}: {plural(finding.operations, 'operation')}, {cost}",
            markup=False,
        )
    unreached, count = progress.unreached, len(progress.reached)
    reached = f"{count} of {count + len(unreached)} milestones reached"
    console.print(f"  {reached}{', but not:' if unreached else ''}", markup=False)
    for milestone in unreached:
        console.print(f"    {milestone.value}", markup=False)


def _write(finding: Finding, folder: Path) -> str:
    """Write the files of a finding; says where they are, or, since nothing may be lost, that they could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in finding.files.items():
            (folder / name).write_text(text)
    except OSError as error:
        history = next(iter(finding.files.values()))
        return f"This finding could not be written to {folder} ({error.strerror}). Its history:\n{history}"
    return f"Written to {folder}: {', '.join(finding.files)}\n"


def _writable(out: Path) -> None:
    """Raises `Unavailable` before a long search rather than after it."""
    probe = out / ".writable"
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unavailable(
            f"cannot write findings to {out} ({error.strerror}): choose another folder with --out"
        ) from None


class ProgressLine:
    """Progress: a live line on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, name: str, budget: search.Budget, console: Console) -> None:
        self.name = name
        self.budget = budget
        self.live: Progress | None = None
        self.last = time.monotonic()
        if console.is_terminal:
            columns = (TimeElapsedColumn(), TextColumn("{task.description}: {task.fields[news]}"))
            self.live = Progress(*columns, console=console, transient=True)
            self.task = self.live.add_task(name, total=budget.steps, news="starting")

    def __enter__(self) -> Callable[[search.Progress], None]:
        if self.live is not None:
            self.live.start()
        return self.show

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    def show(self, progress: search.Progress) -> None:
        news = f"{progress.steps:,} of {self.budget.steps:,} steps"
        if progress.shrinking is not None:
            news += f", shrinking {progress.shrinking[0]}: {progress.shrinking[1]} operations"
        if self.live is not None:
            self.live.update(self.task, completed=progress.steps, news=news)
        elif time.monotonic() - self.last > 5:
            self.last = time.monotonic()
            print(f"{self.name}: {news}", file=sys.stderr, flush=True)
