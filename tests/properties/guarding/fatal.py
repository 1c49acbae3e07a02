"""Toy caches that hang or end the process: each does what the toy does, up to one call.

Targets are found as ``tests.properties.guarding.fatal:NAME``.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from radixproof.impl.observation import PerComponent
from radixproof.impl.system import Lookup, Target
from radixproof.model.config import Config
from radixproof.model.key import Key

from ...impl.toy import Node, Toy, target

ROOT = Path(__file__).resolve().parents[3]


def name(of: Callable[[], Target]) -> str:
    """What the command line calls it, in the folder `ROOT`."""
    return f"tests.properties.guarding.fatal:{of.__name__}"


class Hangs(Toy):
    """Any match after a split never comes back."""

    was_split = False

    def split(self, lower: Node, at: int) -> Node:
        self.was_split = True
        return super().split(lower, at)

    def match(self, key: Key) -> Lookup:
        while self.was_split:
            self.clock += 1
        return super().match(key)


class Waits(Hangs):
    """The same, in C code that holds on to the interpreter: no signal gets through to Python."""

    def match(self, key: Key) -> Lookup:
        if self.was_split:
            ctypes.PyDLL(None).sleep(3600)
        return super().match(key)


class Ends(Toy):
    """An eviction of two leaves at once ends it, in the way of its kind."""

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        if full > 1 and len(self.victims()) > 1:
            self.end()
        return super().evict(full, swa, mamba)

    def end(self) -> None:
        raise MemoryError


class Aborts(Ends):
    def end(self) -> None:
        os.abort()


class Faults(Ends):
    def end(self) -> None:
        ctypes.string_at(0)


class Exits(Ends):
    def end(self) -> None:
        sys.exit("enough")


class LeavesAtOnce(Ends):
    def end(self) -> None:
        os._exit(3)


class Interrupts(Ends):
    def end(self) -> None:
        raise KeyboardInterrupt


class ClosesFiles(Ends):
    def end(self) -> None:
        os.closerange(3, 1000)


class BlindAfterwards(Toy):
    """It cannot be looked at once it holds three nodes."""

    def observe(self, whole: bool):  # type: ignore[no-untyped-def]
        if len(list(self.nodes())) > 2:
            raise LookupError("blind")
        return super().observe(whole)


CHANCE = random.Random(1)
"""Chance, the same in every run of the tests."""


class ByChance(Toy):
    """It evicts any leaf."""

    def victims(self) -> list[Node]:
        found = super().victims()
        return CHANCE.sample(found, 1) if found else []


class OnceOnly(Ends):
    """The first process that runs it is aborted; no other is. `FLAG` says which folder knows."""

    def end(self) -> None:
        flag = Path(os.environ["FATAL_FLAG"])
        if not flag.exists():
            flag.touch()
            os.abort()


class Chatters(Toy):
    """It prints, in Python and in C, and leaves a thread running."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        print("chatter")
        ctypes.CDLL(None).puts(b"chatter")
        threading.Thread(target=time.sleep, args=(3600,)).start()


class NotBuilt(Toy):
    def __init__(self, config: Config) -> None:
        os.abort()


class NotBuiltLarge(Toy):
    """It can be built with few pages only."""

    def __init__(self, config: Config) -> None:
        if config.device_pages > 8:
            raise ValueError("too large")
        super().__init__(config)


def hangs() -> Target:
    return target(Hangs)


def waits() -> Target:
    return target(Waits)


def raises() -> Target:
    return target(Ends)


def aborts() -> Target:
    return target(Aborts)


def faults() -> Target:
    return target(Faults)


def exits() -> Target:
    return target(Exits)


def leaves_at_once() -> Target:
    return target(LeavesAtOnce)


def interrupts() -> Target:
    return target(Interrupts)


def closes_files() -> Target:
    return target(ClosesFiles)


def blind_afterwards() -> Target:
    return target(BlindAfterwards)


def by_chance() -> Target:
    return target(ByChance)


def once_only() -> Target:
    return target(OnceOnly)


def chatters() -> Target:
    return target(Chatters)


def not_built() -> Target:
    return target(NotBuilt)


def not_built_large() -> Target:
    return target(NotBuiltLarge)


def not_found() -> Target:
    """Nor can it be imported, so to say."""
    os.abort()
