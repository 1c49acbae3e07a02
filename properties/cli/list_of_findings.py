"""The findings of a check as one page, with links to theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from radixproof.impl.system import Unavailable
from radixproof.properties.campaigns.searching import FindingReport
from radixproof.properties.histories.durable import write_file
from radixproof.properties.reporting.finding_folder import PAGE
from radixproof.properties.reporting.page.index import Listed, listing
from radixproof.properties.results.result import SystemResult

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
    try:
        write_file(page, listing([_listed(system, finding, out) for system, finding in found]))
    except OSError as error:
        raise Unavailable(f"cannot write {page}: {error.strerror}") from None
    return page


def _listed(system: str, finding: FindingReport, out: Path) -> Listed:
    said = " ".join(line.strip() for line in finding.summary.splitlines()[1:])
    link = quote(Path(finding.folder.path, PAGE).relative_to(out).as_posix())
    return Listed(system, finding.signature, said, finding.operations, link)
