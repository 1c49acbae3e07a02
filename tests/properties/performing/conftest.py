"""What the tests of requests have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from radixproof.impl.operations import Evict, Finish
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool

from ..deeds import LOADED, SETTLE, WHOLE
from .watching import Watched


@pytest.fixture
def watched(radix: Target) -> Iterator[Callable[[Config], Watched]]:
    """Runs with everything inspected after every part; in the end what is left of requests is
    finished, and nothing remains.
    """
    runs: list[Watched] = []

    def make(config: Config, target: Target = radix) -> Watched:
        runs.append(Watched(target, config, WHOLE))
        return runs[-1]

    yield make
    for run in runs:
        for name in list(run.ledger.requests):
            run.parts(Finish(name))
        assert run.judge.model.trie.rows == [0] * len(Pool)
        assert not any(run.ledger.rows)
        assert run.ledger.peers == {}
        assert run.ledger.shared == {}
        assert run.ledger.idle
        for last in (SETTLE, LOADED, Evict(99, 99, 99)):
            run.parts(last)
        assert run.finish() == []
        assert run.seen is not None
        assert run.seen.free is not None
        assert all(
            run.seen.free[pool] == run.config.slots(pool) for pool in Pool if not pool.on_host
        )
        run.close()
