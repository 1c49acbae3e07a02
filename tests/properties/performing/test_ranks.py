"""RANK: replicas of one cache that run the same history, and what is seen when one of them is not
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    HostInsert,
    Insert,
    LoadBack,
    LoadingCheck,
    Match,
    Operation,
    RunCopies,
    WritingCheck,
)
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.system import Complete, Target
from radixproof.model.config import Config, Pool
from radixproof.model.verdict import Breach
from radixproof.properties.accepting.methods import complete
from radixproof.properties.generating.configs import config
from radixproof.properties.generating.endings import closing
from radixproof.properties.generating.operations import Generator
from radixproof.properties.performing.ranks import Ranks
from radixproof.properties.running.run import Run

from ..deeds import (
    AB,
    DELTAS,
    FULL,
    LOADED,
    SETTLE,
    WHOLE,
    A,
    B,
    Deed,
    change_lock,
    during,
    in_vain,
    instead,
    lie,
    lose_page,
    move_device,
    off_by_one,
    one_more,
    scribble,
    with_state,
    words,
)

TWO = Config(window=2, swa_pages=8, swa_host_pages=16, ranks=2)
STATES = Config(mamba_states=6, mamba_host_states=6, ranks=2)
DEMOTED = [Insert(A), SETTLE, Evict(1)]

BreachesOf = Callable[[Target, Config, Sequence[Operation], int], list[Breach]]


def other(**changes: Any) -> Callable[..., Any]:
    """An answer of several fields, some of them changed."""
    return lambda original, *arguments: original(*arguments)._replace(**changes)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("every", [DELTAS, WHOLE])
@pytest.mark.parametrize(
    ("config", "operations", "deed", "after"),
    [
        (TWO, [Insert(AB), Match(AB)], instead("match", other(device=1)), 0),
        (TWO, [Insert(AB), Match(AB)], instead("match", other(best=1)), 0),
        (TWO, [Insert(AB), Match(AB)], instead("match", other(slots=[2, 1])), 0),
        (TWO, [Insert(AB), Match(AB)], instead("match", other(host=(0, 0, 1))), 0),
        (TWO, [Insert(A)], in_vain("allocate", None), 0),
        (STATES, [with_state(A)], in_vain("allocate_state", None), 0),
        (TWO, [HostInsert(A)], in_vain("allocate_host", None), 0),
        (TWO, [HostInsert(A)], off_by_one("insert_host"), 0),
        (TWO, [Insert(A)], instead("insert", other(reused=1)), 0),
        (STATES, [with_state(A)], instead("insert", other(taken=False)), 0),
        (
            TWO,
            [*DEMOTED],
            instead("evict", lambda original, *asked: one_more(0)(original(*asked))),
            0,
        ),
        (TWO, [*DEMOTED, EvictHost(1)], off_by_one("evict_host"), 0),
        (TWO, [*DEMOTED, LoadBack(A)], in_vain("load_back", 0), 0),
        (TWO, [Insert(A), SETTLE], off_by_one("writing_check"), 0),
        (TWO, [*DEMOTED, LoadBack(A), LOADED], off_by_one("loading_check"), 0),
        (TWO, [Insert(A), SETTLE], lie(evictable=one_more(FULL)), 2),
        (TWO, [Insert(A), SETTLE], lose_page(Pool.FULL), 2),
        (TWO, [Insert(A), SETTLE], move_device(FULL, 1), 2),
        (TWO, [Insert(A), SETTLE], change_lock(FULL, +1, 1), 2),
        (TWO, [Insert(A), SETTLE], lie(events=lambda events: ()), 1),
    ],
    ids=words,
)
def test_rank_that_differs_in_an_outcome_or_in_the_tree(
    tampered: Callable[..., Target],
    breaches_of: BreachesOf,
    rank: int,
    every: int,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    """Whichever of them is wrong, they are not the same any more."""
    breaches = breaches_of(tampered(deed, after, [rank]), config, operations, every)
    assert [breach.signature for breach in breaches] == ["RANK/diverged"]


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("pool", [Pool.FULL, Pool.SWA, Pool.FULL_HOST, Pool.SWA_HOST], ids=words)
def test_rank_that_differs_in_its_bytes(
    tampered: Callable[..., Target], breaches_of: BreachesOf, rank: int, pool: Pool
) -> None:
    """The model knows what each of them must hold."""
    breaches = breaches_of(
        tampered(scribble(pool, 1), 3, [rank]), TWO, [Insert(A), SETTLE, Match(B)], WHOLE
    )
    assert [breach.signature for breach in breaches] == [f"CONTENT/{pool.name.lower()}"]


def acknowledge_what_has_run(system: RadixSystem) -> None:
    """A rank acknowledges what it has copied itself, whatever was agreed on."""
    cache = system.cache
    system.writing_check = lambda blocking, limit=None: cache.writing_check(blocking)  # type: ignore[method-assign]
    system.loading_check = lambda blocking, limit=None: cache.loading_check(blocking)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("before", "run", "check"),
    [
        ([Insert(A)], RunCopies(), WritingCheck()),
        ([*DEMOTED, LoadBack(A)], RunCopies(load=True), LoadingCheck()),
    ],
    ids=words,
)
@pytest.mark.parametrize("fast", [0, 1])
def test_rank_that_does_not_wait_for_the_slowest(
    tampered: Callable[..., Target],
    breaches_of: BreachesOf,
    before: list[Operation],
    run: RunCopies,
    check: Operation,
    fast: int,
) -> None:
    operations = [*before, replace(run, rank=fast), check]
    breaches = breaches_of(tampered(acknowledge_what_has_run, 0, [0, 1]), TWO, operations, DELTAS)
    assert [breach.signature for breach in breaches] == ["RANK/diverged"]


def test_rank_that_raises_is_a_crash(
    tampered: Callable[..., Target], breaches_of: BreachesOf
) -> None:
    breaches = breaches_of(
        tampered(during("match", lambda system: 1 // 0, None), 0, [1]), TWO, [Match(A)], WHOLE
    )
    assert [breach.signature[:26] for breach in breaches] == ["NOCRASH/ZeroDivisionError@"]


# -- the replicas themselves -------------------------------------------------------------------


@pytest.fixture
def pair(radix: Target) -> Ranks:
    """Two replicas of one cache."""
    return Ranks([complete(radix.build(TWO), radix.scope) for _ in range(TWO.ranks)])


def test_replicas_acknowledge_what_the_slowest_has_copied(pair: Ranks) -> None:
    slots = pair.allocate(2)
    assert slots is not None
    pair.insert(AB, slots, 0, 0)
    assert pair.systems[0].run_copies(1) == 1
    assert pair.copied(load=False) == 0
    assert pair.writing_check(False) == 0
    assert pair.systems[1].run_copies(1) == 1
    assert pair.copied(load=False) == 1
    assert pair.writing_check(False) == 1
    pair.close()


def test_copies_run_on_one_rank_at_a_time(radix: Target) -> None:
    """And are complete, and acknowledged, when they have run on all."""
    run = Run(radix, TWO, every=1)
    for operation in (Insert(A), Insert(B), RunCopies(2, rank=1), WritingCheck()):
        assert run.step(operation) == []
    assert [copy.ran for copy in run.judge.model.copies.flying] == [[False, True]] * 2
    assert (
        run.step(RunCopies(rank=0))
        == run.step(RunCopies(rank=0, fail=True))
        == run.step(WritingCheck())
        == []
    )
    assert [copy.ran for copy in run.judge.model.copies.flying] == [[False, True]]
    assert run.step(WritingCheck(blocking=True)) == []
    assert run.judge.model.copies.flying == []
    run.close()


@pytest.mark.parametrize("seed", range(3))
def test_three_ranks_are_the_same_whatever_completes_when(radix: Target, seed: int) -> None:
    rng = Random(f"ranks {seed}")
    shape = replace(config(rng), ranks=3)
    run = Run(radix, shape, every=4)
    for operation in Generator(run.judge, rng).operations(40):
        assert run.step(operation) == []
    for operation in closing(run.judge):
        assert run.step(operation) == []
    run.close()


def test_ranks_have_every_method_of_a_system() -> None:
    methods = {name for kind in Complete.__mro__ for name in vars(kind) if not name.startswith("_")}
    assert {name for name in methods if not callable(getattr(Ranks, name, None))} == set()
