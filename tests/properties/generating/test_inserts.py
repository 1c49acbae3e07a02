"""The room that an engine asks for before it inserts."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import (
    Evict,
    Insert,
    Operation,
)
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.properties.generating.inserts import missing_room
from radixproof.properties.running.run import Run

from ..deeds import (
    AB,
    WHOLE,
    A,
    B,
    with_state,
    words,
)


@pytest.mark.parametrize(
    ("shape", "before", "reuse", "state", "wanted"),
    [
        (Config(device_pages=2), [], False, False, None),
        (Config(device_pages=2), [Insert(B)], False, False, Evict(1)),
        (Config(device_pages=2), [Insert(A)], False, False, Evict(1)),
        (Config(device_pages=2), [Insert(A)], True, False, None),
        (Config(window=1, swa_pages=2, swa_host_pages=2), [Insert(B)], False, False, Evict(swa=1)),
        (Config(mamba_states=1, mamba_host_states=1), [with_state(B)], False, True, Evict(mamba=1)),
        (Config(mamba_states=1, mamba_host_states=1), [with_state(B)], False, False, None),
    ],
    ids=words,
)
def test_an_engine_asks_for_the_room_that_is_missing(
    radix: Target,
    shape: Config,
    before: list[Operation],
    reuse: bool,
    state: bool,
    wanted: Evict | None,
) -> None:
    run = Run(radix, shape, WHOLE)
    for operation in before:
        assert run.step(operation) == []
    assert missing_room(AB, run.judge.model, reuse, state) == wanted
    run.close()
