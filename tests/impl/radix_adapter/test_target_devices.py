"""The same cache on a CPU and on a GPU: what it submits, and that it does the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from radixproof.impl.operations import History
from radixproof.impl.radix.cache import Engines, RadixCache
from radixproof.impl.radix.config import CacheConfig, Sizes
from radixproof.impl.radix.cuda import cuda_engine
from radixproof.impl.radix.engine import ImmediateEngine, StreamEngine
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix_adapter.scheduled import ScheduledStreams
from radixproof.impl.radix_adapter.target import target
from radixproof.impl.registry import find
from radixproof.impl.streams import BACKUP, COMPUTE, LOAD, Stream
from radixproof.impl.system import Target
from radixproof.properties.drivers.soak import one
from radixproof.properties.running.run import Run

CONFIG = CacheConfig(4, device=Sizes(64, 64, 8), host=Sizes(128, 128, 16), window=8)
HOSTLESS = CacheConfig(4, device=Sizes(64, 64, 8), window=8)
PROMPTS = [tuple(range(20)), (*range(12), *range(100, 108)), (*range(6), 50, 51)]


class Submitted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what is asked of torch."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operations.append(str(func))
        return func(*args, **(kwargs or {}))


def request(cache: RadixCache) -> None:
    """Match, insert, lock, unlock and evict, of prompts that share beginnings."""
    device = cache.memory.device
    for prompt in PROMPTS:
        found = cache.match(prompt)
        lock = cache.lock(found.device_node)
        have = len(found.slots)
        new = device.allocate(len(prompt) - have)
        assert new is not None
        cache.insert(prompt, [*found.slots, *new], protected=have)
        cache.unlock(lock)
        cache.evict(4, 4)
    cache.writing_check()
    cache.loading_check()


def held_back() -> Engines:
    """Engines whose copies wait until they are told to run."""

    def move(_: object) -> Iterator[Callable[[], None]]:
        raise AssertionError("nothing is told to run")

    compute = Stream(COMPUTE)
    return Engines(
        *(StreamEngine(ScheduledStreams(compute, name), move) for name in (BACKUP, LOAD))
    )


@pytest.mark.parametrize("config", [CONFIG, HOSTLESS], ids=["hosted", "without a host"])
def test_the_tree_asks_nothing_of_torch_but_copies(config: CacheConfig) -> None:
    """So none of its operations can wait for the device: its bookkeeping is on the CPU."""
    cache = RadixCache(config, Memory(config), held_back())
    with Submitted() as submitted:
        request(cache)
    assert submitted.operations == []


def test_what_is_asked_of_torch_would_be_seen() -> None:
    engines = Engines(ImmediateEngine(), ImmediateEngine())
    cache = RadixCache(CONFIG, Memory(CONFIG), engines)
    with Submitted() as submitted:
        request(cache)
    assert "aten.index_select.default" in submitted.operations


@pytest.mark.gpu
@pytest.mark.parametrize("config", [CONFIG, HOSTLESS], ids=["hosted", "without a host"])
def test_nothing_waits_for_a_gpu(config: CacheConfig) -> None:
    """Copies included, which are submitted only. The second time, so that memory is there."""
    device = torch.device("cuda", torch.cuda.current_device())
    engines = Engines(cuda_engine(device), cuda_engine(device))
    for mode in ("default", "error"):
        cache = RadixCache(config, Memory(config, device=device), engines)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode(mode)
        try:
            request(cache)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        engines.backup.wait()
    one = torch.ones(1, device=device)
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError):
            one.item()  # what does wait is seen
    finally:
        torch.cuda.set_sync_debug_mode("default")


# -- the same on both ------------------------------------------------------------------------------


def told(system: Target, history: History) -> list[object]:
    """What comes back from each operation, what is wrong, and all that is seen then."""
    run = Run(system, history.config, every=1)
    seen: list[object] = []
    try:
        for operation in history.operations:
            breaches = [breach.signature for breach in run.step(operation)]
            seen.append((str(run.steps[-1].outcome), breaches, run.seen))
        return seen
    finally:
        run.close()


def history(number: int) -> History:
    return one(find("radix"), 31, number, lambda _: False).history


@pytest.mark.parametrize("number", range(3))
def test_a_history_goes_the_same_way_twice(number: int) -> None:
    wanted = told(find("radix"), history(number))
    assert told(find("radix"), history(number)) == wanted
    assert told(find("fault:match-is-no-use"), history(number)) != wanted


@pytest.mark.gpu
@pytest.mark.parametrize("number", range(12))
def test_a_history_goes_the_same_way_on_a_gpu(number: int) -> None:
    assert told(target("cuda"), history(number)) == told(find("radix"), history(number))
