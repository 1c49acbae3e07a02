"""Every part of a history is a history: what shrinking and mutation rely on."""

from __future__ import annotations

from random import Random

import pytest

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.properties.histories.corpus import FOLDER, read
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.run import run_history


@pytest.fixture(scope="module")
def stored() -> list[History]:
    """The histories of the corpus: each ends with a bug, of another system."""
    return [entry.history for entry in read(FOLDER)]


def part(history: History, rng: Random) -> History:
    """Some of the operations, in their order; now and then those of another part once more."""
    share = rng.random()
    kept = [operation for operation in history.operations if rng.random() < share]
    if rng.random() < 0.3:
        kept += [operation for operation in history.operations if rng.random() < share]
    return History(history.config, tuple(kept))


@pytest.mark.torture(all=10_000, share=100)
def test_parts_of_histories_run_and_our_own_cache_is_clean(
    radix: Target, stored: list[History], cases: range
) -> None:
    mine = [history for history in stored if fits(history, radix.scope)]
    assert len(mine) > len(stored) / 2
    for number in cases:
        rng = Random(number)
        assert run_history(radix, part(rng.choice(mine), rng)) is None, f"part number {number}"
