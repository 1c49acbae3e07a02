"""What checking costs: time of model, observation and properties over time of the operations.

Both are measured in the same run, on the same steps, at several tree sizes.
Run: ``python benchmarks/checking.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from dataclasses import replace
from random import Random
from statistics import mean, median
from time import perf_counter_ns
from typing import Any

from radixproof.impl import registry
from radixproof.impl.operations import (
    Arrive,
    Decode,
    EvictHost,
    Finish,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefill,
    Unlock,
    WritingCheck,
)
from radixproof.impl.system import System, Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach
from radixproof.properties.generating.inserts import missing_room
from radixproof.properties.running.run import Run
from radixproof.properties.search.search import calm_collector

OUTSIDE = (
    "observe",
    "read",
    "swa_of",
    "close",
    "write",
    "write_state",
    "write_host",
    "refuse",
    "ordering",
    "attend",
    "copied",
)
"""Methods that are not operations of the cache: what only checking needs, and the forward pass."""
FORWARD = ("write", "write_state", "write_host", "launch", "run_forward")

SHAPES: dict[str, dict[str, Any]] = {
    "FULL": {},
    "FULL+SWA": {"window": 6},
    "FULL+MAMBA": {"mamba": True},
    "FULL+SWA+MAMBA": {"window": 6, "mamba": True},
    "FULL+SWA, write_back": {"window": 6, "write_back": True},
}


class Timed:
    """A system whose own operations are timed, and apart from them `write`, the forward pass.

    That is neither an operation of the cache nor a check.
    """

    def __init__(self, system: System) -> None:
        self.own_clock, self.forward_clock = [0], [0]
        for name in dir(system):
            if not name.startswith("_"):
                method = getattr(system, name)
                setattr(self, name, self._clocked(name, method))

    def _clocked(self, name: str, method: Any) -> Any:
        if name in OUTSIDE or not callable(method):
            return method
        return _timed(method, self.forward_clock if name in FORWARD else self.own_clock)

    def reset_clocks(self) -> None:
        self.own_clock[0] = self.forward_clock[0] = 0


def _timed(method: Any, clock: list[int]) -> Any:
    def timed(*arguments: Any) -> Any:
        started = perf_counter_ns()
        result = method(*arguments)
        clock[0] += perf_counter_ns() - started
        return result

    return timed


def shape(name: str, nodes: int) -> Config:
    """A cache of the components of one row, with room on the device for about ``nodes`` nodes."""
    options, pages = SHAPES[name], max(8, 2 * nodes)
    window, states = options.get("window"), nodes if options.get("mamba") else 0
    swa = 0 if window is None else pages
    return Config(
        page_size=4,
        window=window,
        device_pages=pages,
        swa_pages=swa,
        mamba_states=max(8, states) if states else 0,
        host_pages=pages,
        swa_host_pages=swa,
        mamba_host_states=max(8, states) if states else 0,
        write_back=bool(options.get("write_back")),
    )


def workload(run: Run, rng: Random, branches: int) -> Iterator[Operation]:
    """What an engine does under pressure: prompts share prefixes, and the device is nearly full.

    Room is made whenever there is not enough.
    """
    config = run.config
    size, locked, number = config.page_size, list[str](), 0
    states = config.mamba_states > 0

    def key() -> Key:
        parts = [rng.randrange(branches) for _ in range(rng.randint(1, 3))]
        return Key(tuple(token for part in parts for token in [part] * (2 * size)))

    while True:
        prompt = key()
        number += 1
        if rng.random() < 0.3:
            yield from request(f"q{number}", prompt, rng)
            continue
        yield Match(prompt)
        yield LoadBack(prompt)
        yield Lock(f"r{number}", prompt)
        locked.append(f"r{number}")
        eviction = missing_room(prompt, run.judge.model, True, states)
        if eviction is not None:
            yield eviction
        evicted = (
            0 if config.window is None else rng.choice((0, 2 * size)) % (len(prompt.tokens) + 1)
        )
        yield Insert(prompt, evicted, reuse=True, state=states)
        yield WritingCheck(blocking=rng.random() < 0.5)
        yield LoadingCheck(blocking=rng.random() < 0.5)
        if len(locked) > 3:
            yield Unlock(locked.pop(rng.randrange(len(locked))))
        if rng.random() < 0.1:
            yield EvictHost(4 * size)


def request(name: str, prompt: Key, rng: Random) -> Iterator[Operation]:
    """The life of a request."""
    yield Arrive(name, prompt)
    yield Prefill(name, len(prompt.tokens) // 2)
    yield Prefill(name, len(prompt.tokens))
    yield Decode(name, (rng.randrange(4),))
    yield Finish(name)


def measure(
    target: Target,
    config: Config,
    nodes: int,
    steps: int,
    seed: int = 1,
    known: Collection[str] = (),
) -> tuple[float, float, float]:
    """Mean nodes in the tree; microseconds a step of the implementation and of everything else.

    The whole state is inspected at steps far apart, of which a short measurement has some or none.
    So each step is charged with its share of one inspection.

    ``known`` are signatures of breaches that are passed over.
    """
    branches = max(2, round((nodes * 2) ** (1 / 3)))
    timed: list[Timed] = []

    def build(shape: Config) -> Any:
        timed.append(Timed(target.build(shape)))
        return timed[0]

    run = Run(replace(target, build=build), config)
    # To name the content is to compute it.
    name = _timed(run.ledger.tags_of, timed[0].forward_clock)
    run.ledger.tags_of = name  # type: ignore[method-assign]
    operations = workload(run, Random(f"checking {seed}"), branches)
    filling = 0
    while len(run.judge.abstraction.nodes) < nodes and filling < 20 * nodes + 200:
        _sound(run.step(next(operations)), known)
        filling += 1
    whole = [_nanoseconds(run, next(operations), known, True) for _ in range(3)]
    timed[0].reset_clocks()
    plain: list[int] = []
    seen = 0
    for _ in range(steps):
        took = _nanoseconds(run, next(operations), known)
        (plain if run.since_whole else whole).append(took)
        seen += len(run.judge.abstraction.nodes)
    own, forward = timed[0].own_clock[0] / steps, timed[0].forward_clock[0] / steps
    checking = mean(plain) - own - forward + median(whole) / run.distance
    return seen / steps, own / 1000, checking / 1000


def _nanoseconds(
    run: Run, operation: Operation, known: Collection[str], whole: bool = False
) -> int:
    started = perf_counter_ns()
    breaches = run.step(operation, whole)
    took = perf_counter_ns() - started
    _sound(breaches, known)
    return took


def _sound(breaches: list[Breach], known: Collection[str]) -> None:
    for breach in breaches:
        if breach.signature not in known:
            raise SystemExit(f"the benchmark found a bug: {breach.signature}: {breach.text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default="radix")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--nodes", type=int, nargs="*", default=[10, 100, 1000, 10_000])
    options = parser.parse_args()
    target = registry.find(options.system)
    calm_collector()
    print(
        "| components | nodes | operation, us a step | checking, us a step | checking / operation |"
    )
    print("|---|---|---|---|---|")
    for nodes in options.nodes:
        rows = {name: measure(target, shape(name, nodes), nodes, options.steps) for name in SHAPES}
        seen, own, checking = map(mean, zip(*rows.values(), strict=True))
        rows["all of these together"] = seen, own, checking
        for name, (seen, own, checking) in rows.items():
            print(
                f"| {name} | {seen:.0f} | {own:.0f} | {checking:.0f} | {checking / own:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
