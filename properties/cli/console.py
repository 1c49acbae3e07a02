"""A check as a person sees it.

Progress is shown, and findings are printed and written as they come. Systems that are searched side
by side are printed one after the other, in the order in which they were named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from rich.console import Console

from radixproof.impl.system import Unavailable
from radixproof.properties.campaigns.lane import Done, Event, Failed, News
from radixproof.properties.campaigns.searching import FindingReport
from radixproof.properties.campaigns.side_by_side import Searched, search_all
from radixproof.properties.cli.ci_files import CiFiles
from radixproof.properties.cli.progress import Output, SearchProgress
from radixproof.properties.histories.durable import make_ready
from radixproof.properties.reporting.finding_folder import FindingFolder, write_finding
from radixproof.properties.reporting.wording import plural
from radixproof.properties.results.result import Ending, SystemResult
from radixproof.properties.search.progress import Progress


def check(
    results: Sequence[SystemResult],
    out: Path,
    jobs: int = 1,
    seconds: float | None = None,
    files: CiFiles | None = None,
) -> None:
    """Search the systems of ``results`` and fill these in; one that cannot be run does not stop
    the others. After so many ``seconds`` the rest is given up.

    Raises `Unavailable` if findings could not be written to ``out``.
    """
    _writable(out)
    files = files or CiFiles()
    console = Output(highlight=False, soft_wrap=True)
    pages = [_Page(result, console) for result in results]
    by_shard = {page.result.shard: page for page in pages}
    shards = [result.shard for result in results]
    files.update(results)
    try:
        with (
            SearchProgress(console) as show,
            closing(search_all(shards, jobs, seconds)) as events,
        ):
            for event in events:
                page = by_shard[event.job]
                page.take(event, show)
                if not isinstance(event, News) or isinstance(event.news, FindingReport):
                    files.update(results)
                _turn(pages)
    except KeyboardInterrupt:
        console.print(_interrupted(pages, out), markup=False)
    finally:
        files.close(results)


def _turn(pages: Sequence[_Page]) -> None:
    """Show the pages whose turn it is: those that are over, and the first that is not."""
    for page in pages:
        page.show()
        if page.result.ending is Ending.RUNNING:
            break


def _interrupted(pages: Sequence[_Page], out: Path) -> str:
    """What an interruption leaves."""
    running = [page.result for page in pages if page.result.ending is Ending.RUNNING]
    for page in pages:
        page.show()
    for result in running:
        result.ending = Ending.INTERRUPTED
    begun = [result.system for result in running if result.progress is not None]
    rest = [result.system for result in running if result.progress is None]
    kept = (
        f"; what was found is kept in {out}"
        if any(page.result.findings for page in pages)
        else ", nothing was found until then"
    )
    others = f"; not searched: {', '.join(rest)}" if rest else ""
    return f"{', '.join(begun) or 'radixproof'}: interrupted{kept}{others}"


class _Page:
    """What is printed of one system; it is held back until its turn has come."""

    def __init__(self, result: SystemResult, console: Console) -> None:
        self.result, self.console = result, console
        self._held: list[Callable[[], None]] = []
        self._shown = False

    def show(self) -> None:
        self._shown = True
        held, self._held = self._held, []
        for say in held:
            say()

    def take(self, event: Event, show: Callable[[str, int, Progress], None]) -> None:
        """Note what an event says, and print what a person wants to know of it."""
        result = self.result
        match event:
            case News(_, Progress() as progress):
                result.progress = progress
                show(result.system, result.shard.budget.steps, progress)
            case News(_, FindingReport() as finding):
                result.findings.append(finding)
                written, number = _write(finding.folder), len(result.findings)
                self._say(lambda: self._print_finding(finding, number, written))
            case Failed(_, reason):
                result.ending, result.reason = Ending.FAILED, reason
                self._say(lambda: print(f"radixproof: {reason}", file=sys.stderr))
            case Done(_, Searched(progress, seconds)):
                complete = progress is not None and progress.complete
                result.progress, result.seconds = progress, seconds
                result.ending = Ending.COMPLETE if complete else Ending.TIME
                self._say(self._print_conclusion)

    def _say(self, say: Callable[[], None]) -> None:
        self._held.append(say)
        if self._shown:
            self.show()

    def _print_finding(self, finding: FindingReport, number: int, written: str) -> None:
        self.console.rule(f"{self.result.system}: finding {number}", align="left")
        self.console.print(finding.folder.report, markup=False)
        if not finding.shrunk:
            self.console.print("Time was up before this history was as short as it can be. Go on:")
            shrink = finding.folder.replay.replace("radixproof replay", "radixproof shrink", 1)
            self.console.print(f"{shrink}\n", markup=False)
        self.console.print(written, markup=False)

    def _print_conclusion(self) -> None:
        """The last lines on a system."""
        self.console.rule(characters="-")
        for line in _conclusion(self.result):
            self.console.print(line, markup=False)


def _conclusion(result: SystemResult) -> Iterator[str]:
    """What was searched and found, what was passed over, which milestones were not reached."""
    progress = result.progress
    if progress is None:
        yield f"{result.system}: {result.verdict}: {result.lacking}"
        return
    checked = f"{progress.steps:,} steps in {progress.histories:,} histories checked"
    took = f"({result.seconds:.1f} s, seed {result.shard.seed})"
    yield f"{result.system}: {checked}, {result.verdict} {took}"
    for finding in result.findings:
        cost = f"found after {finding.at_step:,} steps, {finding.seconds:.1f} s"
        length = plural(finding.operations, "operation")
        unshrunk = "" if finding.shrunk else ", not shrunk to the end"
        yield f"  {finding.signature}: {length}{unshrunk}, {cost}"
    yield from _on_known(result)
    if result.lacking:
        yield f"  not searched enough: {result.lacking}"
    if progress.complete:
        unreached = progress.unreached
        yield f"  {result.reached}{', but not:' if unreached else ''}"
        yield from (f"    {milestone.value}" for milestone in unreached)
    if progress.unjudged:
        checks = plural(len(progress.unjudged), "check")
        yield f"  {checks} not made, because the system does not show what they need:"
        yield from (f"    {check}" for check in sorted(map(str, progress.unjudged)))


def _on_known(result: SystemResult) -> Iterator[str]:
    """What was passed over, what should have been and was not there, and what was no longer."""
    for entry, count in result.met.items():
        upstream = f" ({entry.upstream})" if entry.upstream else ""
        yield f"  known: {entry.signature}, met {count:,} times: {entry.reason}{upstream}"
    for finding in result.findings:
        for entry in result.run_out.get(finding.signature, ()):
            yield f"  {entry.signature} was known until {entry.until}, as {entry.place} has it"
    for entry in result.stale:
        yield f"  warning: {entry.signature} in {entry.place} is stale: it did not occur"


def _write(found: FindingFolder) -> str:
    """Write a finding; returns where it is.

    Nothing may be lost: if it cannot be written, the history is returned instead.
    """
    try:
        write_finding(found)
    except OSError as error:
        why = error.strerror or error
        return (
            f"This finding could not be written to {found.path} ({why})."
            f" Its history:\n{found.history}"
        )
    return f"Written to {found.path}: {', '.join(found.written)}\n"


def _writable(out: Path) -> None:
    """Raises `Unavailable` before a long search rather than after it."""
    try:
        make_ready(out)
    except OSError as error:
        raise Unavailable(
            f"cannot write findings to {out} ({error.strerror}): choose another folder with --out"
        ) from None
