"""Host insert: KV that was fetched from a store and is offered to the host (semantics 10.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import POOLS, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


def test_what_the_tree_does_not_have_becomes_a_node_on_the_host_only(start: Start) -> None:
    cache = start()
    assert cache.fetch("1 2") == 2
    assert cache.tree() == {"1": "f", "1 2": "f|"}
    page = cache.page("1 2")
    assert (page.hits, page.priority, page.created) == (0, 0, 1)
    assert cache.match("1 2") == (0, 2)


def test_fetched_nodes_are_numbered_with_the_inserts(start: Start) -> None:
    cache = start()
    cache.put("9")
    cache.fetch("1")
    cache.put("8")
    assert [cache.page(text).created for text in ("9", "1", "8")] == [1, 2, 3]


def test_a_prompt_leaves_the_tree_where_it_differs(start: Start) -> None:
    cache = start()
    cache.demote("1 2 3")
    assert cache.fetch("1 2 9") == 1
    assert cache.tree() == {"1": "f", "1 2": "f|", "1 2 3": "f|", "1 2 9": "f|"}


def test_what_has_a_host_copy_keeps_it(start: Start) -> None:
    cache = start()
    cache.put("1 2")
    assert cache.fetch("1 2") == 0
    assert cache.fetch("1 2 3") == 1
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|", "1 2 3": "f|"}


@pytest.mark.parametrize("text", ["", "1"])
def test_less_than_a_page_is_not_kept(start: Start, text: str) -> None:
    cache = start(page_size=2)
    assert cache.fetch(text) == 0
    assert cache.tree() == {}


def test_whole_pages_are_kept(start: Start) -> None:
    cache = start(page_size=2)
    assert cache.fetch("1 2 3 4 5") == 4
    assert cache.tree() == {"1 2": "f", "1 2 3 4": "f|"}


def test_bigrams_are_kept_in_units(start: Start) -> None:
    cache = start(bigram=True)
    assert cache.fetch("1 2 3") == 2
    assert cache.tree() == {"1 2": "f", "1 2 3": "f|"}


# -- under nodes without a host copy ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "kept", "drawn"),
    [
        (0, 3, {"1": "Ff", "1 2": "Ff|", "1 2 3": "f|"}),
        (2, 0, {"1": "F", "1 2": "F|"}),
    ],
)
def test_nodes_beyond_the_start_are_refilled_from_the_top(
    start: Start, begin: int, kept: int, drawn: dict[str, str]
) -> None:
    """What is above the start was not fetched; nothing on the host hangs below a node without a
    host copy."""
    cache = start(threshold=NEVER)
    cache.put("1 2")
    assert cache.fetch("1 2 3", begin) == kept
    assert cache.tree() == drawn


def test_a_node_is_refilled_below_one_that_has_its_host_copy(start: Start) -> None:
    cache = start(threshold=2)
    cache.put("1")
    cache.put("1 2 3")
    assert cache.tree() == {"1": "Ff|", "1 2": "F", "1 2 3": "F|"}
    assert cache.fetch("1 2 3", 1) == 2
    assert cache.tree() == {"1": "Ff|", "1 2": "Ff", "1 2 3": "Ff|"}


def test_a_refill_below_the_start_waits(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1")
    cache.put("1 2")
    assert cache.fetch("1 2 3", 1) == 0
    assert cache.tree() == {"1": "F|", "1 2": "F|"}


def test_older_releases_refill_nothing(start: Start) -> None:
    cache = start(threshold=NEVER, dialect=Dialect(host_insert_refills=False))
    cache.put("1 2")
    assert cache.fetch("1 2 3") == 0
    assert cache.tree() == {"1": "F", "1 2": "F|"}


def test_under_write_back_nothing_is_refilled_and_anything_may_hang_below(start: Start) -> None:
    cache = start(write_back=True)
    cache.put("1 2")
    assert cache.fetch("1 2 3") == 1
    assert cache.tree() == {"1": "F", "1 2": "F|", "1 2 3": "f|"}


def test_what_was_refilled_is_demoted_and_no_longer_deleted(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1 2")
    cache.fetch("1 2")
    assert cache.evict(2) == (2, 0, 0)
    assert cache.tree() == {"1": "f", "1 2": "f|"}


# -- windows and states ----------------------------------------------------------------------------


def test_the_last_window_and_the_state_of_the_end_come_along(start: Start) -> None:
    cache = start(window=2, mamba=True)
    assert cache.fetch("1 2 3") == 3
    assert cache.tree() == {"1": "f|", "1 2": "fs", "1 2 3": "fsm|"}
    assert cache.match("1 2 3") == (0, 3)


@pytest.mark.parametrize(
    ("window", "text", "drawn"),
    [
        (3, "1 2", {"1 2": "fs|"}),
        (3, "1 2 3 4", {"1 2": "fs", "1 2 3 4": "fs|"}),
        (2, "1 2 3 4", {"1 2": "f|", "1 2 3 4": "fs|"}),
    ],
    ids=["shorter than the window", "the window in whole pages", "longer than that"],
)
def test_a_window_has_whole_pages(
    start: Start, window: int, text: str, drawn: dict[str, str]
) -> None:
    cache = start(page_size=2, window=window)
    assert cache.fetch(text) == 2 * len(drawn)
    assert cache.tree() == drawn


def test_a_window_without_its_beginning_is_not_fetched(start: Start) -> None:
    cache = start(window=2)
    cache.demote("1")
    assert cache.fetch("1 2", 1) == 1
    assert cache.tree() == {"1": "fs|", "1 2": "f|"}


def test_nodes_take_of_a_window_what_they_lack_on_the_host(start: Start) -> None:
    cache = start(window=3, mamba=True, threshold=NEVER)
    cache.put("1 2", evicted=1, state=True)
    cache.put("1 2 3 4", evicted=2, state=True)
    assert cache.fetch("1 2 3 4") == 4
    assert cache.tree() == {"1": "Ff|", "1 2": "FSMfs|", "1 2 3": "FSfs", "1 2 3 4": "FSMfsm|"}


def test_a_node_that_has_its_window_on_the_host_is_not_split(start: Start) -> None:
    cache = start(window=3)
    cache.fetch("1 2 3")
    assert cache.fetch("1 2 3 4") == 1
    assert cache.tree() == {"1": "fs", "1 2": "fs", "1 2 3": "fs|", "1 2 3 4": "fs|"}


def test_where_the_rest_is_dropped_so_are_its_window_and_its_state(start: Start) -> None:
    cache = start(window=1, mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    assert cache.fetch("1 2", 1) == 0
    assert cache.tree() == {"1": "FSM|"}


def test_under_write_back_a_window_comes_to_nodes_without_a_copy_of_full(start: Start) -> None:
    cache = start(window=2, write_back=True)
    cache.put("1")
    assert cache.fetch("1 2") == 1
    assert cache.tree() == {"1": "FSs|", "1 2": "fs|"}


def test_under_write_back_an_end_without_a_copy_of_full_takes_nothing(start: Start) -> None:
    cache = start(window=2, mamba=True, write_back=True)
    cache.put("1 2", state=True)
    assert cache.fetch("1 2") == 0
    assert cache.tree() == {"1": "FS", "1 2": "FSM|"}


# -- priorities ------------------------------------------------------------------------------------


def test_what_is_fetched_is_as_urgent_as_what_it_hangs_from(start: Start) -> None:
    cache = start(eviction_policy=EvictionPolicy.PRIORITY)
    cache.put("1", priority=2)
    cache.put("7", priority=1)
    cache.fetch("1 2", 1)
    cache.fetch("9 9")
    priorities = {text: cache.page(text).priority for text in ("1", "1 2", "9", "9 9")}
    assert priorities == {"1": 2, "1 2": 2, "9": 0, "9 9": 0}
    assert cache.page("9").urgency == 2, "where the root is as urgent as its most urgent insert"


# -- what it is not --------------------------------------------------------------------------------


def test_a_host_insert_is_a_use_of_the_whole_path(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.put("1 2", state=True)
    cache.put("9", state=True)
    cache.fetch("1 2 3", 2)
    assert cache.order() == ["9", "1", "1 2", "1 2 3"]
    assert cache.order(Pool.FULL) == ["9", "1", "1 2"]
    assert cache.order(Pool.SWA) == ["1", "1 2", "9"], "what is fetched renews no window"
    assert cache.order(Pool.MAMBA) == ["1 2", "9"]


def test_what_is_above_the_start_is_not_used_again(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1")
    cache.put("1 2 3")
    cache.put("9")
    assert cache.fetch("1 2 3 4", 3) == 0
    assert cache.order() == ["1", "9", "1 2", "1 2 3"]


def test_a_use_counts_where_nothing_was_kept_as_well(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1")
    cache.put("9")
    assert cache.fetch("1 2", 1) == 0
    assert cache.order() == ["9", "1"]


def test_a_host_insert_is_no_hit_and_starts_no_backup(start: Start) -> None:
    cache = start(mamba=True, threshold=2)
    cache.put("1", state=True)
    for _ in range(3):
        cache.fetch("1 2")
    assert [cache.page(text).hits for text in ("1", "1 2")] == [1, 0]
    assert cache.flying() == []
    assert not any(cache.holders(pool) for pool in POOLS)


def test_what_was_fetched_can_be_loaded_back(start: Start) -> None:
    cache = start()
    cache.fetch("1 2")
    assert cache.load("1 2")
    assert cache.match("1 2") == (2, 2)


def test_what_was_fetched_comes_back_with_an_insert_and_is_hit_then(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.fetch("1 2")
    assert cache.put("1 2", priority=2).existing == 2
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|"}
    page = cache.page("1 2")
    assert (page.hits, page.priority, page.created) == (1, 2, 1)
