"""A table in words: the verdict on a system, a finding in a line, and the signs of the cells."""

from __future__ import annotations

from collections.abc import Mapping

from radixproof.properties.matrix.cells import State
from radixproof.properties.matrix.table import Bug, Found, Row, Table
from radixproof.properties.reporting.wording import plural

ISSUES = "https://github.com/sgl-project/sglang/issues/"
"""Where SGLang's issues and pull requests are, by number."""
SIGNS: Mapping[State, str] = {
    State.CLEAN: "✓",
    State.IN_PART: "(✓)",
    State.QUIET: "○",
    State.UNSHOWN: "–",
    State.NOTHING: "·",
    State.TOO_LITTLE: "?",
    State.NOT_RUN: "✗",
}
LEGEND: Mapping[State, str] = {
    State.CLEAN: "clean: searched enough, and nothing was found",
    State.IN_PART: "clean as far as the system shows what a check needs",
    State.QUIET: "nothing found, in a search too short to meet every situation that bugs need",
    State.UNSHOWN: "not judged: the system does not show what it takes",
    State.NOTHING: "the system has nothing that this is about",
    State.TOO_LITTLE: "not searched enough to say anything",
    State.NOT_RUN: "not run",
}


def verdict(row: Row) -> str:
    """What a system came to, and if it was not searched enough, why."""
    return f"{outcome(row)}: {row.lacking}" if row.lacking else outcome(row)


def outcome(row: Row) -> str:
    """What a system came to. Nothing is called clean without a reason."""
    if row.findings:
        count, new = plural(len(row.findings), "finding"), row.new
        found = f"{count}, {'all known' if not new else f'{new} new'}"
        return found if row.enough else f"{found}, and {State.TOO_LITTLE.value}"
    if not row.enough:
        return State.TOO_LITTLE.value if has_run(row) else State.NOT_RUN.value
    return "clean" if row.milestones == row.within_reach else State.QUIET.value


def has_run(row: Row) -> bool:
    """Whether the search of a system has begun, so that there is something to say of it."""
    return State.NOT_RUN not in row.cells.values()


def found_bugs(row: Row) -> str:
    """How many of the known bugs of a system were found."""
    if not row.contains:
        return "no known bugs"
    what = f"{len(row.found)} of {plural(len(row.contains), 'known bug')} found"
    return what if has_run(row) else f"{plural(len(row.contains), 'known bug')}, not searched"


def missed(row: Row) -> list[str]:
    """The known bugs of a system that were not found."""
    return [bug for bug in row.contains if bug not in row.found]


def of_bugs(table: Table) -> str:
    """How many of the known bugs were found in some system that contains them."""
    found = {bug for row in table.rows for bug in row.found}
    return f"{len(found)} of {plural(len(table.bugs), 'known bug')} found in a system that has it"


def found_in(table: Table, bug: Bug) -> tuple[list[str], list[str]]:
    """The releases in which a bug was found, and those that have it, were searched, and in which it
    was not found.
    """
    rows = [row for row in table.rows if bug.id in row.contains and has_run(row)]
    found = [row for row in rows if bug.id in row.found]
    others = [row for row in rows if row not in found]
    return list(map(_release, found)), list(map(_release, others))


def _release(row: Row) -> str:
    return row.system.removeprefix("sglang==")


def length(finding: Found) -> str:
    """How long the history of a finding is."""
    unshrunk = "" if finding.shrunk else ", not shrunk to the end"
    return f"{plural(finding.operations, 'operation')}{unshrunk}"


def known(finding: Found) -> str:
    """Whether a finding is known, and as what."""
    if not finding.known:
        return "new"
    return f"known, {finding.upstream}" if finding.upstream else "known"


def short(upstream: str) -> str:
    """``#25065``, for the address of an issue or a pull request."""
    last = upstream.rstrip("/").rpartition("/")[2]
    return f"#{last}" if last.isdecimal() else last


def in_a_line(row: Row, finding: Found) -> str:
    """A finding of a system, in a line."""
    return f"{finding.signature} in {row.system}: {length(finding)}, {known(finding)}"
