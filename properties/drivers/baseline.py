"""The baseline: uniformly random operations, judged by a static sanity check. It is a fuzzer that
knows nothing of the cache.

Every kind of operation is as likely as any other, every prompt is made afresh from few tokens,
every amount is anything up to all there is, and no room is made for an insert (requests make their
own, as in every history). There is no model: only crashes count, and what a single observation
shows to be wrong. Configurations are those of the other drivers, but with one rank only (comparing
replicas is more than a static check), and the check looks at everything after every step. That is
generous: the comparison measures what shaping and the model are worth, not luck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from radixproof.impl.observation import Observation
from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.impl.premises import unavailable
from radixproof.impl.scope import Scope
from radixproof.impl.system import Target
from radixproof.model.config import HOST, Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach
from radixproof.properties.drivers.sanity import sanity
from radixproof.properties.drivers.soak import HISTORY_STEPS
from radixproof.properties.generating.configs import EVERYTHING, config
from radixproof.properties.generating.wide import NARROW
from radixproof.properties.judging.applicable import applicable
from radixproof.properties.judging.step_checks import crashed
from radixproof.properties.performing.crash import crash, is_of_the_system
from radixproof.properties.performing.outcomes import Crashed
from radixproof.properties.performing.performer import Performer
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.run import Verdict

RECEIPTS = ("r1", "r2", "r3", "r4")
REQUESTS = ("q1", "q2", "q3", "q4")
PREFETCHES = ("f1", "f2")
"""Names are as random as everything else: what begins under a name in use, or continues under an
unused one, is skipped.
"""


class UniformOperations:
    """Random operations, each a function of the configuration and of chance alone."""

    def __init__(self, shape: Config, rng: Random, scope: Scope = EVERYTHING) -> None:
        self.shape = shape
        self.rng = rng
        self.scope = scope
        self.kinds = [kind for kind in scope.operations if unavailable(kind, shape, scope) is None]

    def operation(self) -> Operation:
        return _MAKE[self.rng.choice(self.kinds)](self)

    def key(self) -> Key:
        length = self.rng.randint(1, NARROW.pages * self.shape.page_size)
        return Key(tuple(self.rng.randint(1, 2) for _ in range(length)), self.rng.choice(("", "a")))

    def insert(self) -> Insert:
        key, rng, evicted = self.key(), self.rng, 0
        if self.shape.window is not None:
            evicted = self.shape.floor(rng.randint(0, len(key.tokens) - self.shape.bigram))
        state = self.shape.mamba_states > 0 and (self.flag() or not self.scope.stateless_inserts)
        return Insert(key, evicted, self.flag(), state, rng.randint(0, 2))

    def flag(self) -> bool:
        return self.rng.random() < 0.5

    def receipt(self) -> str:
        return self.rng.choice(RECEIPTS)

    def request(self) -> str:
        return self.rng.choice(REQUESTS)

    def prefetch(self) -> str:
        return self.rng.choice(PREFETCHES)

    def amount(self, pool: Pool) -> int:
        return self.rng.randint(0, self.shape.slots(pool))

    def quota(self) -> int | None:
        return self.rng.randint(1, self.shape.slots(Pool.FULL)) if self.flag() else None

    def evict_host(self) -> EvictHost:
        component = self.rng.choice(self.shape.components)
        return EvictHost(self.amount(HOST[component]), component)

    def tokens(self) -> int:
        return self.rng.randint(1, NARROW.pages * self.shape.page_size)

    def decoded(self) -> tuple[int, ...]:
        return tuple(
            self.rng.randint(1, 2) for _ in range(self.rng.randint(1, 2 * self.shape.page_size))
        )


_MAKE: dict[type[Operation], Callable[[UniformOperations], Operation]] = {
    Match: lambda one: Match(one.key()),
    Insert: UniformOperations.insert,
    Lock: lambda one: Lock(one.receipt(), one.key()),
    HostLock: lambda one: HostLock(one.receipt(), one.key()),
    Unlock: lambda one: Unlock(one.receipt()),
    ReleaseWindow: lambda one: ReleaseWindow(one.receipt()),
    Evict: lambda one: Evict(one.amount(Pool.FULL), one.amount(Pool.SWA), one.amount(Pool.MAMBA)),
    EvictHost: UniformOperations.evict_host,
    LoadBack: lambda one: LoadBack(one.key(), one.quota()),
    HostInsert: lambda one: HostInsert(one.key()),
    Prefetch: lambda one: Prefetch(one.prefetch(), one.key()),
    EndPrefetch: lambda one: EndPrefetch(one.prefetch(), one.tokens() if one.flag() else None),
    RunCopies: lambda one: RunCopies(one.rng.randint(1, 3), one.flag(), one.flag()),
    RunForward: lambda one: RunForward(),
    WritingCheck: lambda one: WritingCheck(one.flag()),
    LoadingCheck: lambda one: LoadingCheck(one.flag()),
    Refuse: lambda one: Refuse(one.rng.choice(one.shape.pools)),
    Arrive: lambda one: Arrive(one.request(), one.key(), one.quota()),
    Prefill: lambda one: Prefill(one.request(), one.tokens()),
    Decode: lambda one: Decode(one.request(), one.decoded()),
    Finish: lambda one: Finish(one.request()),
    Abort: lambda one: Abort(one.request()),
    Reset: lambda one: Reset(),
}


class Unmodelled:
    """One system under one history: performer, ledger, and a sanity check after every operation."""

    def __init__(self, target: Target, shape: Config) -> None:
        self.performer = Performer(target, shape)
        self.judged = applicable(target.sight, shape)
        self.seen: Observation | None = None

    def step(self, operation: Operation) -> list[Breach]:
        for part in self.performer.perform(operation):
            if isinstance(part.outcome, Crashed):
                return [crashed(part, part.outcome)]
        try:
            self.seen = self.performer.system.observe(True)
        except BaseException as error:  # raised where the system was looked at
            if not is_of_the_system(error):
                raise
            return [crashed(part, crash(error))]
        performer = self.performer
        return sanity(self.seen, performer.config, performer.ledger.rows, self.judged)

    def close(self) -> None:
        self.performer.close()


def one(target: Target, seed: int, number: int) -> JudgedHistory:
    """History ``number`` of ``seed``, up to the first thing that is wrong."""
    rng = Random(f"radixproof baseline {seed} {number}")
    shape = replace(config(rng, target.scope), ranks=1)
    run, uniform, done = (
        Unmodelled(target, shape),
        UniformOperations(shape, rng, target.scope),
        list[Operation](),
    )
    try:
        for _ in range(HISTORY_STEPS):
            done.append(uniform.operation())
            breaches = run.step(done[-1])
            if breaches:
                return JudgedHistory(History(shape, tuple(done)), breaches[0])
        return JudgedHistory(History(shape, tuple(done)), None)
    finally:
        run.close()


def baseline(target: Target, seed: int) -> Iterator[JudgedHistory]:
    """Endless histories of ``seed``."""
    number = 0
    while True:
        yield one(target, seed, number)
        number += 1


def replay(target: Target, history: History) -> Verdict | None:
    """Where a history first goes wrong, as far as the sanity check can tell."""
    run = Unmodelled(target, history.config)
    try:
        for at, operation in enumerate(history.operations):
            breaches = run.step(operation)
            if breaches:
                return Verdict(breaches[0], at)
        return None
    finally:
        run.close()
