"""The page of a campaign: findings over steps, what more would bring, what was never reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from radixproof import __version__
from radixproof.properties.campaigns.overview import Searched
from radixproof.properties.power.steps_chart import chart
from radixproof.properties.reporting.finding_folder import page_link
from radixproof.properties.reporting.page.templates import HERE, fill

TEMPLATE = HERE / "page_of_campaign.html.j2"


def html(systems: Sequence[Searched], left: int, folder: Path) -> str:
    """The whole page, to lie in a folder; so many shards are ``left``."""
    parts = {
        "systems": systems,
        "left": left,
        "links": {
            one.first.folder: page_link(one.first.folder, folder)
            for system in systems
            for one in system.findings
        },
        "shards": sum(one.shards for one in systems),
        "steps": sum(one.steps for one in systems),
        "findings": sum(len(one.findings) for one in systems),
        "chart": _chart(systems),
        "version": __version__,
    }
    return fill(TEMPLATE, parts)


def _chart(systems: Sequence[Searched]) -> str:
    """An SVG; nothing if nothing was found."""
    curves = {one.system: one.curve for one in systems if one.findings}
    most = max(map(len, curves.values()), default=0)
    steps = max((one.steps for one in systems), default=0)
    return (
        chart("Findings of different signatures, by steps", curves, most, steps) if curves else ""
    )
