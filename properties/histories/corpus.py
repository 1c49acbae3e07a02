"""The corpus: a shortest history for every bug that is known, kept as files and run again before
anything is searched.

What was found once should not have to be found again. A history belongs to the system that its
``origin`` names, but it is run on every system that it fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from radixproof.impl.operations import History
from radixproof.impl.registry import planted_in
from radixproof.properties.histories.durable import write_file
from radixproof.properties.histories.file_names import slug
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.histories.reading import history_in

FOLDER = Path(__file__).resolve().parents[2] / "corpus"
"""Beside the sources; an installation without it has an empty corpus."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a corpus."""

    name: str
    history: History

    @property
    def system(self) -> str:
        return self.history.origin.get("system", "")


def name_of(system: str, signature: str) -> str:
    """The name of the file for one bug of one system, without ``.json``.

    A planted fault is one bug, whichever signature it is reported with.
    """
    return slug(system) if planted_in(system) else f"{slug(system)}-{slug(signature)}"


def read(folder: Path) -> list[Entry]:
    """All entries of a folder, by name; none if there is no such folder.

    Raises `HistoryError` with the file's name.
    """
    return [Entry(file.stem, history_in(file)) for file in sorted(folder.glob("*.json"))]


def write(folder: Path, history: History) -> Path:
    """Write a history under the name that its origin gives it; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name_of(history.origin['system'], history.origin['signature'])}.json"
    write_file(file, to_json(history))
    return file
