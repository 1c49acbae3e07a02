"""Small scopes: one configuration, and the operations that histories are made of.

A file that describes one is a history file (`radixproof.properties.histories`): the operations in
it are the alphabet, in whatever order.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from radixproof.impl.operations import Insert, Operation, WritingCheck
from radixproof.model.config import Config
from radixproof.properties.histories.reading import history_in

DEPTH = 4
"""Operations of the histories of a scope that a file describes, unless it is told otherwise."""
MOST_OPERATIONS = 256
"""Of an alphabet: the number of one is kept in a byte."""


@dataclass(frozen=True, slots=True)
class SmallScope:
    """All histories of up to ``depth`` of these operations, on a cache of this configuration."""

    name: str
    config: Config
    operations: tuple[Operation, ...]
    depth: int
    symmetric: bool = False
    """Whatever is possible with some names of pages, receipts and requests is possible with any."""
    settled: bool = False
    """The backups that an insert starts are waited for before anything else: that does not count
    as an operation, and histories reach further.
    """

    def __post_init__(self) -> None:
        """Raises ValueError if there is nothing to explore, or too much."""
        if not 0 < len(self.operations) <= MOST_OPERATIONS:
            raise ValueError(
                f"{self.name}: a scope has 1 to {MOST_OPERATIONS} different operations, got"
                f" {len(self.operations)}"
            )

    def __str__(self) -> str:
        return self.name

    def done_by(self, number: int) -> tuple[Operation, ...]:
        """What is done for an operation of the alphabet: it, and in a settled scope the wait."""
        operation = self.operations[number]
        waits = self.settled and isinstance(operation, Insert)
        return (operation, WritingCheck(blocking=True)) if waits else (operation,)


def from_file(file: Path) -> SmallScope:
    """The scope that a history file describes. Raises `HistoryError`, `UnreadableFile` or
    ValueError.
    """
    history = history_in(file)
    return SmallScope(str(file), history.config, tuple(dict.fromkeys(history.operations)), DEPTH)
