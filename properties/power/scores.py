"""What a campaign showed: how each driver stands with each fault, how far ahead of the baseline it is, what reports first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from radixproof.properties.power.cells import Measured
from radixproof.properties.power.contestants import DRIVERS
from radixproof.properties.reporting.report import plural

BASELINE, HEADLINE = "baseline", "soak"
"""The driver that the others are measured against, and the one whose ratio is the headline."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one driver did with one fault over its seeds. Medians are over the seeds with which it was found."""

    seeds: int
    found: int
    cost: float
    """Median steps over all seeds, where one with which it was not found counts as the whole budget."""
    steps: float | None = None
    seconds: float | None = None
    operations: int | None = None
    """Of the shortest of the shortest histories."""
    first: str = ""
    """The property that reported it first, most often."""
    errors: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.found:
            return "error" if self.errors else f"0/{self.seeds}"
        return f"{self.found}/{self.seeds}, {self.steps:,.0f} steps, {self.seconds:.1f} s, {plural(self.operations or 0, 'op')}"


Standings = Mapping[str, Mapping[str, Standing]]
"""Per fault, per driver."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Steps that the baseline needs over steps that a driver needs: the median over faults."""

    median: float
    faults: int
    baseline_never: int
    """Faults that the baseline finds with no seed: its budget stands in, so that the true ratio is higher."""
    never: int
    """Faults that the driver finds with no seed: the budget stands in for it, too."""
    of_both: float | None
    """The median over the faults that both find, which does not depend on the budget; None if there are none."""


def standings(done: Iterable[Measured]) -> Standings:
    """Of all cells, in the order of the faults' names and of the drivers."""
    cells: dict[tuple[str, str], list[Measured]] = {}
    for one in done:
        cells.setdefault((one.cell.fault, one.cell.driver), []).append(one)
    faults = sorted({fault for fault, _ in cells})
    return {
        fault: {name: _standing(cells[fault, name]) for name in DRIVERS if (fault, name) in cells}
        for fault in faults
    }


def _standing(cells: Sequence[Measured]) -> Standing:
    cells = sorted(cells, key=lambda one: one.cell.seed)
    hits = [one for one in cells if one.steps is not None]
    cost = median(one.cell.budget if one.steps is None else one.steps for one in cells)
    errors = tuple(one.error for one in cells if one.error)
    if not hits:
        return Standing(len(cells), 0, cost, errors=errors)
    return Standing(
        seeds=len(cells),
        found=len(hits),
        cost=cost,
        steps=median(one.steps for one in hits if one.steps is not None),
        seconds=round(median(one.seconds for one in hits), 2),
        operations=min(one.operations for one in hits),
        first=Counter(one.property for one in hits).most_common(1)[0][0],
        errors=errors,
    )


def ratio(table: Standings, driver: str) -> Ratio | None:
    """None if the two were not both run on any fault."""
    pairs = [
        (row[BASELINE], row[driver]) for row in table.values() if BASELINE in row and driver in row
    ]
    if not pairs:
        return None
    both = [theirs.cost / ours.cost for theirs, ours in pairs if theirs.found and ours.found]
    return Ratio(
        round(median(theirs.cost / ours.cost for theirs, ours in pairs), 1),
        len(pairs),
        baseline_never=sum(not theirs.found for theirs, _ in pairs),
        never=sum(not ours.found for _, ours in pairs),
        of_both=round(median(both), 1) if both else None,
    )


def firsts(table: Standings) -> dict[str, list[str]]:
    """Per property: the faults that it is the first to report, by the first driver that has the model and found them."""
    first: dict[str, list[str]] = {}
    for fault, row in table.items():
        seen = [
            standing.first for name, standing in row.items() if name != BASELINE and standing.found
        ]
        if seen:
            first.setdefault(seen[0], []).append(fault)
    return dict(sorted(first.items(), key=lambda item: (-len(item[1]), item[0])))


def drivers_of(table: Standings) -> list[str]:
    """The drivers of a campaign, in the order in which tables show them."""
    return [name for name in DRIVERS if any(name in row for row in table.values())]
