"""A check as a page of Markdown, for the summary that GitHub shows of a job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from radixproof.properties.results.result import SystemResult
from radixproof.properties.workers.searching import FindingReport

LONGEST = 20_000
"""Characters of one report that are shown: a whole summary has room for a million."""


def markdown(results: Sequence[SystemResult]) -> str:
    """The whole summary."""
    return "\n".join((*_table(results), *(line for one in results for line in _details(one)), ""))


def _table(results: Iterable[SystemResult]) -> Iterator[str]:
    yield "## radixproof\n"
    yield "| system | result | steps | milestones reached | profile | seed |"
    yield "|---|---|---|---|---|---|"
    for one in results:
        steps, reached = "0", "0"
        if one.progress is not None:
            count = len(one.progress.reached)
            steps = f"{one.progress.steps:,}"
            reached = f"{count} of {count + len(one.progress.unreached)}"
        cells = (one.system, one.verdict, steps, reached, one.profile, str(one.shard.seed))
        yield f"| {' | '.join(map(cell, cells))} |"


def _details(result: SystemResult) -> Iterator[str]:
    if result.lacking:
        yield f"\n{cell(result.system)} was not searched enough: {cell(result.lacking)}."
    for finding in result.findings:
        yield from _finding(result, finding)
    if result.met:
        yield f"\nKnown in {cell(result.system)}, and passed over:\n"
        for entry, count in result.met.items():
            yield f"- `{entry.signature}`, met {count:,} times: {cell(entry.reason)}"
    for entry in result.stale:
        where, place = cell(result.system), cell(entry.place)
        yield f"\n`{entry.signature}` did not occur in {where} any more: stale in {place}"


def _finding(result: SystemResult, finding: FindingReport) -> Iterator[str]:
    cut = len(finding.folder.report) > LONGEST
    report = finding.folder.report[:LONGEST] + ("\n[...]" if cut else "")
    yield f"\n### {cell(finding.signature)} in {cell(result.system)}\n"
    yield f"{cell(finding.summary)}\n"
    yield from _fenced(report)
    yield "\nReplay it:\n"
    yield from _fenced(finding.folder.replay)


def _fenced(text: str) -> Iterator[str]:
    """A block of code, with a fence that the text does not have."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}text"
    yield text.rstrip("\n")
    yield fence


def cell(text: str) -> str:
    """Text that means nothing in Markdown, in one line."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))
