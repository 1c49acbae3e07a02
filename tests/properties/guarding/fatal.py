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
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import toy_adapter
from radixproof.impl.observation import Observation
from radixproof.impl.system import Lookup, Target
from radixproof.model.key import Key
from toy_adapter import Adapter
from toy_cache import Node, ToyCache

ROOT = Path(__file__).resolve().parents[3]


def name(of: Callable[[], Target]) -> str:
    """What the command line calls it, in the folder `ROOT`."""
    return f"tests.properties.guarding.fatal:{of.__name__}"


class Hangs(ToyCache):
    """Any match after a split never comes back."""

    was_split = False

    def split(self, lower: Node, at: int) -> Node:
        self.was_split = True
        return super().split(lower, at)

    def match(self, tokens: Sequence[int]) -> tuple[Node, list[int]]:
        while self.was_split:
            next(self.clock)
        return super().match(tokens)


class Waits(Hangs):
    """The same, in C code that holds on to the interpreter: no signal gets through to Python."""

    def match(self, tokens: Sequence[int]) -> tuple[Node, list[int]]:
        if self.was_split:
            ctypes.PyDLL(None).sleep(3600)
        return super().match(tokens)


class Ends(ToyCache):
    """An eviction with two leaves to choose from ends it, in the way of its kind."""

    def evict(self, tokens: int) -> int:
        if tokens > 1 and sum(map(self.is_free, self.nodes())) > 1:
            self.end()
        return super().evict(tokens)

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


class Forks(ToyCache):
    """A split forks, and both processes go on."""

    def split(self, lower: Node, at: int) -> Node:
        os.fork()
        return super().split(lower, at)


class BlindAfterwards(Adapter):
    """It cannot be looked at once it holds three nodes."""

    def observe(self, whole: bool) -> Observation:
        if len(list(self.cache.nodes())) > 2:
            raise LookupError("blind")
        return super().observe(whole)


class GoneAfterwards(Adapter):
    """A match after a split raises; to be looked at then ends the process."""

    broken = False

    def match(self, key: Key) -> Lookup:
        before = len(list(self.cache.nodes()))
        found = super().match(key)
        if len(list(self.cache.nodes())) > before:
            self.broken = True
            raise LookupError("split")
        return found

    def observe(self, whole: bool) -> Observation:
        if self.broken:
            self.end()
        return super().observe(whole)

    def end(self) -> None:
        os.abort()


class LostAfterwards(GoneAfterwards):
    """To be looked at then never ends."""

    def end(self) -> None:
        while True:
            time.sleep(1)


CHANCE = random.Random(1)
"""Chance, the same in every run of the tests."""


class ByChance(ToyCache):
    """It evicts any leaf."""

    def evict(self, tokens: int) -> int:
        freed = 0
        while freed < tokens and (leaves := [node for node in self.nodes() if self.is_free(node)]):
            freed += self.remove(CHANCE.choice(leaves))
        return freed


class OnceOnly(Ends):
    """The first process that runs it is aborted; no other is. `FLAG` says which folder knows."""

    def end(self) -> None:
        flag = Path(os.environ["FATAL_FLAG"])
        if not flag.exists():
            flag.touch()
            os.abort()


class Chatters(ToyCache):
    """It prints, in Python and in C, and leaves a thread running."""

    def __init__(self, page_size: int, pages: int) -> None:
        super().__init__(page_size, pages)
        print("chatter")
        ctypes.CDLL(None).puts(b"chatter")
        threading.Thread(target=time.sleep, args=(3600,)).start()


class NotBuilt(ToyCache):
    def __init__(self, page_size: int, pages: int) -> None:
        os.abort()


class NotBuiltLarge(ToyCache):
    """It can be built with few pages only."""

    def __init__(self, page_size: int, pages: int) -> None:
        if pages > 8:
            raise ValueError("too large")
        super().__init__(page_size, pages)


def target(kind: type[ToyCache]) -> Target:
    """Its pages are of one token: less to wait for."""
    scope = replace(toy_adapter.target.scope, page_sizes=(1,))
    return replace(toy_adapter.target, build=partial(Adapter, kind=kind), scope=scope)


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


def forks() -> Target:
    return target(Forks)


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


def blind_afterwards() -> Target:
    return replace(target(ToyCache), build=BlindAfterwards)


def gone_afterwards() -> Target:
    return replace(target(ToyCache), build=GoneAfterwards)


def lost_afterwards() -> Target:
    return replace(target(ToyCache), build=LostAfterwards)
