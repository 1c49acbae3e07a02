"""Other ways to a state: the histories that differ from one by a single operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    Insert,
    LoadBack,
    LoadingCheck,
    Match,
    Operation,
    RunCopies,
    WritingCheck,
)
from radixproof.model.config import Component
from radixproof.model.key import Key


def neighbours(history: History, at: int) -> Iterator[History]:
    """Every history with one operation less up to ``at`` (from 0), the nearest to it first; then
    those with one more, right before it or right after.
    """
    operations = history.operations
    for left_out in range(at, -1, -1):
        yield replace(history, operations=operations[:left_out] + operations[left_out + 1 :])
    for more in _more(history):
        for place in (at, at + 1):
            yield replace(history, operations=(*operations[:place], more, *operations[place:]))


def _more(history: History) -> Iterator[Operation]:
    """What may make a difference to a state: room, uses, copies, what is there."""
    for component in Component:
        yield Evict(**{component.name.lower(): 1})
        yield EvictHost(1, component)
    for load in (False, True):
        yield RunCopies(load=load)
    yield WritingCheck(blocking=True)
    yield LoadingCheck(blocking=True)
    for key in _prefixes(history):
        yield Match(key)
        yield Insert(key)
        yield LoadBack(key)


def _prefixes(history: History) -> list[Key]:
    """The prompts of a history, and what they begin with, in the order in which they come."""
    keys = [operation.key for operation in history.operations if hasattr(operation, "key")]
    prefixes = [
        Key(key.tokens[:length], key.namespace)
        for key in keys
        for length in range(1, len(key.tokens) + 1)
    ]
    return list(dict.fromkeys(prefixes))
