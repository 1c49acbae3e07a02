"""The table as data: what is written as JSON, read again to go on, and shown on the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import msgspec

from radixproof.properties.histories.reading import UnreadableFile, text_of
from radixproof.properties.known.entry import Entry
from radixproof.properties.known.files import Known
from radixproof.properties.matrix.cells import State, states
from radixproof.properties.results.result import Ending, SystemResult
from radixproof.properties.workers.searching import FindingReport

FORMAT = 1
LARGEST = 2**26
"""Bytes of a table that is read."""


class TableError(ValueError):
    """A table that cannot be read. The message names the file."""


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding."""

    signature: str
    label: str = msgspec.field(name="property")
    """The property that it breaks."""
    summary: str
    operations: int
    shrunk: bool
    at_step: int
    folder: str
    """Where it is written, below the folder of the table."""
    files: tuple[str, ...]
    also: str = ""
    """The signature under which the search met it, if it is another."""
    known: bool = False
    reason: str = ""
    """Why it is known, and as what to those who maintain the system."""
    upstream: str = ""

    @property
    def rule(self) -> str:
        """The signature without the property."""
        return self.signature.partition("/")[2]


class Bug(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bug that is known to those who maintain SGLang."""

    id: str
    kind: str
    what: str
    releases: str
    """Those that contain it, as a range of versions."""
    numbers: tuple[int, ...] = ()
    """Pull requests and issues."""
    signatures: tuple[str, ...] = ()
    """Of known findings without a number that are this bug."""
    why: str = ""
    """Why no search finds it; empty if some has."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A system."""

    system: str
    complete: bool
    """Whether the search has spent its budget."""
    enough: bool
    """Whether so much was searched that nothing found means something."""
    lacking: str
    """Why it was not searched enough, or could not be run."""
    steps: int
    histories: int
    milestones: int
    within_reach: int
    """Milestones that a search of the system can meet."""
    cells: dict[str, State]
    """The state of every property, by its label."""
    unjudged: tuple[str, ...]
    """Checks that could not be made, because the system does not show what they need."""
    findings: tuple[Found, ...]
    contains: tuple[str, ...] = ()
    """Known bugs that the system contains."""
    found: tuple[str, ...] = ()
    """Those of them that the search has found."""

    @property
    def new(self) -> int:
        """How many findings are not known."""
        return sum(not finding.known for finding in self.findings)


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What determines a table: with the same of it, and the same code, it is the same."""

    radixproof: str
    profile: str
    steps: int
    seed: int
    step_seconds: float

    def __str__(self) -> str:
        return (
            f"radixproof {self.radixproof}, profile {self.profile} ({self.steps:,} steps),"
            f" seed {self.seed}, {self.step_seconds:g} seconds a step"
        )


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every system, and with what it was searched."""

    asked: Asked
    rows: tuple[Row, ...]
    bugs: tuple[Bug, ...] = ()
    """What ``contains`` and ``found`` of the rows name."""
    format: int = FORMAT


def row_of(result: SystemResult, out: Path) -> Row:
    """The row of a system, as far as it has been searched; its findings lie below ``out``."""
    progress = result.progress
    reached = 0 if progress is None else len(progress.reached)
    return Row(
        result.system,
        result.ending is Ending.COMPLETE,
        result.enough,
        result.lacking,
        0 if progress is None else progress.steps,
        0 if progress is None else progress.histories,
        reached,
        0 if progress is None else reached + len(progress.unreached),
        states(result),
        () if progress is None else tuple(sorted(map(str, progress.unjudged))),
        tuple(_found(finding, out) for finding in result.findings),
    )


def _found(finding: FindingReport, out: Path) -> Found:
    return Found(
        finding.signature,
        finding.signature.partition("/")[0],
        finding.summary,
        finding.operations,
        finding.shrunk,
        finding.at_step,
        Path(finding.folder.path).relative_to(out).as_posix(),
        tuple(finding.folder.written),
        finding.also or "",
    )


def marked(rows: Iterable[Row], known: Known, today: date) -> tuple[Row, ...]:
    """The rows with what is known of each finding."""
    return tuple(_marked(row, known, today) for row in rows)


def _marked(row: Row, known: Known, today: date) -> Row:
    entries = known.for_system(row.system, today) if row.findings else {}
    findings = [_with(finding, entries.get(finding.signature, ())) for finding in row.findings]
    return msgspec.structs.replace(row, findings=tuple(findings))


def _with(finding: Found, entries: Sequence[Entry]) -> Found:
    upstream = next((entry.upstream for entry in entries if entry.upstream), "")
    reason = entries[0].reason if entries else ""
    return msgspec.structs.replace(finding, known=bool(entries), reason=reason, upstream=upstream)


def as_json(table: Table) -> str:
    """The table as it is written."""
    return msgspec.json.format(msgspec.json.encode(table), indent=1).decode() + "\n"


def read(file: Path) -> Table | None:
    """The table in a file; None if there is no such file. Raises `TableError`."""
    if not file.exists():
        return None
    try:
        table = msgspec.json.decode(text_of(file, LARGEST), type=Table)
    except UnreadableFile as error:
        raise TableError(str(error)) from None
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
        raise TableError(f"{file} is no table of radixproof matrix: {error}") from None
    if table.format != FORMAT:
        raise TableError(f"{file} has format {table.format}; this radixproof writes {FORMAT}")
    return table
