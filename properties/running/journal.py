"""The journal: what a process is about to do to a system, in memory that outlives the process.

A system may hang, or end the process that it runs in. Whoever watches that process then reads here
which history it was in, and at which operation. A process that nobody watches keeps no journal.

It is also told what is known already: histories whose last operation ended an earlier process.
There the operation is not performed again; its outcome is that end.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from time import monotonic_ns
from typing import Any

from radixproof.impl.operations import OPERATIONS, History, Operation
from radixproof.model.config import Config
from radixproof.properties.performing.outcomes import Crashed

SIZE = 64 * 2**20
"""Bytes of address space; what is not written to costs nothing. No history file is larger."""


class Doing(IntEnum):
    """What the process does at this moment. All but the first of these is the system's time."""

    NOTHING = 0
    STARTING = 1
    """Importing the system, or building it for the first time."""
    BUILDING = 2
    STEP = 3
    """Performing an operation and looking at what it did, or looking at the whole at the end."""
    CLOSING = 4


@dataclass(frozen=True, slots=True)
class Death:
    """A history whose last operation hung or ended the process, and the outcome which that is."""

    history: History
    outcome: Crashed


class Unwatched:
    """A journal that is not kept."""

    def __init__(self) -> None:
        self.deaths: list[Death] = []
        """Histories of which it is known that their last operation is not to be performed."""

    def own(self) -> None:
        """From now on this process alone writes here. If the system forks, and goes on in both
        processes, the new one leaves when it comes back.
        """

    def starting(self) -> None:
        """The system is about to be imported, and built for the first time."""

    def building(self, config: Config) -> None:
        """A system is about to be built; a new history begins."""

    def before(self, operation: Operation) -> Crashed | None:
        """An operation is about to be performed. If it is known how that ends, this is the outcome,
        and it must not be performed.
        """
        return None

    def looking(self) -> None:
        """The whole is about to be looked at, after the operations so far."""

    def closing(self) -> None:
        """The system is about to be closed."""

    def idle(self) -> None:
        """The system has come back."""


_HEADER = struct.Struct("<QQQQ")
"""What the memory begins with: what is being done, how often the system was called upon so far, the
operations of the history in progress, and where its last entry ends.
"""
_DOING, _BEATS, _OPERATIONS, _END, _SLOWEST, _CUT_OFF = range(6)
"""Places of these numbers, and of two more that are written seldom."""
_ENTRIES = 64
_HEAD = struct.Struct("<IB")
"""Before every entry: the length of what follows, and the kind of operation (0: configuration)."""
_KINDS: tuple[type, ...] = (Config, *OPERATIONS)
_NUMBER_OF = {kind: number for number, kind in enumerate(_KINDS)}
_NOTHING, _STARTING, _BUILDING, _STEP, _CLOSING = map(int, Doing)


class Journal(Unwatched):
    """Made before the process is forked; the child writes, the parent reads.

    Every step is written here: what is done then is counted in tenths of a microsecond.
    """

    def __init__(self, deaths: Iterable[Death] = ()) -> None:
        import msgspec  # here, because a run that nobody watches does without it

        super().__init__()
        self.deaths += deaths
        self._memory = mmap.mmap(-1, SIZE)
        self._numbers = memoryview(self._memory)[:_ENTRIES].cast("Q")
        self._encode = msgspec.msgpack.Encoder().encode
        self._fitting: list[Death] = []
        self._beats = self._length = self._end = self._began = self._slowest = 0
        self._owner = os.getpid()

    # -- written by the child ----------------------------------------------------------------------

    def own(self) -> None:
        self._owner = os.getpid()

    def starting(self) -> None:
        self._begin(_STARTING)

    def building(self, config: Config) -> None:
        self._fitting = [death for death in self.deaths if death.history.config == config]
        self._length = 0
        self._end = _ENTRIES
        self._put(config)
        self._begin(_BUILDING)

    def before(self, operation: Operation) -> Crashed | None:
        self._put(operation)
        self._length += 1
        self._begin(_STEP)
        return self._known(operation) if self._fitting else None

    def looking(self) -> None:
        self._begin(_STEP)

    def closing(self) -> None:
        self._begin(_CLOSING)

    def idle(self) -> None:
        if os.getpid() != self._owner:
            os._exit(0)
        took = monotonic_ns() - self._began
        if took > self._slowest and self._numbers[_DOING] == _STEP:
            self._numbers[_SLOWEST] = self._slowest = took
        self._numbers[_DOING] = _NOTHING

    def cut_off(self) -> None:
        """The child cannot tell its parent anything but by this."""
        self._numbers[_CUT_OFF] = 1

    def _begin(self, doing: int) -> None:
        self._beats += 1
        _HEADER.pack_into(self._memory, 0, doing, self._beats, self._length, self._end)
        self._began = monotonic_ns()

    def _put(self, entry: Config | Operation) -> None:
        data = self._encode(entry)
        body = self._end + _HEAD.size
        end = body + len(data)
        _HEAD.pack_into(self._memory, self._end, len(data), _NUMBER_OF[type(entry)])
        self._memory[body:end] = data
        self._end = end

    def _known(self, operation: Operation) -> Crashed | None:
        at = self._length - 1
        self._fitting = [
            death
            for death in self._fitting
            if at < len(death.history.operations) and death.history.operations[at] == operation
        ]
        for death in self._fitting:
            if len(death.history.operations) == self._length:
                return death.outcome
        return None

    # -- read by the parent ------------------------------------------------------------------------

    @property
    def doing(self) -> Doing:
        return Doing(self._numbers[_DOING])

    @property
    def beats(self) -> int:
        """How often the system was called upon so far: a number that stands still if it hangs."""
        return self._numbers[_BEATS]

    @property
    def slowest(self) -> float:
        """Seconds of the longest step that came to its end."""
        return self._numbers[_SLOWEST] / 1e9

    @property
    def is_cut_off(self) -> bool:
        return bool(self._numbers[_CUT_OFF])

    def history(self) -> History | None:
        """The history in progress, with the operation in progress; None if none has begun."""
        if self._numbers[_END] == 0:
            return None
        config, end = self._read(_ENTRIES)
        operations = []
        for _ in range(self._numbers[_OPERATIONS]):
            operation, end = self._read(end)
            operations.append(operation)
        return History(config, tuple(operations))

    def _read(self, at: int) -> tuple[Any, int]:
        import msgspec

        length, number = _HEAD.unpack_from(self._memory, at)
        body = at + _HEAD.size
        data = self._memory[body : body + length]
        return msgspec.msgpack.decode(data, type=_KINDS[number]), body + length


_kept: list[Unwatched] = [Unwatched()]


def current() -> Unwatched:
    """The journal of this process."""
    return _kept[0]


def keep(journal: Journal) -> None:
    """From now on, all that this process does to systems is written there."""
    journal.own()
    _kept[0] = journal
