"""The table as one page of HTML, which needs no script, no network, and no other file."""

from __future__ import annotations

from pathlib import Path

from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Property
from radixproof.properties.matrix import wording
from radixproof.properties.matrix.table import Table

TEMPLATE = "page.html.j2"


def html(table: Table) -> str:
    """The whole page. Raises `Unavailable` where there is no jinja2."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise Unavailable(
            "the page of a matrix needs jinja2, which is not installed:"
            " pip install 'radixproof[sglang]'"
        ) from None
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    there = {state for row in table.rows for state in row.cells.values()}
    return environment.get_template(TEMPLATE).render(
        table=table,
        kinds=list(Property),
        legend={state: text for state, text in wording.LEGEND.items() if state in there},
        bugs=[(bug, *wording.found_in(table, bug)) for bug in table.bugs],
        words=wording,
    )
