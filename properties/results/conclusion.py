"""The last lines on a system, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator

from radixproof.properties.reporting.wording import plural
from radixproof.properties.results.result import SystemResult


def conclusion(result: SystemResult) -> Iterator[str]:
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


def _on_comparison(result: SystemResult) -> Iterator[str]:
    """Whether what is known of a release was compared with it."""
    compared, reference = result.compared, result.shard.reference
    if compared is None:
        return
    if compared.why_not:
        yield f"  warning: not compared with {reference}: {compared.why_not}"
    histories = "history" if compared.of == 1 else "histories"
    yield f"  compared with {reference}: {compared.histories:,} of {compared.of:,} {histories}"
    for signature in compared.likewise:
        yield f"    done there too, from the same state: {signature}"


def _on_known(result: SystemResult) -> Iterator[str]:
    """What was passed over, what should have been and was not there, and what was no longer."""
    for entry, count in result.met.items():
        upstream = f" ({entry.upstream})" if entry.upstream else ""
        yield f"  known: {entry.signature}, met {count:,} times: {entry.reason}{upstream}"
    yield from _on_comparison(result)
    for finding in result.findings:
        for entry in result.run_out.get(finding.signature, ()):
            yield f"  {entry.signature} was known until {entry.until}, as {entry.place} has it"
    for entry in result.stale:
        yield f"  warning: {entry.signature} in {entry.place} is stale: it did not occur"
