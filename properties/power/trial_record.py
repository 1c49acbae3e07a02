"""The record of a power campaign: one line of JSON for each trial, written as it finishes.

So that a campaign can be interrupted and resumed.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from radixproof.properties.histories.durable import write_file
from radixproof.properties.histories.reading import UnreadableFile, text_of
from radixproof.properties.power.trials import TrialResult, fault_of, trial

MOST_BYTES = 2**30


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
    try:
        lines = text_of(file, MOST_BYTES).splitlines(keepends=True)
    except UnreadableFile as error:
        raise RecordError(str(error)) from None
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
        write_file(file, "".join(lines))
    return [_read(text, f"{file}:{number}") for number, text in enumerate(lines, 1)]


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


def _read(text: str, where: str) -> TrialResult:
    try:
        one = msgspec.json.decode(text, type=_Line)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
        raise RecordError(f"{where}: not a trial of a campaign ({error})") from None
    shard = trial(one.fault, one.driver, one.seed, one.budget)
    return TrialResult(shard, one.steps, one.seconds, one.signature, one.operations, one.error)
