"""The findings of a check as one page, with links to theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from radixproof.properties.cli import output_file
from radixproof.properties.reporting.finding_folder import PAGE, page_link
from radixproof.properties.reporting.page.index import Listed, listing
from radixproof.properties.results.result import SystemResult
from radixproof.properties.workers.searching import FindingReport

NAME = "index.html"


def write(results: Sequence[SystemResult], out: Path) -> Path | None:
    """Where the page is that shows what was found; None if nothing was.

    That of the only finding is there already; a list is written to the folder ``out``. Raises
    `Unavailable` if that is impossible.
    """
    found = [(result.system, finding) for result in results for finding in result.findings]
    if not found:
        return None
    if len(found) == 1:
        return Path(found[0][1].folder.path, PAGE)
    page = out / NAME
    output_file.write(page, listing([_listed(system, finding, out) for system, finding in found]))
    return page


def _listed(system: str, finding: FindingReport, out: Path) -> Listed:
    said = " ".join(line.strip() for line in finding.summary.splitlines()[1:])
    link = page_link(finding.folder.path, out)
    return Listed(system, finding.signature, said, finding.operations, link)
