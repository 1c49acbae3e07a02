"""Tables as a matrix would have them, made up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from radixproof.properties.known.entry import Entry
from radixproof.properties.known.files import Known
from radixproof.properties.matrix.table import Asked, Row, Table, marked, row_of
from radixproof.properties.matrix.upstream import catalogue, with_bugs
from radixproof.properties.results.result import Ending, SystemResult
from radixproof.properties.workers.searching import FindingReport

from ..results.made_up import finding, progress, result

OUT, TODAY = Path("findings"), date(2026, 11, 1)
ASKED = Asked("0.1.0", "ci", 1_000, 3, 10.0)
URL = "https://github.com/sgl-project/sglang/pull"
KNOWN = Known(
    (
        Entry("PROGRESS/never-backed-up", "lost", systems=("sglang",), upstream=f"{URL}/25065"),
        Entry("LOCK/swa-too-few", "it takes too many", upstream="#7"),
        Entry("OWN/lost", "gone"),
    )
)


def bad() -> SystemResult:
    """A release with findings that are known, with a number or without, and new."""
    signatures = ("PROGRESS/never-backed-up", "OWN/lost", "PIN/full-replaced")
    found: list[FindingReport] = [finding(signature) for signature in signatures]
    return result(found, system="sglang==0.5.12.post1")


def not_here(
    system: str = "sglang==0.5.13.post1", reason: str = "not here: fetch it"
) -> SystemResult:
    of = result(system=system, ending=Ending.FAILED, reason=reason)
    of.progress = None
    return of


def rows(*results: SystemResult) -> tuple[Row, ...]:
    return tuple(map(with_bugs, marked((row_of(one, OUT) for one in results), KNOWN, TODAY)))


def table(*results: SystemResult) -> Table:
    return Table(ASKED, rows(*results), catalogue())


TABLE = table(bad(), not_here(), result(now=progress()), result(now=progress(1), system="short"))
