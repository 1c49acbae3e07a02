"""The power of the harness as numbers: planted bugs x drivers x seeds, with the steps and seconds that each needed.

A cell is one search of one driver for one bug. Cells are independent, run in processes of their own, and are written down as they
finish, a line of JSON each, so that a campaign can be broken off and gone on with. All in a cell but its seconds is a function of
the code, the fault, the driver, the seed and the budget.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from radixproof.impl import registry
from radixproof.impl.system import close
from radixproof.model.config import Config
from radixproof.properties.power.contestants import DRIVERS
from radixproof.properties.search.search import calm_collector


@dataclass(frozen=True, slots=True)
class Cell:
    """One search: which driver, for which fault, with which seed, for how many steps at most."""

    fault: str
    driver: str
    seed: int
    budget: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a cell. ``steps`` is None if nothing was found, and with it all that describes the finding."""

    cell: Cell
    steps: int | None
    seconds: float
    """Of the processor, for the search alone, up to the first breach; not of shrinking."""
    signature: str = ""
    """Of the first breach, when every step is inspected."""
    operations: int = 0
    """Of the shortest history."""
    error: str = ""
    """Why the cell says nothing: radixproof itself failed, what it reported is a false alarm, or the system is not to be had."""

    @property
    def property(self) -> str:
        return self.signature.partition("/")[0]


def all_cells(faults: Iterable[str], drivers: Iterable[str], seeds: int, budget: int) -> list[Cell]:
    """The cells of a campaign; drivers that no seed changes have one a fault."""
    return [
        Cell(fault, name, seed, budget)
        for fault in faults
        for name in drivers
        for seed in range(1, 1 + (seeds if DRIVERS[name].seeded else 1))
    ]


def measure(cell: Cell) -> Measured:
    """Run one cell, here."""
    started = time.process_time()
    try:
        target, driver = registry.find(f"fault:{cell.fault}"), DRIVERS[cell.driver]
        close(target.build(Config()))  # imports what it needs, before the clock starts
        started = time.process_time()
        hit = driver.run(target, cell.seed, cell.budget)
        seconds = time.process_time() - started
        if hit is None:
            return Measured(cell, None, seconds)
        shortest = driver.shrink(target, hit)
        if driver.false_alarm(shortest, registry.find("radix")):
            return Measured(
                cell,
                None,
                seconds,
                error=f"a false alarm: {shortest.breach.signature} without the fault, too",
            )
    except Exception as error:
        return Measured(
            cell, None, time.process_time() - started, error=f"{type(error).__name__}: {error}"
        )
    return Measured(
        cell, hit.steps, seconds, shortest.breach.signature, len(shortest.history.operations)
    )


def measured(todo: Sequence[Cell], jobs: int) -> Generator[Measured, None, None]:
    """Run cells, ``jobs`` at a time, each as it finishes; with one job in this process. To close it ends what is running.

    Raises `BrokenProcessPool` if one of the processes ends without a word.
    """
    if jobs == 1:
        calm_collector()
        yield from map(measure, todo)
        return
    others = multiprocessing.active_children()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_prepare) as pool:
        try:
            for future in as_completed([pool.submit(measure, cell) for cell in todo]):
                yield future.result()
        except BaseException:
            for process in multiprocessing.active_children():
                if process not in others:
                    process.terminate()  # which breaks the pool, and the pool waits for its processes
            raise


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    calm_collector()


# -- the record ----------------------------------------------------------------------------------------------------------------


class RecordError(ValueError):
    """A record of cells that cannot be read. The message names the line."""


def line(done: Measured) -> str:
    """A cell as a line of the record."""
    data = asdict(done)
    return json.dumps({**data.pop("cell"), **data}) + "\n"


def record(file: Path) -> list[Measured]:
    """The cells in a record; none if there is none. A last line that was cut short is dropped. Raises `RecordError`."""
    if not file.exists():
        return []
    lines = file.read_text().splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
        file.write_text("".join(lines))
    return [_read(text, f"{file}:{number}") for number, text in enumerate(lines, 1)]


def _read(text: str, where: str) -> Measured:
    names = {item.name for item in fields(Cell)}
    try:
        data: dict[str, Any] = json.loads(text)
        return Measured(Cell(**{name: data.pop(name) for name in names}), **data)
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise RecordError(f"{where}: not a cell of a campaign ({error})") from None
