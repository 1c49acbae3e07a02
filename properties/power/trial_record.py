"""The record of a power campaign: a line for each trial."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from radixproof.properties.power.trials import TrialResult, fault_of, trial
from radixproof.properties.workers import record


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
    """The trials in a record. Raises `RecordError`."""
    return record.read(file, _decoded, "a trial of a campaign")


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of the record, as `line` writes it."""

    fault: str
    driver: str
    seed: int
    budget: int
    steps: int | None
    seconds: float
    signature: str
    operations: int
    error: str


def _decoded(text: str) -> TrialResult:
    one = msgspec.json.decode(text, type=_Line)
    shard = trial(one.fault, one.driver, one.seed, one.budget)
    return TrialResult(shard, one.steps, one.seconds, one.signature, one.operations, one.error)
