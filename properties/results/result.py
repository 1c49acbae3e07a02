"""What a check of one system came to: findings, what was known, and whether enough was searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum

from radixproof.properties.known.entry import Entry
from radixproof.properties.known.files import Known
from radixproof.properties.reporting.wording import plural
from radixproof.properties.search.progress import Progress
from radixproof.properties.workers.comparing import Compared
from radixproof.properties.workers.lane import Done, Event, Failed, News
from radixproof.properties.workers.searching import FindingReport
from radixproof.properties.workers.shard import Shard
from radixproof.properties.workers.side_by_side import Searched


class Ending(Enum):
    """What ended a search."""

    RUNNING = "not ended yet"
    COMPLETE = "it has spent its budget"
    TIME = "the time was up"
    INTERRUPTED = "it was interrupted"
    FAILED = "it could not be run"


@dataclass(slots=True)
class SystemResult:
    """One system, as far as it has been searched."""

    shard: Shard
    profile: str
    known: Sequence[Entry] = ()
    """Entries that count here, in the order of the files."""
    run_out: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    """Those that counted here until a day that has gone by."""
    findings: list[FindingReport] = field(default_factory=list)
    progress: Progress | None = None
    """None until it begins."""
    seconds: float = 0.0
    ending: Ending = Ending.RUNNING
    reason: str = ""
    """Why it could not be run."""
    compared: Compared | None = None
    """How far what is known was compared with a release; None if it is not to be."""

    def take(self, event: Event) -> None:
        """Note what an event of the search says."""
        match event:
            case News(_, Progress() as progress):
                self.progress = progress
            case News(_, FindingReport() as finding):
                self.findings.append(finding)
            case News(_, Compared() as compared):
                self.compared = compared
            case Failed(_, reason):
                self.ending, self.reason = Ending.FAILED, reason
            case Done(_, Searched(progress, seconds)):
                self.end(progress, seconds)

    def end(self, progress: Progress | None, seconds: float) -> None:
        """The search is over; without progress it has not begun."""
        complete = progress is not None and progress.complete
        self.progress, self.seconds = progress, seconds
        self.ending = Ending.COMPLETE if complete else Ending.TIME

    @property
    def system(self) -> str:
        return self.shard.system

    @property
    def enough(self) -> bool:
        """Whether so much was searched that "nothing found" means something."""
        return (
            self.ending is Ending.COMPLETE
            and self.progress is not None
            and self.progress.enough(self.shard.budget)
            and self._compared_enough
        )

    @property
    def _compared_enough(self) -> bool:
        """Whether what is known was compared wherever it was met, if it is to be."""
        return self.compared is None or self.compared.all

    @property
    def met(self) -> dict[Entry, int]:
        """Known findings that were passed over, and how often."""
        counts = self.progress.passed_over if self.progress is not None else Counter[str]()
        times = {entry: sum(counts[one] for one in entry.signatures) for entry in self.known}
        return {entry: count for entry, count in times.items() if count}

    @property
    def stale(self) -> list[Entry]:
        """Entries that count here, but did not occur. Only a search that has been everywhere can
        tell.
        """
        if not self.enough or self.progress is None or self.progress.unreached:
            return []
        met = self.met
        return [entry for entry in self.known if entry not in met]

    @property
    def verdict(self) -> str:
        """The result in a few words. Nothing is called clean without a reason."""
        if self.findings:
            found = plural(len(self.findings), "finding")
            return found if self.enough else f"{found}, and not searched enough"
        if not self.enough:
            return "not searched enough"
        if self.met:
            signatures = {entry.signature for entry in self.met}
            return f"nothing new, {plural(len(signatures), 'known finding')} passed over"
        assert self.progress is not None
        return "nothing found in a short search" if self.progress.unreached else "clean"

    @property
    def lacking(self) -> str:
        """Why it was not searched enough; nothing if it was."""
        if self.enough:
            return ""
        if self.ending is Ending.FAILED:
            return self.reason
        if self.progress is None:
            return f"{self.ending.value} before the search began"
        if self.ending is Ending.COMPLETE and self.progress.enough(self.shard.budget):
            return f"what is known was not all compared with {self.shard.reference}"
        if self.ending is Ending.COMPLETE:
            return f"{self.reached}, and {self._demand}"
        steps = max([self.progress.steps, *(found.at_step or 0 for found in self.findings)])
        wanted = self.shard.budget.steps
        cut_short = f"{self.ending.value} after {steps:,} of {wanted:,} steps"
        # The soak comes last, and it alone is watched for milestones.
        return f"{cut_short}, with {self.reached}" if self.progress.milestones else cut_short

    @property
    def reached(self) -> str:
        """``85 of 91 milestones reached``."""
        if self.progress is None:
            return "no milestones reached"
        count = len(self.progress.reached)
        return f"{count} of {count + len(self.progress.unreached)} milestones reached"

    @property
    def _demand(self) -> str:
        demand = self.shard.budget.demand
        share = "all of them" if demand == 100 else f"{demand} % of them"
        return f"the profile {self.profile} asks for {share}"


def outstanding(shard: Shard, profile: str, known: Known, today: date) -> SystemResult:
    """The result of a search that is still to be made, with what is known of the system by now."""
    passed_over = known.for_system(shard.system, today)
    entries = dict.fromkeys(entry for same in passed_over.values() for entry in same)
    reference, compared = known.to_compare(shard.system, today)
    shard = replace(shard, known=tuple(passed_over), reference=reference, compared=compared)
    return SystemResult(shard, profile, tuple(entries), known.run_out(shard.system, today))


def found(results: Iterable[SystemResult]) -> bool:
    """Whether a check has found something that was not known."""
    return any(result.findings for result in results)


def enough(results: Iterable[SystemResult]) -> bool:
    """Whether every system was searched enough."""
    return all(result.enough for result in results)
