"""RACE: two accesses to one slot, one of them a write, that nothing orders (semantics 17.9).

What a system has submitted is followed with vector clocks. Whether bytes were seen to be wrong does
not matter, nor when a copy has run: what counts is what each access comes after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from radixproof.impl.streams import (
    BACKUP,
    FETCH,
    FORWARD,
    HOST,
    LOAD,
    STATE_COPY,
    Access,
    Awaited,
    Entry,
    Recorded,
)
from radixproof.model.config import POOLS, Pool
from radixproof.model.verdict import Breach, Property

Clock: TypeAlias = dict[str, int]
"""By stream: how many of its accesses come before."""


class Accessed(NamedTuple):
    """An access: the so-manieth of its stream, by whom, in which operation, and after so many
    resets.
    """

    stream: str
    number: int
    by: str
    operation: object
    resets: int

    def __str__(self) -> str:
        return f"{WHO[self.by]} of '{self.operation}'"


WHO = {
    BACKUP: "the backup",
    LOAD: "the load-back",
    FORWARD: "the forward pass",
    STATE_COPY: "the copy of a state",
    FETCH: "the fetch",
}
"""How a report speaks of those who read and write."""

FORGOTTEN = "after-reset"
"""What the rule is called, whoever comes after a copy that a reset has forgotten."""


class Races:
    """What one system has submitted so far, and what is ordered by it."""

    def __init__(self) -> None:
        self._clocks: dict[str, Clock] = {HOST: {}}
        self._events: dict[int, Clock] = {}
        self._written: dict[Pool, dict[int, Accessed]] = {pool: {} for pool in POOLS}
        """The last write to a slot."""
        self._read: dict[Pool, dict[int, dict[str, Accessed]]] = {pool: {} for pool in POOLS}
        """The last read of a slot in each stream, since the last write."""
        self._resets = 0

    def reset(self) -> None:
        """The cache was reset: copies in flight are over now, or should be (semantics 12.1)."""
        self._resets += 1

    def follow(self, entries: Iterable[Entry], operation: object) -> list[Breach]:
        """Take in what an operation has submitted; returns a breach for each pair of kinds of
        accesses that nothing orders.
        """
        breaches: dict[str, Breach] = {}
        for entry in entries:
            if isinstance(entry, Access):
                for breach in self._access(entry, operation):
                    breaches.setdefault(breach.rule, breach)
            elif isinstance(entry, Recorded):
                self._events[entry.event] = dict(self._clock(entry.stream))
            else:
                self._await(entry)
        return list(breaches.values())

    def _clock(self, stream: str) -> Clock:
        return self._clocks.setdefault(stream, {})

    def _await(self, entry: Awaited) -> None:
        _join(self._clock(entry.stream), self._events.get(entry.event, {}))

    def _access(self, access: Access, operation: object) -> Iterator[Breach]:
        """What is submitted now comes after all that the host knows to be over."""
        clock = self._clock(access.stream)
        _join(clock, self._clocks[HOST])
        number = clock[access.stream] = clock.get(access.stream, 0) + 1
        done = Accessed(access.stream, number, access.by, operation, self._resets)
        for (before, wrote), slots in self._unordered(access, clock).items():
            yield _breach(access, done, before, slots, wrote)
        if access.writes:
            self._written[access.pool].update(dict.fromkeys(access.slots, done))
            for slot in access.slots:
                self._read[access.pool].pop(slot, None)
        else:
            for slot in access.slots:
                self._read[access.pool].setdefault(slot, {})[access.stream] = done

    def _unordered(self, access: Access, clock: Clock) -> dict[tuple[Accessed, bool], list[int]]:
        """The slots that one has in common with an access that it has to come after, and does not;
        by that, and by whether it was a write.
        """
        found: dict[tuple[Accessed, bool], list[int]] = {}
        written, read = self._written[access.pool], self._read[access.pool]
        for slot in access.slots:
            write = written.get(slot)
            if write is not None and clock.get(write.stream, 0) < write.number:
                found.setdefault((write, True), []).append(slot)
            if access.writes and slot in read:
                for before in read[slot].values():
                    if clock.get(before.stream, 0) < before.number:
                        found.setdefault((before, False), []).append(slot)
        return found


def _join(clock: Clock, other: Clock) -> None:
    for stream, number in other.items():
        if clock.get(stream, 0) < number:
            clock[stream] = number


def _breach(
    access: Access, done: Accessed, before: Accessed, slots: Sequence[int], wrote: bool
) -> Breach:
    """``wrote`` says whether the access before was a write."""
    others = f" and {len(slots) - 1} more" if len(slots) > 1 else ""
    here, there = ("writes" if one else "reads" for one in (access.writes, wrote))
    missing = (
        "the host has not waited for it"
        if access.stream == HOST
        else f"the {access.stream} stream does not wait for the {before.stream} stream"
    )
    forgotten = before.by in (BACKUP, LOAD) and before.resets < done.resets
    why = "a reset came between, and did not wait for it" if forgotten else missing
    text = (
        f"{access.pool.name} slot {slots[0]}{others}: {done} {here} what {before} {there}, and"
        f" nothing orders the two: {why}"
    )
    rule = FORGOTTEN if forgotten else f"{done.by}-after-{before.by}"
    return Breach(Property.RACE, rule, text)
