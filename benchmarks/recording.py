"""What recording costs a server: time of SGLang's cache with a tap over the time without.

Requests with long prompts that share beginnings go through SGLang's own functions of a request, in
two caches, one of them with a tap, in turns, in one process. Timed is what the scheduler calls on a
cache, in processor time of its thread; what the thread of the tap needs is said beside it. Run:
``python benchmarks/recording.py``.
"""

from __future__ import annotations

import argparse
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random
from threading import enumerate as threads
from time import clock_gettime_ns, pthread_getcpuclockid, sleep, thread_time_ns
from typing import Any
from unittest import mock

from radixproof.impl.recording import live_sglang
from radixproof.impl.sglang import locking, parts, shim, store
from radixproof.impl.sglang.carried import Carried
from radixproof.impl.sglang.carrying import Carrier
from radixproof.impl.sglang.names import core_in, version_in
from radixproof.impl.sglang.requests import request
from radixproof.impl.sglang.transfers import Transfers
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.search.search import calm_collector

PAGE, ROOTS, PART, AT_ONCE = 16, 12, 512, 4
WARM = 10
"""Turns before the clocks begin."""
FORWARD_SECONDS = 0.01
"""A forward pass, for which the scheduler of a server has to wait, too."""
CONFIG = Config(page_size=PAGE, device_pages=1024, host_pages=2048)
TIMED = (
    "match_prefix",
    "evict",
    "evict_for_alloc",
    "lock",
    "unlock",
    "inc_lock_ref",
    "dec_lock_ref",
    "init_load_back",
    "cache_unfinished_req",
    "cache_finished_req",
    "checkpoint",
    "on_release",
    "check_hicache_events",
)
"""What the scheduler calls on the cache."""


class Clock:
    """Processor time of this thread in some methods, without what they call of each other."""

    def __init__(self) -> None:
        self.nanoseconds = self.calls = self._depth = 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            if self._depth:
                return call(*arguments, **named)
            self._depth += 1
            self.calls += 1
            begin = thread_time_ns()
            try:
                return call(*arguments, **named)
            finally:
                self.nanoseconds += thread_time_ns() - begin
                self._depth -= 1

        return timed


class Deaf:
    """Listens to nothing: here nobody judges what SGLang's functions do."""

    calls = ()

    def listening(self, *_: object) -> AbstractContextManager[None]:
        return nullcontext()


class Server:
    """What a scheduler does with a cache of SGLang for a few requests at a time."""

    def __init__(self, system: str) -> None:
        self.sglang = shim.load(store.locate(version_in(system)))
        self.parts = parts.build(self.sglang, CONFIG, core_in(system))
        self.tree = self.parts.tree
        self.transfers = Transfers(self.sglang, self.parts)
        locks = locking.of(self.sglang, self.tree)
        deaf: Any = Deaf()
        self.locks = locks
        self.carrier = Carrier(self.sglang, self.parts, CONFIG, deaf, locks, lambda found: found)
        self.rows: dict[str, list[int]] = {}
        """By request: its slots; those that are the tree's by now may be others."""
        self._begun = 0

    def serve(self, random: Random, prompts: list[tuple[int, ...]]) -> None:
        """Requests at once: each is prefilled in parts, decoded and finished."""
        alive = [self.arrive(Key(prompt)) for prompt in prompts]
        for begin in range(0, max(map(len, prompts)), PART):
            for one in alive:
                whole = len(one.key.tokens)
                end = min(begin + PART, whole)
                if max(begin, one.begun) < end:
                    self.extend(one, end)
                    self.carrier.carry_on(one, end == whole)
            self.copy()
        for one in alive:
            more = _tokens(random, random.randrange(1, 64))
            one.key = Key(one.key.tokens + more)
            self.extend(one, len(one.key.tokens))
            self.carrier.end(one, True, False, 0)
        self.copy()

    def arrive(self, key: Key) -> Carried:
        """A request with what is cached of its prompt but the last token; it is loaded first."""
        self._begun += 1
        asking = request(self.sglang.torch.tensor(0))
        asking.rid = str(self._begun)
        kind, tokens = self.sglang.params, array("q", key.tokens[:-1])
        wanted = kind.MatchPrefixParams(key=self.sglang.radix_key(tokens, None), req=asking)
        found = self.tree.match_prefix(wanted)
        if found.host_hit_length:
            asking.last_node = found.last_device_node
            self.tree.init_load_back(
                kind.InitLoadBackParams(found.best_match_node, found.host_hit_length, None, asking)
            )
            self.transfers.start_loading()
            found = self.tree.match_prefix(wanted)
        slots = self.tree.path_device_indices(found.last_device_node)[: found.device_prefix_len]
        lock = self.locks.lock(found.last_device_node)
        row = slots.tolist()
        begun: Carried = self.carrier.begin(key, row, lock, None)
        self.carrier.admit(begun)
        self.rows[begun.rid] = row
        return begun

    def extend(self, request: Carried, tokens: int) -> None:
        """The request computes down to so many tokens, in slots for which room is made."""
        row = self.rows[request.rid]
        need = CONFIG.floor(tokens + PAGE - 1) - len(row)
        if need > 0:
            self.carrier.make_room(request, need)
            new = self.parts.device.allocate(need)
            if new is None:
                raise RuntimeError("the pool is too small for these requests")
            row += new.tolist()
        self.carrier.compute(request, request.key, row, tokens)

    def copy(self) -> None:
        """A forward pass and all copies that were submitted have run; the scheduler looks."""
        sleep(FORWARD_SECONDS)
        for load in (False, True):
            self.transfers.run(1_000, load)
        self.tree.check_hicache_events()


def _tokens(random: Random, count: int) -> tuple[int, ...]:
    return tuple(random.randrange(1, 100_000) for _ in range(count))


def _prompts(random: Random, count: int) -> Iterator[list[tuple[int, ...]]]:
    """Prompts that begin as others do, a few at once."""
    roots = [_tokens(random, PAGE * random.randrange(16, 96)) for _ in range(ROOTS)]
    for _ in range(count // AT_ONCE):
        chosen = (random.choice(roots) for _ in range(AT_ONCE))
        yield [
            root[: random.randrange(len(root) + 1)]
            + _tokens(random, random.randrange(PAGE, 32 * PAGE))
            for root in chosen
        ]


def tapped_class(tree_class: Any, folder: Path) -> Any:
    """A class of its own, so that the other one is as it was."""
    tapped = type(tree_class.__name__, (tree_class,), {})
    live_sglang.tap_class(tapped, folder)
    return tapped


def timed(tree: Any) -> Clock:
    """The time that is spent in what the scheduler calls on a cache."""
    clock = Clock()
    for name in TIMED:
        if hasattr(tree, name):
            setattr(tree, name, clock.around(getattr(tree, name)))
    return clock


def spent_beside() -> int:
    """Nanoseconds of the processor that the thread of the tap has had."""
    (thread,) = (one for one in threads() if one.name == "radixproof")
    assert thread.ident is not None
    return clock_gettime_ns(pthread_getcpuclockid(thread.ident))


def overhead(system: str, count: int, folder: Path) -> tuple[Clock, Clock, int]:
    """The time in a cache without a tap, and in one with a tap, that serve the same requests: a few
    at a time, in turns; and nanoseconds of the thread of the tap.
    """
    sglang = shim.load(store.locate(version_in(system)))
    servers = [Server(system)]
    tapped = tapped_class(sglang.tree.UnifiedRadixCache, folder)
    with mock.patch.object(sglang.tree, "UnifiedRadixCache", tapped):
        servers.append(Server(system))
    clocks = [timed(server.tree) for server in servers]
    before = 0
    for turn, prompts in enumerate(_prompts(Random(1), count)):
        for server in servers if turn % 2 else reversed(servers):
            server.serve(Random(turn), prompts)
        if turn == WARM:
            for clock in clocks:
                clock.nanoseconds = clock.calls = 0
            before = spent_beside()
    beside = spent_beside() - before
    tap = live_sglang.tap_of(servers[1].tree)
    assert tap is not None
    tap.close()
    assert tap.ended == "it was closed", tap.ended
    return clocks[0], clocks[1], beside


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", nargs="?", default="sglang==0.5.23")
    parser.add_argument("--requests", type=int, default=4_000)
    options = parser.parse_args()
    calm_collector()
    with tempfile.TemporaryDirectory() as folder:
        without, tapped, beside = overhead(options.system, options.requests, Path(folder))
    each, more = (one.nanoseconds / one.calls / 1_000 for one in (without, tapped))
    thread = beside / tapped.calls / 1_000
    print(
        f"{options.system}: {without.calls:,} calls, {each:.1f} us each, {more:.1f} us with a tap:"
        f" {more / each - 1:+.1%}, and {thread:.1f} us in a thread beside it"
    )


if __name__ == "__main__":
    main()
