"""The copy engine on a GPU against a pinned memcpy, and our cache there against itself on a CPU.

    python benchmarks/gpu.py [--out FOLDER] [--seconds N]

It needs this repository, Python, a CUDA build of torch with Triton, and Hypothesis: no network, no
installation (`PYTHONPATH=.`). It prints as it goes, and writes `gpu.md`, `gpu.json` and `gpu.svg`
into the folder. Where there is no GPU, `--dry` runs all of it on the CPU with tiny sizes: that
shows that it runs, and its figures say nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np
import torch
from share_chart import share_chart
from torch.profiler import ProfilerActivity, profile

from radixproof.impl.radix.cuda import cuda_engine, staged
from radixproof.impl.radix.engine import CopyEngine, ImmediateEngine, Landing, Transfer
from radixproof.impl.radix.pools import Geometry, KVPool, Slots
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.radix_adapter.target import target
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.drivers.soak import one

MEBIBYTE = 1 << 20
SIZES = tuple(1 << bits for bits in range(16, 31, 2))
"""Bytes of a transfer, up to 1 GiB; the smallest are about a page."""
PAGES = (1, 16, 64)
LAYERS, HEADS, DIM = 32, 8, 128
"""A token has 2 * 32 * 8 * 128 elements of two bytes, 128 KiB."""
ROUNDS = 5
CPU = torch.device("cpu")
DIRECTIONS = {True: "device to host", False: "host to device"}
Way = Callable[[torch.device, Transfer], Landing]


@dataclass(frozen=True, slots=True)
class Moved:
    """One row of the table of transfers; rates are in GB (10**9 bytes) a second."""

    direction: str
    way: str
    layout: str
    page_size: int
    size: int
    rate: float
    memcpy: float
    launches: int
    """Kernels and copies that the device was given for it."""

    @property
    def share(self) -> float:
        return self.rate / self.memcpy


class Bench:
    """A device, or the CPU in place of one."""

    def __init__(self, dry: bool) -> None:
        self.dry = dry
        self.device = CPU if dry else torch.device("cuda")
        self.sizes = SIZES[:2] if dry else SIZES

    def seconds(self, work: Callable[[], object]) -> float:
        """The median time that some work takes until the device has done it."""
        work()
        times = []
        for _ in range(ROUNDS):
            self.wait()
            started = time.perf_counter()
            work()
            self.wait()
            times.append(time.perf_counter() - started)
        return median(times)

    def launches(self, work: Callable[[], object]) -> int:
        """Kernels and copies that the device is given for some work."""
        if self.dry:
            return 0
        with profile(activities=[ProfilerActivity.CUDA]) as profiled:
            work()
            self.wait()
        return sum(event.device_type.name == "CUDA" for event in profiled.events())

    def wait(self) -> None:
        if not self.dry:
            torch.cuda.synchronize()

    def memcpy(self, size: int, to_host: bool) -> float:
        """GB a second of a copy between contiguous memory on the device and pinned memory."""
        here = torch.empty(size, dtype=torch.uint8, device=self.device)
        there = torch.empty(size, dtype=torch.uint8, pin_memory=not self.dry)
        source, goal = (here, there) if to_host else (there, here)
        return size / self.seconds(lambda: goal.copy_(source, non_blocking=True)) / 1e9

    def engine(self, way: Way) -> CopyEngine:
        return ImmediateEngine() if self.dry else cuda_engine(self.device, way)

    def transfers(self, ways: dict[str, Way]) -> Iterator[Moved]:
        """Every size in both directions, by every way, in every layout and page size."""
        for size in self.sizes:
            rates = {to_host: self.memcpy(size, to_host) for to_host in (True, False)}
            for page_first in (False, True):
                layout = "page-first" if page_first else "layer-first"
                for page_size in PAGES:
                    pools = self._pools(size, page_size, page_first)
                    for (name, way), to_host in (
                        (way, to_host) for way in ways.items() for to_host in rates
                    ):
                        copy = self._copying(self.engine(way), pools, page_size, size, to_host)
                        rate, launches = size / self.seconds(copy) / 1e9, self.launches(copy)
                        direction = DIRECTIONS[to_host]
                        memcpy = rates[to_host]
                        yield Moved(
                            direction, name, layout, page_size, size, rate, memcpy, launches
                        )

    def _pools(self, size: int, page_size: int, page_first: bool) -> tuple[KVPool, KVPool]:
        """Twice as large as what is moved, so that it is scattered."""
        layers = 1 if self.dry else LAYERS
        geometry = Geometry(layers, HEADS, DIM, torch.float16, page_first)
        pages = max(2, 2 * size // (token_bytes(geometry) * page_size))
        return (
            KVPool(pages, page_size, geometry, self.device),
            KVPool(pages, page_size, geometry, CPU, pinned=not self.dry),
        )

    def _copying(
        self,
        engine: CopyEngine,
        pools: tuple[KVPool, KVPool],
        page_size: int,
        size: int,
        to_host: bool,
    ) -> Callable[[], None]:
        """A copy of whole pages, drawn once."""
        device, host = pools
        slots = [drawn_slots(device, page_size, size, seed) for seed in (1, 2)]
        source, goal = (device, host) if to_host else (host, device)
        transfer = Transfer(source, slots[0], goal, slots[1])

        def copy() -> None:
            engine.submit([transfer])
            engine.wait()

        return copy


def token_bytes(geometry: Geometry) -> int:
    return 2 * geometry.layers * geometry.heads * geometry.dim * geometry.dtype.itemsize


def drawn_slots(pool: KVPool, page_size: int, size: int, seed: int) -> Slots:
    """Slots of ``size`` bytes, in whole pages, one at least, without those of page 0."""
    _, layers, slots, heads, dim = pool.kv.shape
    page_bytes = page_size * 2 * layers * heads * dim * pool.kv.element_size()
    pages = Random(seed).sample(range(1, slots // page_size), max(1, size // page_bytes))
    return np.concatenate([np.arange(one * page_size, (one + 1) * page_size) for one in pages])


def latencies(device: str, rounds: int) -> dict[str, float]:
    """Microseconds of operations of the cache, prompts of 64 pages of 16 tokens, without the
    forward pass.
    """
    config = Config(page_size=16, device_pages=8192, host_pages=16384)
    system = RadixSystem(config, device)
    took: dict[str, list[float]] = {"insert": [], "match": [], "lock": [], "evict": []}

    def timed(what: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = work()
        took[what].append((time.perf_counter() - started) * 1e6)
        return result

    for number in range(rounds):
        tokens = (number + 1,) * 16 + tuple(range(1008))
        slots = system.allocate(1024)
        assert slots is not None
        timed("insert", partial(system.insert, Key(tokens), slots, 0, 0))
        system.writing_check(blocking=True)
        found = timed("match", partial(system.match, Key(tokens)))
        receipt = timed("lock", partial(system.lock, found.anchor))
        system.unlock(receipt)
        timed("evict", partial(system.evict, 1024, 0, 0))
    return {what: median(times) for what, times in took.items()}


def soak_rate(system: Target, seconds: float) -> tuple[float, str]:
    """Checked steps a second of the soak, and what it has found, which should be nothing."""
    steps = number = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        judged = one(system, 1, number, lambda _: False)
        steps, number = steps + len(judged.history.operations), number + 1
        if judged.breach is not None:
            return steps / (time.perf_counter() - started), judged.breach.signature
    return steps / (time.perf_counter() - started), ""


def ways_here(dry: bool) -> dict[str, Way]:
    """Through staging memory, and by a kernel, if there is Triton."""
    ways: dict[str, Way] = {"staged": staged}
    try:
        from radixproof.impl.radix.direct import direct
    except ImportError:
        print("no Triton: only what is staged is measured", file=sys.stderr)
        return ways
    return ways if dry else {**ways, "direct": direct}


def page(where: str, moved: Sequence[Moved], others: Sequence[str]) -> str:
    """Everything in Markdown."""
    rows = [
        f"| {one.direction} | {one.way} | {one.layout} | {one.page_size} |"
        f" {one.size / MEBIBYTE:g} | {one.rate:.2f} | {one.share:.0%} | {one.launches or '-'} |"
        for one in moved
    ]
    head = "| direction | way | layout | page size | MiB | GB/s | of pinned memcpy | launches |"
    return "\n".join((f"{where}\n", head, "|---" * 8 + "|", *rows, "", *others, ""))


def curves(moved: Sequence[Moved]) -> dict[str, list[tuple[float, float]]]:
    """The share of a pinned memcpy over the bytes of a transfer, for the largest pages."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in moved:
        if row.page_size == max(PAGES):
            name = f"{row.way}, {row.layout}, {row.direction}"
            found.setdefault(name, []).append((row.size, row.share))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench-gpu"))
    parser.add_argument("--seconds", type=float, default=60, help="of each soak (default: 60)")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    if not (options.dry or torch.cuda.is_available()):
        parser.exit(3, "gpu.py: this torch sees no CUDA device; --dry runs on the CPU\n")
    bench = Bench(options.dry)
    where = "dry: a CPU" if bench.dry else torch.cuda.get_device_name()
    where = f"{where}; torch {torch.__version__}"
    moved = []
    for row in bench.transfers(ways_here(bench.dry)):
        moved.append(row)
        print(f"{row} {row.share:.0%}", flush=True)
    others = []
    for device in ("cpu",) if bench.dry else ("cpu", "cuda"):
        took = latencies(device, 3 if bench.dry else 200)
        words = ", ".join(f"{what} {time_:.0f} us" for what, time_ in took.items())
        rate, found = soak_rate(target(device), options.seconds)
        others.append(f"{device}: {words}; {rate:.0f} checked steps a second, found: {found or 0}")
        print(others[-1], flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu.md").write_text(page(where, moved, others))
    rows = [asdict(one) for one in moved]
    chart = share_chart(f"Share of a pinned memcpy, pages of {max(PAGES)}", curves(moved))
    (options.out / "gpu.svg").write_text(chart)
    (options.out / "gpu.json").write_text(json.dumps({"where": where, "moved": rows}, indent=1))


if __name__ == "__main__":
    main()
