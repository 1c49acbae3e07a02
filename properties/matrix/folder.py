"""The folder of a table: the table as JSON, Markdown and a page, and a folder for each finding.

Everything is written whenever there is something new, each file as a whole. A table that was
interrupted, or whose process was killed, is gone on with from its JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from radixproof.properties.histories.durable import make_ready, write_file
from radixproof.properties.known.files import Known
from radixproof.properties.matrix import markdown, page
from radixproof.properties.matrix.table import Asked, Row, Table, as_json, marked, read, row_of
from radixproof.properties.matrix.upstream import catalogue, with_bugs
from radixproof.properties.reporting.finding_folder import HISTORY
from radixproof.properties.results.result import SystemResult

TABLE, TEXT, PAGE = "matrix.json", "matrix.md", "matrix.html"
FINDINGS = "findings"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a table is written, and the rows that were finished there before."""

    path: Path
    asked: Asked
    finished: Mapping[str, Row]
    known: Known
    today: date

    @property
    def findings(self) -> Path:
        return self.path / FINDINGS

    def rows(self, names: Iterable[str], results: Sequence[SystemResult]) -> tuple[Row, ...]:
        """The rows of these systems in order, as far as they are, and of what else was finished."""
        rows = {**self.finished, **{one.system: row_of(one, self.path) for one in results}}
        order = dict.fromkeys([*names, *self.finished])
        return self._dressed(rows[name] for name in order)

    def row(self, result: SystemResult) -> Row:
        """One row, as far as it is."""
        return self._dressed([row_of(result, self.path)])[0]

    def _dressed(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        """The rows with what is known of their findings and of their systems."""
        return tuple(map(with_bugs, marked(rows, self.known, self.today)))

    def write(self, rows: tuple[Row, ...]) -> None:
        """Write everything but the findings."""
        contained = {bug for row in rows for bug in row.contains}
        bugs = tuple(bug for bug in catalogue() if bug.id in contained)
        table = Table(self.asked, rows, bugs)
        write_file(self.path / TABLE, as_json(table))
        write_file(self.path / TEXT, markdown.markdown(table))
        write_file(self.path / PAGE, page.html(table))


def table_in(path: Path) -> Table | None:
    """The table in a folder, if there is one. Raises `TableError` if it cannot be read."""
    return read(path / TABLE)


def opened(path: Path, asked: Asked, before: Table | None, known: Known, today: date) -> Folder:
    """A folder made ready to be written to, with what was finished ``before``. Raises `OSError`."""
    make_ready(path / FINDINGS)
    make_ready(path)
    rows = () if before is None else before.rows
    finished = {row.system: row for row in rows if row.complete and _is_whole(row, path)}
    return Folder(path, asked, finished, known, today)


def _is_whole(row: Row, path: Path) -> bool:
    """Whether the findings of a row are all there still."""
    return all((path / finding.folder / HISTORY).is_file() for finding in row.findings)
