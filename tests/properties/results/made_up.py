"""Results as a check would have them, made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from radixproof.impl.scope import Scope
from radixproof.model.config import Component
from radixproof.properties.coverage.reach import reachable
from radixproof.properties.known.entry import Entry
from radixproof.properties.reporting.finding_folder import FindingFolder
from radixproof.properties.results.result import Ending, SystemResult
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.progress import Progress
from radixproof.properties.workers.searching import FindingReport
from radixproof.properties.workers.shard import SEARCH, Shard

SCOPE = Scope(components=(Component.FULL,), hosted=False, ranks=False)
BUDGET = Budget(steps=1_000, examples=0, demand=75)
REPLAY = "radixproof replay findings/sys/pin-3/history.json"
SIGNATURE = "PIN/full-replaced"
KNOWN = Entry("LOCK/swa-too-few", "it takes too many", upstream="#7", place="known.toml")


def finding(signature: str = SIGNATURE, **changes: Any) -> FindingReport:
    report = changes.pop("report", f"{signature} in sys\n\nHistory:\n  1. insert [1 2]\n")
    files: dict[str, str | None] = {"history.json": "{}", "test_pin.py": None, "report.txt": report}
    fields: dict[str, Any] = {
        "signature": signature,
        "summary": f"{signature}: 2 operations\n    a slot was freed",
        "folder": FindingFolder("findings/sys/pin-3", files, REPLAY),
        "seconds": 0.5,
        "at_step": 17,
        "operations": 2,
    }
    return FindingReport(**{**fields, **changes})


def progress(missing: int = 0, complete: bool = True, **changes: Any) -> Progress:
    """A search that has met all milestones but the last few."""
    milestones = reachable(SCOPE)
    met = Counter(milestones[: len(milestones) - missing])
    fields: dict[str, Any] = {"scope": SCOPE, "milestones": met, "complete": complete}
    return Progress(1_003, 20, **{**fields, **changes})


def result(
    found: Sequence[FindingReport] = (),
    now: Progress | None = None,
    ending: Ending = Ending.COMPLETE,
    known: Sequence[Entry] = (),
    system: str = "sys",
    reference: str = "",
    **changes: Any,
) -> SystemResult:
    shard = Shard(system, SEARCH, 3, BUDGET, folder="findings/sys", reference=reference)
    return SystemResult(
        shard,
        "ci",
        known,
        findings=list(found),
        progress=now or progress(),
        seconds=1.5,
        ending=ending,
        **changes,
    )
