"""A check as a person sees it.

Progress is shown, and findings are printed and written as they come. Systems that are searched side
by side are printed one after the other, in the order in which they were named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from rich.console import Console

from radixproof.impl.system import Unavailable
from radixproof.properties.cli.ci_files import CiFiles
from radixproof.properties.cli.colours import coloured
from radixproof.properties.cli.progress import Output, SearchProgress
from radixproof.properties.histories.durable import make_ready
from radixproof.properties.reporting.finding_folder import keep
from radixproof.properties.results.conclusion import conclusion
from radixproof.properties.results.result import Ending, SystemResult
from radixproof.properties.search.progress import Progress
from radixproof.properties.workers.comparing import Compared, search_and_compare
from radixproof.properties.workers.lane import Done, Event, Failed, News
from radixproof.properties.workers.searching import FindingReport


def check(
    results: Sequence[SystemResult],
    out: Path,
    jobs: int = 1,
    seconds: float | None = None,
    files: CiFiles | None = None,
) -> None:
    """Search the systems of ``results`` and fill these in; one that cannot be run does not stop
    the others. After so many ``seconds`` the rest is given up.

    Raises `Unavailable` if findings could not be written to ``out``, or the ``files`` never could.
    """
    _writable(out)
    files = files or CiFiles()
    console = Output(highlight=False, soft_wrap=True, emoji=False)
    pages = [_Page(result, console) for result in results]
    by_shard = {page.result.shard: page for page in pages}
    shards = [result.shard for result in results]
    files.begin(results)
    try:
        with (
            SearchProgress(console) as progress,
            closing(search_and_compare(shards, jobs, seconds)) as events,
        ):
            for event in events:
                page = by_shard[event.job]
                page.take(event, progress)
                if not isinstance(event, News):
                    progress.over(page.result.system)
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

    def take(self, event: Event, shown: SearchProgress) -> None:
        """Note what an event says, and print what a person wants to know of it."""
        result = self.result
        result.take(event)
        match event:
            case News(_, Progress() as progress):
                shown.show(result.system, result.shard.budget.steps, progress)
            case News(_, Compared(histories, of)):
                shown.comparing(result.system, result.shard.reference, histories, of)
            case News(_, FindingReport() as finding):
                written, number = keep(finding.folder), len(result.findings)
                self._say(lambda: self._print_finding(finding, number, written))
            case Failed(_, reason):
                self._say(lambda: print(f"radixproof: {reason}", file=sys.stderr))
            case Done():
                self._say(self._print_conclusion)

    def _say(self, say: Callable[[], None]) -> None:
        self._held.append(say)
        if self._shown:
            self.show()

    def _print_finding(self, finding: FindingReport, number: int, written: str) -> None:
        self.console.rule(f"{self.result.system}: finding {number}", align="left")
        self.console.print(coloured(finding.folder.report))
        if not finding.shrunk:
            self.console.print("Time was up before this history was as short as it can be. Go on:")
            shrink = finding.folder.replay.replace("radixproof replay", "radixproof shrink", 1)
            self.console.print(f"{shrink}\n", markup=False)
        self.console.print(written, markup=False)

    def _print_conclusion(self) -> None:
        """The last lines on a system."""
        self.console.rule(characters="-")
        for line in conclusion(self.result):
            self.console.print(line, markup=False)


def _writable(out: Path) -> None:
    """Raises `Unavailable` before a long search rather than after it."""
    try:
        make_ready(out)
    except OSError as error:
        raise Unavailable(
            f"cannot write findings to {out} ({error.strerror}): choose another folder with --out"
        ) from None
