"""The commands about planted faults: faults, corpus update, power."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from radixproof.impl import faults, registry
from radixproof.impl.system import Unavailable
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, UsageError, at_least_one
from radixproof.properties.histories import corpus
from radixproof.properties.power import cells, scores, tables
from radixproof.properties.power.contestants import DRIVERS
from radixproof.properties.power.corpus_update import prune, update
from radixproof.properties.reporting.report import plural
from radixproof.properties.search.search import PROFILES

RECORD = "cells.jsonl"


def add(commands: Any) -> None:
    """Add these commands to the parser of the command line."""
    listing = commands.add_parser(
        "faults",
        help="list the planted bugs",
        description="List the planted bugs, a line or two each.",
    )
    listing.set_defaults(run=_faults)
    _add_corpus(commands)
    _add_power(commands)


def _add_corpus(commands: Any) -> None:
    keeping = commands.add_parser("corpus", help="keep a shortest history of every known bug")
    kinds = keeping.add_subparsers(required=True, metavar="update")
    updating = kinds.add_parser(
        "update", description="Find a shortest history of every bug that has none in the corpus."
    )
    updating.add_argument(
        "systems",
        nargs="*",
        metavar="SYSTEM",
        help="of these systems only (default: all planted bugs)",
    )
    updating.add_argument(
        "--all", action="store_true", help="also of bugs that have one, as if the corpus were empty"
    )
    updating.add_argument(
        "--folder",
        type=Path,
        default=corpus.FOLDER,
        metavar="FOLDER",
        help="where the corpus is kept",
    )
    updating.set_defaults(run=_update)


def _add_power(commands: Any) -> None:
    measuring = commands.add_parser(
        "power",
        help="measure how fast planted bugs are found",
        description="Measure how fast each driver finds each planted bug, and write a table, JSON and a chart.",
    )
    measuring.add_argument(
        "--faults",
        nargs="+",
        metavar="NAME",
        help="these only (default: all; see 'radixproof faults')",
    )
    measuring.add_argument(
        "--drivers",
        nargs="+",
        metavar="NAME",
        help=f"these only (default: all: {', '.join(DRIVERS)})",
    )
    measuring.add_argument(
        "--seeds", type=at_least_one, default=3, metavar="N", help="seeds 1 to N (default: 3)"
    )
    measuring.add_argument(
        "--profile",
        choices=("dev", "ci"),
        default="ci",
        help="whose steps each search may take (default: ci)",
    )
    measuring.add_argument(
        "--out",
        type=Path,
        default=Path("build/power"),
        metavar="FOLDER",
        help="default: build/power",
    )
    measuring.add_argument(
        "--jobs",
        type=at_least_one,
        default=os.cpu_count() or 1,
        metavar="N",
        help="searches at a time",
    )
    measuring.add_argument(
        "--resume",
        action="store_true",
        help="add to the cells in FOLDER, made with the same code; the table is of all of them",
    )
    measuring.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="JSON of an earlier campaign: exit with 1 if a fault found there is missed",
    )
    measuring.set_defaults(run=_power)


# -- faults and corpus ---------------------------------------------------------------------------------------------------------


def _faults(options: argparse.Namespace) -> int:
    for _, fault in sorted(faults.FAULTS.items()):
        print(
            f"{fault.name}\n    {fault.sentence}\n    {fault.record}; expected: {fault.sees.label}"
        )
    print(
        f"\n{plural(len(faults.FAULTS), 'planted fault')}. To check one: radixproof check fault:NAME"
    )
    return CLEAN


def _update(options: argparse.Namespace) -> int:
    names = list(
        dict.fromkeys(options.systems or (f"fault:{name}" for name in sorted(faults.FAULTS)))
    )
    for name in names:
        registry.find(name)  # a wrong name ends it before anything is run
    if not options.systems:
        for entry in prune(options.folder):
            print(f"{entry}: removed, there is no such fault any more")
    missed = []
    for name in names:
        done = update(name, options.folder, options.all)
        print(f"{name}: {done.text}", flush=True)
        if done.missed:
            missed.append(name)
    if missed:
        print(f"radixproof: no history was found for: {', '.join(missed)}", file=sys.stderr)
    return CANNOT_RUN if missed else CLEAN


# -- power ---------------------------------------------------------------------------------------------------------------------


def _power(options: argparse.Namespace) -> int:
    budget = PROFILES[options.profile].steps
    names = _chosen(options.faults, faults.FAULTS, "fault")
    drivers = _chosen(options.drivers, DRIVERS, "driver")
    expected = _expected(options.expect, drivers)
    wanted = cells.all_cells(sorted(names), drivers, options.seeds, budget)
    done = _campaign(wanted, options.out, options.jobs, options.resume)
    table = scores.standings(done)
    _write(options.out, table, budget)
    print(f"{tables.headline(table)}\nWritten to {options.out}: cells.md, cells.json, power.svg")
    failed = [one for one in done if one.error]
    for one in failed:
        print(
            f"radixproof: {one.cell.fault}, {one.cell.driver}, seed {one.cell.seed}: {one.error}",
            file=sys.stderr,
        )
    missed = sorted(
        fault
        for fault in expected & set(table)
        if not any(one.found for one in table[fault].values())
    )
    if missed:
        print(f"Missed, though {options.expect} has them as found: {', '.join(missed)}")
        return FOUND
    return CANNOT_RUN if failed else CLEAN


def _chosen(given: Sequence[str] | None, known: Iterable[str], kind: str) -> list[str]:
    names = list(known)
    chosen = [name.removeprefix("fault:") for name in dict.fromkeys(given or names)]
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise UsageError(f"no {kind} is called {unknown[0]!r} (known: {', '.join(sorted(names))})")
    return chosen


def _expected(file: Path | None, drivers: Iterable[str]) -> set[str]:
    if file is None:
        return set()
    try:
        return tables.found_before(file.read_text(), drivers)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None


def _campaign(
    wanted: Sequence[cells.Cell], out: Path, jobs: int, resume: bool
) -> list[cells.Measured]:
    """Run what is not in the record yet, and write it there; returns all that is in the record then, of the same budget."""
    file = out / RECORD
    try:
        before = cells.record(file)
    except (cells.RecordError, UnicodeDecodeError) as error:
        raise UsageError(str(error)) from None
    if before and not resume:
        raise UsageError(
            f"{file} is the record of an earlier campaign: go on with --resume, or choose another folder with --out"
        )
    budgets = {cell.budget for cell in wanted}
    done = {one.cell: one for one in before if one.cell.budget in budgets and not one.error}
    todo = [cell for cell in wanted if cell not in done]
    left = len(todo)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with (
            file.open("a") as stream,
            closing(cells.measured(todo, min(jobs, len(todo)) or 1)) as results,
            Show(len(wanted), len(wanted) - left) as show,
        ):
            for one in results:
                stream.write(cells.line(one))
                stream.flush()
                done[one.cell] = one
                left -= 1
                show(one)
    except (KeyboardInterrupt, BrokenProcessPool) as error:
        why = (
            "interrupted"
            if isinstance(error, KeyboardInterrupt)
            else "a process ended without a word"
        )
        raise Unavailable(
            f"{why} after {len(wanted) - left} of {len(wanted)} cells, kept in {file}: go on with --resume"
        ) from None
    return list(done.values())


def _write(out: Path, table: scores.Standings, budget: int) -> None:
    (out / "power.md").write_text(tables.markdown(table, budget))
    (out / "power.json").write_text(tables.as_json(table, budget))
    (out / "power.svg").write_text(tables.as_chart(table, budget))


class Show:
    """Progress: a live bar on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.done, self.last = total, done, 0.0
        console = Console(stderr=True)
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        self.live = (
            Progress(*columns, console=console, transient=True) if console.is_terminal else None
        )
        self.task = (
            self.live.add_task("starting", total=total, completed=done)
            if self.live is not None
            else None
        )

    def __enter__(self) -> Callable[[cells.Measured], None]:
        if self.live is not None:
            self.live.start()
        return self.show

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    def show(self, one: cells.Measured) -> None:
        self.done += 1
        what = f"after {one.steps:,} steps" if one.steps is not None else one.error or "not found"
        news = f"{one.cell.fault}, {one.cell.driver}, seed {one.cell.seed}: {what}"
        if self.live is not None and self.task is not None:
            self.live.update(self.task, completed=self.done, description=news)
        elif time.monotonic() - self.last > 5 or self.done == self.total:
            self.last = time.monotonic()
            print(f"{self.done} of {self.total} cells; {news}", file=sys.stderr, flush=True)
