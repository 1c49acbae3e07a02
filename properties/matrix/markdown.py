"""The table as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from radixproof.model.verdict import Property
from radixproof.properties.matrix.cells import State
from radixproof.properties.matrix.table import Bug, Found, Row, Table
from radixproof.properties.matrix.wording import (
    ISSUES,
    LEGEND,
    SIGNS,
    found_in,
    has_run,
    known,
    length,
    missed,
    of_bugs,
    outcome,
    short,
    verdict,
)
from radixproof.properties.reporting import markdown_table
from radixproof.properties.results.markdown import cell


def markdown(table: Table) -> str:
    """The whole page."""
    labels = [kind.label for kind in Property]
    lines = [
        "# Systems by properties",
        "",
        f"{cell(str(table.asked))}. Searched cold: nothing stored was replayed.",
        "",
        *markdown_table.table(
            ["system", *labels, "result"], (_row(row, labels) for row in table.rows)
        ),
        "",
        "A finding is named by its rule, with the number of its operations, and the number by which"
        " it is known, or **new**.",
        "",
        *(f"- {SIGNS[state]} {LEGEND[state]}" for state in SIGNS if _is_in(state, table)),
        "",
        "## Findings",
        *(line for row in table.rows for line in _details(row)),
        *(_known_bugs(table) if table.bugs else ()),
    ]
    return "\n".join(lines) + "\n"


def _is_in(state: State, table: Table) -> bool:
    return any(state in row.cells.values() for row in table.rows)


def _row(row: Row, labels: Iterable[str]) -> list[str]:
    return [cell(row.system), *(_cell(row, label) for label in labels), cell(outcome(row))]


def _cell(row: Row, label: str) -> str:
    state = row.cells[label]
    if state is not State.FOUND:
        return SIGNS[state]
    return "<br>".join(_found(one) for one in row.findings if one.label == label)


def _found(finding: Found) -> str:
    mark = "**new**" if not finding.known else cell(short(finding.upstream)) or "known"
    return f"{cell(finding.rule)} ({finding.operations}), {mark}"


def _details(row: Row) -> Iterator[str]:
    yield f"\n### {cell(row.system)}\n"
    steps = f"; {row.steps:,} steps in {row.histories:,} histories"
    milestones = f", {row.milestones} of {row.within_reach} milestones reached"
    yield f"{cell(verdict(row))}{steps + milestones if has_run(row) else ''}"
    if row.findings:
        yield ""
    for finding in row.findings:
        reason = f" ({cell(finding.reason)})" if finding.reason else ""
        said = f"{length(finding)}, {cell(known(finding))}{reason}"
        yield f"- {cell(finding.signature)}: {said}; [{finding.folder}]({finding.folder})"
    if row.unjudged:
        yield "\nNot judged, because the system does not show it:\n"
        yield from (f"- {cell(one)}" for one in row.unjudged)


def _known_bugs(table: Table) -> Iterator[str]:
    yield f"\n## Known bugs of SGLang\n\n{of_bugs(table)}.\n"
    head = ("system", "contains", "found by the search", "not found")
    yield from markdown_table.table(head, (_contained(row) for row in table.rows if row.contains))
    yield ""
    yield from markdown_table.table(
        ("bug", "kind", "what", "numbers", "releases", "found in", "not found in", "why"),
        (_bug(table, bug) for bug in table.bugs),
    )


def _contained(row: Row) -> list[str]:
    if not has_run(row):
        return [cell(row.system), str(len(row.contains)), "not searched", ""]
    return [
        cell(row.system),
        str(len(row.contains)),
        f"{len(row.found)}: {', '.join(row.found)}" if row.found else "0",
        ", ".join(missed(row)),
    ]


def _bug(table: Table, bug: Bug) -> list[str]:
    numbers = (f"[{number}]({ISSUES}{number})" for number in bug.numbers)
    found, others = found_in(table, bug)
    return [
        bug.id,
        bug.kind,
        cell(bug.what),
        ", ".join(numbers),
        cell(bug.releases),
        cell(", ".join(found)),
        cell(", ".join(others)),
        cell(bug.why) if not found else "",
    ]
