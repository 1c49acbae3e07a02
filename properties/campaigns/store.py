"""The store of a campaign: an SQLite file, which a process may be killed over at any moment.

A shard is in it when it has finished; its findings are in it as soon as they are shrunk, and are
replaced by themselves if the shard is run again. docs/campaigns.md describes the tables.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from radixproof.properties.histories.durable import encoded
from radixproof.properties.search.progress import Progress
from radixproof.properties.workers.searching import FindingReport
from radixproof.properties.workers.shard import Shard

FORMAT = 1
SCHEMA = """
CREATE TABLE campaign (format INTEGER NOT NULL, description TEXT NOT NULL);
CREATE TABLE shard (
    seed INTEGER NOT NULL, system TEXT NOT NULL, steps INTEGER NOT NULL,
    histories INTEGER NOT NULL, seconds REAL NOT NULL, failure TEXT NOT NULL,
    PRIMARY KEY (seed, system));
CREATE TABLE finding (
    seed INTEGER NOT NULL, system TEXT NOT NULL, signature TEXT NOT NULL,
    at_step INTEGER NOT NULL, operations INTEGER NOT NULL, summary TEXT NOT NULL,
    folder TEXT NOT NULL, history TEXT NOT NULL,
    PRIMARY KEY (seed, system, signature));
CREATE TABLE milestone (
    seed INTEGER NOT NULL, system TEXT NOT NULL, milestone TEXT NOT NULL, met INTEGER NOT NULL,
    PRIMARY KEY (seed, system, milestone));
"""


def _plain(text: str) -> str:
    """What a system says, and names of files, as files have them: SQLite takes no half
    characters.
    """
    return encoded(text).decode()


class StoreError(ValueError):
    """A file that is no store of this campaign. The message says why."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A shard as the store has it; with a ``failure`` it could not be run."""

    seed: int
    system: str
    steps: int
    histories: int
    seconds: float
    failure: str


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of one shard."""

    seed: int
    system: str
    signature: str
    at_step: int
    operations: int
    summary: str
    folder: str


class Store:
    """An open store. ``description`` says which campaign it is of."""

    def __init__(self, file: Path, description: str) -> None:
        """Open a store, or make a new one. Raises `StoreError`, and `OSError`."""
        self.file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base = sqlite3.connect(file)
            self._base.execute("PRAGMA synchronous = FULL")
            self._begin(description)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{file} is no store of a campaign ({error})") from None

    def _begin(self, description: str) -> None:
        with self._base:
            self._base.execute("BEGIN IMMEDIATE")
            tables = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables:
                for statement in filter(str.strip, SCHEMA.split(";")):
                    self._base.execute(statement)
                self._base.execute("INSERT INTO campaign VALUES (?, ?)", (FORMAT, description))
        row = self._base.execute("SELECT format, description FROM campaign").fetchone()
        if row is None:
            raise StoreError(f"{self.file} does not say which campaign it is of: remove it")
        if row != (FORMAT, description):
            raise StoreError(
                f"{self.file} is of another campaign ({row[1]}, format {row[0]}), not of"
                f" {description}: choose another folder with --out"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    # -- what is written ---------------------------------------------------------------------------

    def found(self, shard: Shard, report: FindingReport) -> None:
        """Keep a finding of a shard that is running."""
        row = (
            shard.seed,
            shard.system,
            report.signature,
            report.at_step,
            report.operations,
            *map(_plain, (report.summary, report.folder.path, report.folder.history)),
        )
        with self._base:
            self._base.execute("INSERT OR REPLACE INTO finding VALUES (?,?,?,?,?,?,?,?)", row)

    def finish(self, shard: Shard, progress: Progress, seconds: float) -> None:
        """A shard has come to its end."""
        met = [
            (shard.seed, shard.system, milestone.value, progress.milestones[milestone])
            for milestone in (*progress.reached, *progress.unreached)
        ]
        with self._base:
            self._shard(shard, progress.steps, progress.histories, seconds, "")
            self._base.executemany("INSERT OR REPLACE INTO milestone VALUES (?,?,?,?)", met)

    def fail(self, shard: Shard, reason: str) -> None:
        """A shard could not be run; it will be tried again."""
        with self._base:
            self._shard(shard, 0, 0, 0.0, _plain(reason))

    def _shard(
        self, shard: Shard, steps: int, histories: int, seconds: float, failure: str
    ) -> None:
        row = (shard.seed, shard.system, steps, histories, seconds, failure)
        self._base.execute("INSERT OR REPLACE INTO shard VALUES (?,?,?,?,?,?)", row)

    # -- what is read ------------------------------------------------------------------------------

    def shards(self) -> list[Finished]:
        """Every shard that has come to an end, by seed and then by system."""
        rows = self._base.execute("SELECT * FROM shard ORDER BY seed, system")
        return [Finished(*row) for row in rows]

    def findings(self) -> list[Found]:
        """Every finding of every shard, by seed, system and signature."""
        columns = "seed, system, signature, at_step, operations, summary, folder"
        rows = self._base.execute(f"SELECT {columns} FROM finding ORDER BY 1, 2, 3")
        return [Found(*row) for row in rows]

    def milestones(self) -> dict[str, Counter[str]]:
        """By system, how often each milestone within reach was met, in all shards."""
        met: dict[str, Counter[str]] = {}
        rows = self._base.execute(
            "SELECT system, milestone, sum(met) FROM milestone GROUP BY 1, 2 ORDER BY 1, 2"
        )
        for system, milestone, count in rows:
            met.setdefault(system, Counter())[milestone] = count
        return met
