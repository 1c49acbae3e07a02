"""Values print as source that evaluates back to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis.vendor.pretty import pretty

from radixproof.impl import operations
from radixproof.impl.operations import Evict, EvictHost, History, Insert, Refuse, Reset
from radixproof.model import config, key
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key

NAMES = {**vars(config), **vars(key), **vars(operations)}

SAID = {
    "Key((1, 2))": Key((1, 2)),
    "Key((), namespace='a')": Key((), "a"),
    "Insert(Key((1, 2)), evicted=1)": Insert(Key((1, 2)), 1),
    "Insert(Key((3,)), reuse=True, priority=2)": Insert(Key((3,)), reuse=True, priority=2),
    "Evict(swa=2)": Evict(0, 2),
    "EvictHost(tokens=1, component=Component.SWA)": EvictHost(1, Component.SWA),
    "Refuse(pool=Pool.MAMBA)": Refuse(Pool.MAMBA),
    "Reset()": Reset(),
    "Config(page_size=2, eviction_policy=EvictionPolicy.SLRU)": Config(
        page_size=2, eviction_policy=EvictionPolicy.SLRU
    ),
    "History(Config(), (Reset(),))": History(Config(), (Reset(),)),
}


@pytest.mark.parametrize("said", SAID)
def test_only_what_says_something_is_printed(said: str) -> None:
    value: Any = SAID[said]
    assert repr(value) == pretty(value) == said
    assert eval(said, dict(NAMES)) == value
