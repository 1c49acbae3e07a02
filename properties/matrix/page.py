"""The table as one page of HTML, which needs no script, no network, and no other file."""

from __future__ import annotations

from pathlib import Path

from radixproof.model.verdict import Property
from radixproof.properties.matrix import wording
from radixproof.properties.matrix.table import Table
from radixproof.properties.reporting.page.templates import fill

TEMPLATE = Path(__file__).parent / "page.html.j2"


def html(table: Table) -> str:
    """The whole page."""
    there = {state for row in table.rows for state in row.cells.values()}
    parts = {
        "table": table,
        "kinds": list(Property),
        "legend": {state: text for state, text in wording.LEGEND.items() if state in there},
        "bugs": [(bug, *wording.found_in(table, bug)) for bug in table.bugs],
        "words": wording,
    }
    return fill(TEMPLATE, parts)
