"""A page that lists several findings, each with a link to its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from radixproof import __version__
from radixproof.properties.reporting.page.templates import HERE, fill

TEMPLATE = HERE / "page_of_findings.html.j2"


class Listed(NamedTuple):
    """A finding in a line."""

    system: str
    signature: str
    summary: str
    operations: int
    link: str
    """Its page, from where the list is."""


def listing(findings: Sequence[Listed]) -> str:
    """The whole page, by system and then in the order in which they were found."""
    by_system: dict[str, list[Listed]] = {}
    for one in findings:
        by_system.setdefault(one.system, []).append(one)
    parts = {"systems": by_system, "count": len(findings), "version": __version__}
    return fill(TEMPLATE, parts)
