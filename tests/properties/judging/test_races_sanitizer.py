"""RACE beside torch's CUDA sanitizer, which follows streams and events by code of its own.

It needs no GPU: it is told what our streams are told, and a slot is a tensor to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.cuda._sanitizer import EventHandler

from radixproof.impl.faults import FAULTS
from radixproof.impl.registry import find, named_after
from radixproof.impl.streams import (
    BACKUP,
    COMPUTE,
    HOST,
    LOAD,
    Access,
    Awaited,
    Entry,
    Recorded,
)
from radixproof.model.config import Pool
from radixproof.model.verdict import Breach, Property
from radixproof.properties.drivers.soak import one
from radixproof.properties.judging.races import WHO, Races
from radixproof.properties.running.run import Run

RACES = sorted(name for name, fault in FAULTS.items() if fault.sees is Property.RACE)
STREAMS = st.sampled_from((COMPUTE, BACKUP, LOAD))
ACCESSES = st.builds(
    Access,
    STREAMS | st.just(HOST),
    st.sampled_from((Pool.FULL, Pool.FULL_HOST)),
    st.lists(st.integers(1, 8), min_size=1, max_size=3, unique=True),
    st.booleans(),
    st.sampled_from((*WHO,)),
)
EVENTS = st.integers(1, 4)
ENTRIES = (
    ACCESSES
    | st.builds(Recorded, STREAMS, EVENTS)
    | st.builds(Awaited, STREAMS | st.just(HOST), EVENTS)
)


class Sanitizer:
    """What torch's sanitizer says of an entry. The host is a stream to it that all others wait for
    at once.
    """

    def __init__(self) -> None:
        self._handler = EventHandler()
        self._numbers: defaultdict[object, int] = defaultdict(count(1).__next__)

    def objects_to(self, entry: Entry) -> bool:
        stream = self._numbers[entry.stream]
        if isinstance(entry, Access):
            return self._launched(stream, entry)
        if isinstance(entry, Recorded):
            self._handler._handle_event_record(entry.event, stream)
        elif entry.stream == HOST:
            self._handler._handle_event_synchronization(entry.event)
        else:
            self._handler._handle_event_wait(entry.event, stream)
        return False

    def _launched(self, stream: int, access: Access) -> bool:
        tensors = {self._numbers[access.pool, slot] for slot in access.slots}
        read, written = (set[int](), tensors) if access.writes else (tensors, set[int]())
        names = {tensor: [access.by] for tensor in tensors}
        found = self._handler._handle_kernel_launch(stream, read, written, set(), access.by, names)
        if access.stream == HOST:
            self._handler._handle_stream_synchronization(stream)
        return bool(found)


class Compared(Races):
    """Compared at each entry. Of slots over which accesses have raced nothing more is told."""

    def __init__(self) -> None:
        super().__init__()
        self.sanitizer = Sanitizer()
        self.seen = 0
        self.raced: set[tuple[Pool, int]] = set()
        self.apart: list[Entry] = []
        """Of which the two say different things."""

    def follow(self, entries: Iterable[Entry], operation: object) -> list[Breach]:
        breaches: list[Breach] = []
        for entry in map(self._without_raced, entries):
            found = super().follow([entry], operation)
            if bool(found) != self.sanitizer.objects_to(entry):
                self.apart.append(entry)
            if found and isinstance(entry, Access):
                self.raced.update((entry.pool, slot) for slot in entry.slots)
            self.seen += 1
            breaches += found
        return breaches

    def _without_raced(self, entry: Entry) -> Entry:
        if not isinstance(entry, Access):
            return entry
        slots = [slot for slot in entry.slots if (entry.pool, slot) not in self.raced]
        return entry._replace(slots=slots)


@settings(max_examples=400)
@given(st.lists(ENTRIES, max_size=40))
def test_it_says_the_same_of_whatever_streams_do(entries: list[Entry]) -> None:
    races = Compared()
    races.follow(entries, "insert [1]")
    assert races.apart == []


def compared(system: str, number: int) -> Compared:
    """A history of the soak, on the system that it is drawn for."""
    target = find(system)
    history = one(target, 71, number, lambda _: False).history
    run = Run(target, history.config)
    races = Compared()
    run.races = [(rank, races) for rank, _ in run.races[:1]]
    try:
        for operation in history.operations:
            run.step(operation)
        assert races.apart == []
        return races
    finally:
        run.close()


def test_it_says_the_same_of_our_own_cache() -> None:
    all_races = [compared("radix", number) for number in range(8)]
    assert sum(races.seen for races in all_races) > 500
    assert not any(races.raced for races in all_races)


@pytest.mark.parametrize("fault", RACES)
def test_it_says_the_same_of_what_breaks_the_order(fault: str) -> None:
    assert any(compared(named_after(fault), number).raced for number in range(200))
