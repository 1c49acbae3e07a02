"""The record of a power campaign: one line of JSON for each trial, written as it finishes.

So that a campaign can be interrupted and resumed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from radixproof.properties.histories.durable import write_file
from radixproof.properties.power.trials import TrialResult, fault_of, trial


class RecordError(ValueError):
    """A record that cannot be read. The message names the line."""


def line(done: TrialResult) -> str:
    """A trial as a line of the record."""
    shard = done.trial
    data = {
        "fault": fault_of(shard),
        "driver": shard.driver,
        "seed": shard.seed,
        "budget": shard.budget.steps,
        "steps": done.steps,
        "seconds": done.seconds,
        "signature": done.signature,
        "operations": done.operations,
        "error": done.error,
    }
    return json.dumps(data) + "\n"


def read(file: Path) -> list[TrialResult]:
    """The trials in a record; none if there is no such file.

    A last line that was cut short is dropped. Raises `RecordError`.
    """
    if not file.exists():
        return []
    lines = file.read_text().splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
        write_file(file, "".join(lines))
    return [_read(text, f"{file}:{number}") for number, text in enumerate(lines, 1)]


def _read(text: str, where: str) -> TrialResult:
    names = ("fault", "driver", "seed", "budget")
    try:
        data: dict[str, Any] = json.loads(text)
        return TrialResult(trial(*(data.pop(name) for name in names)), **data)
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise RecordError(f"{where}: not a trial of a campaign ({error})") from None
