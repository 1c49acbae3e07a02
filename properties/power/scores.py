"""What a campaign showed: how each driver did with each fault, also compared with the baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.power.trials import TrialResult
from radixproof.properties.reporting.wording import plural

BASELINE, HEADLINE = "baseline", "soak"
"""The driver that the others are measured against, and the one whose ratio is the headline."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one driver did with one fault over its seeds. Medians are over seeds that found it."""

    seeds: int
    found: int
    cost: float
    """Median steps over all seeds; one that did not find it counts as the whole budget."""
    steps: float | None = None
    seconds: float | None = None
    operations: int | None = None
    """Operations of the shortest history over all seeds."""
    first: str = ""
    """The property that reported it first, most often."""
    errors: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.found:
            return "error" if self.errors else f"0/{self.seeds}"
        operations = plural(self.operations or 0, "op")
        figures = f"{self.steps:,.0f} steps, {self.seconds:.1f} s, {operations}"
        return f"{self.found}/{self.seeds}, {figures}"


ScoreTable = Mapping[str, Mapping[str, Score]]
"""Per fault, per driver."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Steps that the baseline needs over steps that a driver needs: the median over faults."""

    median: float
    faults: int
    baseline_never: int
    """Faults that the baseline never finds: its budget stands in, and the true ratio is higher."""
    never: int
    """Faults that the driver never finds: the budget stands in here, too."""
    of_both: float | None
    """The median over the faults that both find, whatever the budget; None if there are none."""


def score_table(done: Iterable[TrialResult]) -> ScoreTable:
    """The scores of all trials, in the order of the faults' names and of the drivers."""
    trials: dict[tuple[str, str], list[TrialResult]] = {}
    for one in done:
        trials.setdefault((one.fault, one.trial.driver), []).append(one)
    faults = sorted({fault for fault, _ in trials})
    return {
        fault: {name: _score(trials[fault, name]) for name in DRIVERS if (fault, name) in trials}
        for fault in faults
    }


def _score(trials: Sequence[TrialResult]) -> Score:
    trials = sorted(trials, key=lambda one: one.trial.seed)
    hits = [one for one in trials if one.steps is not None]
    cost = median(one.trial.budget.steps if one.steps is None else one.steps for one in trials)
    errors = tuple(one.error for one in trials if one.error)
    if not hits:
        return Score(len(trials), 0, cost, errors=errors)
    return Score(
        seeds=len(trials),
        found=len(hits),
        cost=cost,
        steps=median(one.steps for one in hits if one.steps is not None),
        seconds=round(median(one.seconds for one in hits), 2),
        operations=min(one.operations for one in hits),
        first=Counter(one.violated for one in hits).most_common(1)[0][0],
        errors=errors,
    )


def ratio(table: ScoreTable, driver: str) -> Ratio | None:
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


def firsts(table: ScoreTable) -> dict[str, list[str]]:
    """Per property, the faults that it is the first to report.

    What counts is the first driver that uses the model and found the fault.
    """
    first: dict[str, list[str]] = {}
    for fault, row in table.items():
        seen = [score.first for name, score in row.items() if name != BASELINE and score.found]
        if seen:
            first.setdefault(seen[0], []).append(fault)
    return dict(sorted(first.items(), key=lambda item: (-len(item[1]), item[0])))


def drivers_of(table: ScoreTable) -> list[str]:
    """The drivers of a campaign, in the order in which tables show them."""
    return [name for name in DRIVERS if any(name in row for row in table.values())]
