"""The model printed: the tree that reports show of a system in the same state (semantics 1.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.impl.registry import find
from radixproof.properties.drivers.soak import one
from radixproof.properties.reporting.tree_text import draw
from radixproof.properties.running.run import Run

Start = Callable[..., Any]


def test_an_empty_tree_says_so(start: Start) -> None:
    assert repr(start().cache) == "(empty)"


def test_a_tree_is_printed_node_by_node(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.demote("1 2 3")
    cache.put("1 2 3 4", evicted=3, state=True)
    cache.put("a: 9")
    cache.lock_page("r1", "1 2 3 4")
    cache.lock_host("r2", "1 2 3 4")
    assert repr(cache.cache).splitlines() == [
        "[1]  FULL device+host (locked x2)  SWA host  MAMBA tombstone",
        "   [2 3]  FULL device+host (locked x2)  SWA host (locked x2, host-locked x1)  MAMBA host",
        "      [4]  FULL device+host (locked x2, host-locked x1)  "
        "SWA device+host (locked x2, host-locked x1)  "
        "MAMBA device+host (locked x2, host-locked x1)  backup in flight",
        "a:[9]  FULL device+host (locked x1)  SWA device+host (locked x1)  "
        "MAMBA tombstone (locked x1)  backup in flight",
    ]


def test_pairs_are_printed_as_such(start: Start) -> None:
    cache = start(bigram=True, threshold=9)
    cache.put("1 2 3")
    assert repr(cache.cache) == "[1-2 2-3]  FULL device"


@pytest.mark.parametrize("number", range(12))
def test_the_model_is_printed_as_reports_draw_the_system(number: int) -> None:
    """After every operation of a random history."""
    pytest.importorskip("torch")
    history = one(find("radix"), 3, number, lambda _: False).history
    run = Run(find("radix"), history.config, every=1)
    try:
        for operation in history.operations:
            assert run.step(operation) == []
            nodes = run.system.observe(True).nodes
            drawn = draw(history.config, nodes, nodes, "+")
            assert repr(run.judge.model).splitlines() == [line[2:] for line in drawn]
    finally:
        run.close()
