"""A check as a person sees it.

Systems are searched one after the other; progress is shown, and findings are printed and written
as they come.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from radixproof.impl.system import Unavailable
from radixproof.properties.campaigns.pool import News, ShardDone, ShardFailed, run
from radixproof.properties.campaigns.searching import FindingReport, Searched, search_shard
from radixproof.properties.campaigns.shard import SEARCH, Shard
from radixproof.properties.cli.progress import Output, SearchProgress
from radixproof.properties.histories.durable import make_ready
from radixproof.properties.reporting.finding_folder import FindingFolder, write_finding
from radixproof.properties.reporting.wording import plural
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.progress import Progress


@dataclass(slots=True)
class Result:
    """How many findings a check made, and whether a system was not searched to its end."""

    found: int = 0
    incomplete: bool = False


def check(
    names: Sequence[str], seed: int, budget: Budget, out: Path, corpus: Path | None = None
) -> Result:
    """Search the systems called ``names``; one that cannot be run does not stop the others.

    The histories in the folder ``corpus`` are replayed first.

    Raises `Unavailable` if findings could not be written to ``out``.
    """
    _writable(out)
    result = Result()
    console = Output(highlight=False, soft_wrap=True, emoji=False)
    for name in names:
        shard = Shard(name, SEARCH, seed, budget, str(corpus or ""), str(out))
        try:
            _search(shard, console, result)
        except Unavailable as error:
            print(f"radixproof: {error}", file=sys.stderr)
            result.incomplete = True
        except KeyboardInterrupt:
            rest = names[names.index(name) + 1 :]
            console.print(f"{name}: interrupted{_kept(result, out, rest)}", markup=False)
            result.incomplete = True
            break
    return result


def _kept(result: Result, out: Path, rest: Sequence[str]) -> str:
    """What an interruption leaves."""
    kept = (
        f"; what was found is kept in {out}" if result.found else ", nothing was found until then"
    )
    return kept + (f"; not searched: {', '.join(rest)}" if rest else "")


def _search(shard: Shard, console: Console, result: Result) -> None:
    findings: list[FindingReport] = []
    with (
        SearchProgress(shard.system, shard.budget, console) as show,
        closing(run([shard], search_shard, jobs=1, reuse=False)) as events,
    ):
        for event in events:
            match event:
                case News(_, Progress() as progress):
                    show(progress)
                case News(_, FindingReport() as finding):
                    findings.append(finding)
                    result.found += 1
                    _show(finding, len(findings), shard, console)
                case ShardFailed(_, reason):
                    raise Unavailable(reason)
                case ShardDone(_, Searched() as done):
                    show(done.progress)
                    _conclude(shard, findings, done, console)
                    result.incomplete |= not findings and _too_little(shard.budget, done.progress)


def _too_little(budget: Budget, progress: Progress) -> bool:
    """Whether a clean search missed milestones; one with a limit in seconds may."""
    return budget.everywhere and budget.seconds is None and bool(progress.unreached)


def _show(finding: FindingReport, number: int, shard: Shard, console: Console) -> None:
    where = _write(finding.folder)  # before anything is printed of it
    console.rule(f"{shard.system}: finding {number}", align="left")
    console.print(finding.folder.report, markup=False)
    console.print(where, markup=False)


def _conclude(
    shard: Shard, findings: Sequence[FindingReport], done: Searched, console: Console
) -> None:
    """The last lines on a system: what was searched and found, and which milestones
    were reached.
    """
    console.rule(characters="-")
    for line in _conclusion(shard, findings, done):
        console.print(line, markup=False)


def _conclusion(shard: Shard, findings: Sequence[FindingReport], done: Searched) -> Iterator[str]:
    progress = done.progress
    checked = f"{progress.steps:,} steps in {progress.histories:,} histories checked"
    verdict = plural(len(findings), "finding") if findings else "clean"
    yield f"{shard.system}: {checked}, {verdict} ({done.seconds:.1f} s, seed {shard.seed})"
    for finding in findings:
        cost = f"found after {finding.at_step:,} steps, {finding.seconds:.1f} s"
        yield f"  {finding.signature}: {plural(finding.operations, 'operation')}, {cost}"
    unreached, count = progress.unreached, len(progress.reached)
    reached = f"{count} of {count + len(unreached)} milestones reached"
    yield f"  {reached}{', but not:' if unreached else ''}"
    yield from (f"    {milestone.value}" for milestone in unreached)
    if progress.unjudged:
        checks = plural(len(progress.unjudged), "check")
        yield f"  {checks} not made, because the system does not show what they need:"
        yield from (f"    {check}" for check in sorted(map(str, progress.unjudged)))


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
