"""The end of a history: nothing is left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Evict,
    EvictHost,
    Finish,
    Insert,
    Lock,
    Operation,
    Unlock,
)
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.properties.generating.endings import Drain, closing
from radixproof.properties.running.run import Run

from ..deeds import (
    AB,
    HOSTLESS,
    LOADED,
    PLAIN,
    SETTLE,
    STATEFUL,
    WHOLE,
    WINDOWED,
    B,
    words,
)


@pytest.fixture
def busy(radix: Target) -> Callable[[Config], Run]:
    """A cache in the middle of things: requests, receipts, copies in flight."""

    def make(shape: Config) -> Run:
        run = Run(radix, shape, WHOLE)
        states = shape.mamba_states > 0
        before: list[Operation] = [
            Insert(AB, state=states),
            Insert(B, state=states),
            Arrive("q1", AB),
            Arrive("q2", B),
            Lock("r1", B),
        ]
        assert [run.step(operation) for operation in before] == [[]] * len(before)
        return run

    return make


@pytest.mark.parametrize("drain", Drain)
@pytest.mark.parametrize(
    "shape", [PLAIN, WINDOWED, STATEFUL, HOSTLESS, Config(write_back=True)], ids=words
)
def test_a_history_ends_with_nothing_left(
    busy: Callable[[Config], Run], shape: Config, drain: Drain
) -> None:
    run = busy(shape)
    assert (list(run.ledger.requests), list(run.ledger.receipts)) == (["q1", "q2"], ["r1"])
    last = [operation for operation in closing(run.judge, drain) if run.step(operation) == []]
    assert {Finish("q1"), Abort("q2"), Unlock("r1")} <= set(last)
    assert (SETTLE in last) == (shape.hosted and not shape.write_back)
    assert LOADED not in last
    assert isinstance(last[-1], EvictHost if shape.hosted else Evict)
    assert run.finish() == []
    assert run.judge.abstraction.nodes == {}
    assert not run.judge.model.receipts
    run.close()


def test_a_drain_by_pages_shows_the_whole_order_of_eviction(busy: Callable[[Config], Run]) -> None:
    run = busy(WINDOWED)
    last = [
        operation for operation in closing(run.judge, Drain.BY_PAGES) if run.step(operation) == []
    ]
    assert last.count(Evict(1)) == 2
    assert last.count(EvictHost(1)) == 2
    run.close()
