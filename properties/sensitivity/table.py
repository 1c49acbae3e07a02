"""The table of a campaign: per cell, how many sabotages were reported, how soon, by what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

from radixproof.properties.sensitivity.cells import (
    COUNTED,
    LATER,
    LEFT_OUT,
    MISSED,
    Cell,
    Result,
    every_cell,
)


@dataclass(slots=True)
class Score:
    """The sabotages of one cell, or of several."""

    verdicts: Counter[str] = field(default_factory=Counter)
    steps: list[int] = field(default_factory=list)
    """From each sabotage to its report, in the history in which it was done."""
    first: Counter[str] = field(default_factory=Counter)
    """By signature: what reported it first."""

    def add(self, result: Result) -> None:
        self.verdicts[result.verdict] += 1
        if result.signature:
            self.first[result.signature] += 1
            if result.verdict != LATER:
                self.steps.append(result.steps)

    @property
    def counted(self) -> int:
        return sum(self.verdicts[verdict] for verdict in COUNTED)

    @property
    def reported(self) -> int:
        return self.counted - self.verdicts[MISSED]

    @property
    def left_out(self) -> int:
        return self.verdicts[LEFT_OUT]

    @property
    def complete(self) -> bool:
        """Whether there were any, and all were reported."""
        return self.counted > 0 and self.reported == self.counted

    @property
    def share(self) -> str:
        """In per cent, never rounded up to all of them."""
        if not self.counted:
            return "none"
        return f"{1000 * self.reported // self.counted / 10:g} %"

    @property
    def soon(self) -> str:
        """Steps from the sabotage to the report: the median, and the most."""
        return f"{median(self.steps):g}, {max(self.steps)}" if self.steps else ""

    def properties(self) -> Counter[str]:
        """By property: what reported it first."""
        found: Counter[str] = Counter()
        for signature, count in self.first.items():
            found[signature.partition("/")[0]] += count
        return found


Table: TypeAlias = Mapping[Cell, Score]


def table(kinds: Iterable[str], results: Iterable[Result]) -> Table:
    """The score of every cell of these kinds."""
    scores = {cell: Score() for cell in every_cell(kinds)}
    for result in results:
        for cell in result.sabotage.cells:
            if cell in scores:
                scores[cell].add(result)
    return scores


def of_kinds(results: Iterable[Result]) -> dict[str, Score]:
    """The score of every kind as a whole: here each sabotage counts once."""
    scores: dict[str, Score] = {}
    for result in results:
        scores.setdefault(result.sabotage.kind, Score()).add(result)
    return dict(sorted(scores.items()))


def groups(cells: Sequence[Cell]) -> dict[tuple[str, str, str], list[Cell]]:
    """Cells that differ in their situations only: kind, component and policy, and those."""
    found: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.kind, cell.component.name, cell.policy.value), []).append(cell)
    return found
