"""New entries for the corpus: shortest histories, found by the soak or else the state machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from radixproof.impl import registry
from radixproof.impl.faults import FAULTS
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.properties.histories import corpus
from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.running.run import run_history
from radixproof.properties.search.budget import PROFILES
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search

SEED = 1
BUDGET = PROFILES["ci"]


class FalseAlarm(Exception):
    """What was reported for a fault is reported without it, too."""


@dataclass(frozen=True, slots=True)
class Updated:
    """What was done for one system, in words; and whether an existing bug was missed."""

    text: str
    missed: bool = False


def update(name: str, folder: Path, anew: bool) -> Updated:
    """Bring the entries of one system up to date.

    One that still fails as its origin says is kept, unless all are wanted ``anew``.
    """
    target, planted = registry.find(name), registry.planted_in(name) is not None
    before = [entry for entry in corpus.read(folder) if entry.system == name]
    kept = [entry.name for entry in before if not anew and still_fails(target, entry.history)]
    if kept:
        return Updated(f"kept {', '.join(kept)}")
    try:
        histories = _of_fault(target) if planted else _of_system(target)
    except FalseAlarm as error:
        return Updated(str(error), missed=True)
    files = [corpus.write(folder, history) for history in histories]
    for entry in before:
        old = folder / f"{entry.name}.json"
        if old not in files:
            old.unlink()
    return Updated(
        ", ".join(f"wrote {file.name}" for file in files) or "nothing found",
        missed=planted and not files,
    )


def prune(folder: Path) -> list[str]:
    """Remove the entries of planted faults that no longer exist; returns their names."""
    gone = [
        entry.name
        for entry in corpus.read(folder)
        if (fault := registry.planted_in(entry.system)) is not None and fault not in FAULTS
    ]
    for name in gone:
        (folder / f"{name}.json").unlink()
    return gone


def still_fails(target: Target, history: History) -> bool:
    """Whether a history ends with the breach that its origin names."""
    signature = history.origin.get("signature", "")
    verdict = run_history(target, history, lambda other: other != signature)
    return verdict is not None and verdict.step == len(history.operations) - 1


def _of_fault(target: Target) -> list[History]:
    """A planted fault is one bug: its first breach will do. Raises `FalseAlarm` if it
    is a false one.
    """
    for driver in (DRIVERS["soak"], DRIVERS["machine"]):
        hit = driver.run(target, SEED, BUDGET.steps)
        if hit is not None:
            shortest = driver.shrink(target, hit)
            if driver.false_alarm(shortest, registry.find("radix")):
                raise FalseAlarm(
                    f"{shortest.breach.signature} is a false alarm: radix without the fault has"
                    " it, too"
                )
            return [
                replace(
                    shortest.history, origin=_origin(target, driver.name, shortest.breach.signature)
                )
            ]
    return []


def _of_system(target: Target) -> list[History]:
    """Everything that a search finds."""
    found: list[History] = []

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            found.append(replace(news.history, origin=_origin(target, news.driver, news.signature)))

    search(target, SEED, BUDGET, tell)
    return found


def _origin(target: Target, driver: str, signature: str) -> dict[str, str]:
    return {"system": target.name, "seed": str(SEED), "driver": driver, "signature": signature}
