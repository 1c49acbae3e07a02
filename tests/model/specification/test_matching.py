"""Match: where it may end, what it cuts, and what it makes the most recently used (semantics 2, 3,
5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import POOLS, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.model.specification.loading import host_hits

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


@pytest.mark.parametrize(
    ("text", "length"),
    [("1 2 3", 3), ("1 2 3 4", 3), ("1 2", 2), ("1 2 9", 2), ("9", 0), ("", 0), ("a: 1 2 3", 0)],
)
def test_a_match_is_the_longest_prefix(start: Start, text: str, length: int) -> None:
    cache = start()
    cache.put("1 2 3")
    assert cache.match(text) == (length, length)


@pytest.mark.parametrize(
    ("text", "length"), [("1 2 3 4", 4), ("1 2 3", 2), ("1", 0), ("1 2 3 4 5", 4), ("1 2 3 9", 2)]
)
def test_a_match_is_whole_pages(start: Start, text: str, length: int) -> None:
    cache = start(page_size=2)
    cache.put("1 2 3 4 5")
    assert cache.tree() == {"1 2": "Ff", "1 2 3 4": "Ff|"}
    assert cache.match(text) == (length, length)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1 2 3 4 5", 4),
        ("1 2 3 4", 2),
        ("1 2 3", 2),
        ("1 2", 0),
        ("1 2 3 4 9", 2),
        ("1 2 3 9", 2),
        ("1", 0),
    ],
)
def test_a_bigram_key_is_one_unit_shorter_than_its_tokens(
    start: Start, text: str, length: int
) -> None:
    """Units are pairs of neighbouring tokens, and pages are whole pages of units (semantics
    2.2)."""
    cache = start(page_size=2, bigram=True)
    cache.put("1 2 3 4 5")
    assert cache.tree() == {"1 2 3": "Ff", "1 2 3 4 5": "Ff|"}
    assert cache.trie.free(Pool.FULL) == 2 * 12 - 4
    assert cache.match(text) == (length, length)


def test_a_single_token_is_no_bigram(start: Start) -> None:
    cache = start(bigram=True)
    assert cache.put("1").path == []
    assert cache.match("1") == (0, 0)
    assert cache.tree() == {}


def test_a_match_cuts_where_it_ends_and_changes_no_page(start: Start) -> None:
    def held() -> list[Any]:
        """All that a page is, but for cuts and recency."""
        return [
            (page.key(), tuple(page.resident_in), tuple(page.holders), page.hits, page.created)
            for page in cache.all_pages()
        ]

    cache = start(window=2, mamba=True)
    cache.put("1 2 3 4", state=True)
    cache.lock("r1", "1 2 3 4")
    cache.lock_host("r2", "1 2 3 4")
    before, used = held(), list(cache.trie.used)
    cache.trie.changed.clear()
    cache.match("1 2 3 9")
    assert held() == before
    assert cache.trie.used == used
    assert not cache.trie.changed
    assert [prefix for prefix, drawn in cache.tree().items() if drawn.endswith("|")] == [
        "1 2",
        "1 2 3",
        "1 2 3 4",
    ]


def test_a_match_ends_on_device_and_on_either_tier(start: Start) -> None:
    cache = start()
    cache.put("1")
    cache.put("1 2 3")
    cache.settle()
    cache.evict(1)
    assert cache.tree() == {"1": "Ff|", "1 2": "f", "1 2 3": "f|"}
    assert cache.match("1 2 3") == (1, 3)
    assert cache.match("1 2") == (1, 2)


def test_a_match_stops_before_a_tombstone_and_goes_on_after_a_window(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    cache.put("1 2 3 4 5", evicted=2)
    found = [cache.cache.match(Key((1, 2, 3, 4, 5)[:length]))[0].end for length in range(1, 6)]
    assert found == [0, 0, 0, 4, 5]


def test_before_a_tombstone_any_length_will_do(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    cache.put("1")
    assert cache.match("1") == (1, 1)


def test_host_windows_count_for_the_best_prefix(start: Start) -> None:
    cache = start(window=2)
    cache.put("1")
    cache.put("1 2 3")
    cache.settle()
    cache.evict(swa=1)
    assert cache.tree() == {"1": "Ffs|", "1 2": "FSfs", "1 2 3": "FSfs|"}
    assert cache.match("1 2 3") == (3, 3)
    cache.match("1 2")
    assert cache.match("1 2") == (0, 2)


# -- with MAMBA ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"),
    [("1 2 3 4", 4), ("1 2 3", 2), ("1 2", 2), ("1", 0), ("9", 0), ("1 2 3 4 5", 4)],
)
def test_a_match_ends_where_there_is_a_state(start: Start, text: str, length: int) -> None:
    """A state is that of one place alone, so that a shorter match falls back to the state before it
    (semantics 3.2)."""
    cache = start(mamba=True, threshold=NEVER)
    cache.put("1 2", state=True)
    cache.put("1 2 3 4", state=True)
    cache.put("9")
    assert cache.tree() == {"1": "F", "1 2": "FM|", "1 2 3": "F", "1 2 3 4": "FM|", "9": "F|"}
    assert cache.match(text) == (length, length)


def test_a_state_on_the_host_counts_for_the_best_prefix(start: Start) -> None:
    cache = start(mamba=True)
    cache.put("1", state=True)
    cache.put("1 2", state=True)
    cache.put("1 2 3")
    cache.settle()
    cache.evict(mamba=2)
    assert cache.tree() == {"1": "Ffm|", "1 2": "Ffm|", "1 2 3": "Ff|"}
    assert cache.match("1 2 3") == (0, 2)


def test_all_gates_must_agree_at_one_place(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1 2 3", evicted=2, state=True)
    cache.put("1 2 3 4 5", evicted=2)
    assert cache.tree() == {
        "1": "F",
        "1 2": "F|",
        "1 2 3": "FSM|",
        "1 2 3 4": "FS",
        "1 2 3 4 5": "FS|",
    }
    assert cache.match("1 2 3 4 5") == (0, 0), (
        "where the state is there is no whole window, and where the window is no state"
    )
    cache.put("1 2 3 4 5", evicted=2, state=True)
    assert cache.match("1 2 3 4 5") == (5, 5)


# -- what a match would bring from the host --------------------------------------------------------


def test_what_of_a_match_is_on_the_host_only(start: Start) -> None:
    """FULL of the path; SWA of one window, in whole nodes; the state at the end (semantics 3.4)."""
    cache = start(window=3, mamba=True)
    cache.demote("1 2", "1 2 3 4", "1 2 3 4 5 6")
    _, best = cache.cache.match(Key((1, 2, 3, 4, 5, 6)))
    assert best.end == 6
    assert host_hits(best.path(), cache.config) == (6, 4, 1)
    assert cache.load("1 2 3 4 5 6")
    assert host_hits(best.path(), cache.config) == (0, 0, 0)


def test_tokens_on_the_host_are_counted_in_tokens_and_states_in_states(start: Start) -> None:
    cache = start(page_size=2, window=2, mamba=True)
    cache.demote("1 2 3 4")
    assert host_hits(cache.page("1 2 3 4").path(), cache.config) == (4, 2, 1)


# -- recency ---------------------------------------------------------------------------------------


def test_a_match_makes_its_path_the_most_recent(start: Start) -> None:
    cache = start()
    cache.put("1 2 3")
    cache.put("9")
    cache.match("1 2")
    assert cache.order() == cache.order(Pool.FULL) == ["1 2 3", "9", "1", "1 2"]


def test_a_match_renews_nothing_below_the_best_prefix(start: Start) -> None:
    cache = start(mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    cache.put("1 2")
    cache.put("9")
    assert cache.match("1 2") == (1, 1)
    assert cache.order() == ["1 2", "9", "1"]


@pytest.mark.parametrize(
    ("limited", "renewed"), [(True, ["2", "3", "4"]), (False, ["1", "2", "3", "4"])]
)
def test_swa_recency_is_renewed_within_a_window_and_a_page(
    start: Start, limited: bool, renewed: list[str]
) -> None:
    cache = start(window=2, threshold=NEVER, dialect=Dialect(swa_recency_in_window=limited))
    for text in ("1", "1 2", "1 2 3", "1 2 3 4", "9"):
        cache.put(text)
    cache.match("1 2 3 4")
    order = [text.rpartition(" ")[2] for text in cache.order(Pool.SWA)]
    assert order[order.index("9") + 1 :] == renewed


@pytest.mark.parametrize(
    ("at_end", "order"), [(True, ["1", "9", "1 2"]), (False, ["9", "1", "1 2"])]
)
def test_of_states_only_the_best_is_renewed(start: Start, at_end: bool, order: list[str]) -> None:
    cache = start(mamba=True, threshold=NEVER, dialect=Dialect(mamba_recency_at_end=at_end))
    for text in ("1", "1 2", "9"):
        cache.put(text, state=True)
    cache.match("1 2 3")
    assert cache.order(Pool.MAMBA) == order


# -- splits ----------------------------------------------------------------------------------------


def test_a_split_leaves_the_state_and_its_locks_to_the_lower_half(start: Start) -> None:
    """On both tiers: the state is that of the end of the node (semantics 5.3)."""
    cache = start(mamba=True)
    cache.put("1 2", state=True)
    cache.lock("r1", "1 2")
    cache.lock_host("r2", "1 2")
    cache.settle()
    cache.match("1")
    assert cache.tree() == {"1": "Ff|", "1 2": "FMfm|"}
    assert cache.holders(Pool.MAMBA) == {"1 2": {"r1"}}
    assert cache.holders(Pool.MAMBA_HOST) == {"1 2": {"r2"}}
    assert cache.holders(Pool.FULL) == {"1": {"r1"}, "1 2": {"r1"}}
    assert cache.holders(Pool.FULL_HOST) == {"1": {"r2"}, "1 2": {"r2"}}


def test_both_halves_of_a_split_have_the_hits_the_number_and_the_priority_of_the_whole(
    start: Start,
) -> None:
    cache = start(threshold=NEVER)
    cache.put("9")
    cache.put("1 2", priority=3)
    cache.put("1 2")
    cache.match("1")
    for text in ("1", "1 2"):
        page = cache.page(text)
        assert (page.hits, page.created, page.priority) == (2, 2, 3)


@pytest.mark.parametrize(("kept", "hits"), [(True, [1, 1, 1]), (False, [0, 0, 1])])
def test_hits_when_a_node_is_cut(start: Start, kept: bool, hits: list[int]) -> None:
    cache = start(threshold=2, dialect=Dialect(split_keeps_hits=kept))
    cache.put("1 2 3")
    cache.match("1 2")
    assert [cache.page(text).hits for text in ("1", "1 2", "1 2 3")] == hits


def test_a_split_is_in_no_pool_to_be_seen(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.put("1 2 3 4", state=True)
    free = [cache.trie.free(pool) for pool in POOLS]
    cache.match("1 2 3")
    assert [cache.trie.free(pool) for pool in POOLS] == free


# -- used later ------------------------------------------------------------------------------------


def test_what_was_never_kept_does_not_stand(start: Start) -> None:
    assert not start().stands()


@pytest.mark.parametrize("text", ["", "1 2", "1 2 3"])
def test_a_kept_match_outlives_splits_growth_locks_backups_and_evictions_elsewhere(
    start: Start, text: str
) -> None:
    cache = start()
    cache.put("1 2 3")
    cache.put("7 8")
    cache.keep(text)
    assert cache.stands()
    cache.match("1")
    cache.put("1 2 3 4")
    cache.lock("r", "1 2 3 4")
    cache.settle()
    assert cache.evict(full=2) == (2, 0, 0)
    assert cache.stands()


def test_a_kept_match_ends_with_its_node(start: Start) -> None:
    """What comes again under the same prompt is another one."""
    cache = start(host_pages=0)
    cache.put("1 2")
    cache.keep("1 2")
    cache.evict(full=2)
    assert not cache.stands()
    cache.put("1 2")
    assert not cache.stands()


def test_a_kept_match_ends_when_its_node_leaves_the_device(start: Start) -> None:
    cache = start()
    cache.put("1 2")
    cache.settle()
    cache.keep("1 2")
    cache.evict(full=2)
    assert not cache.stands()


def test_what_is_on_the_host_only_may_come_back_and_may_not_go(start: Start) -> None:
    for loads in (True, False):
        cache = start()
        cache.demote("1", "1 2")
        cache.keep("1 2")
        assert cache.stands()
        if loads:
            assert cache.load("1")
            cache.settle()
        else:
            cache.evict_host(1)
        assert cache.stands() == loads


def test_a_kept_match_ends_with_its_window_and_with_its_state(start: Start) -> None:
    windowed, stateful = start(window=2, host_pages=0), start(mamba=True, host_pages=0)
    for cache, gone in ((windowed, {"swa": 2}), (stateful, {"mamba": 1})):
        cache.put("1 2", state=cache is stateful)
        cache.put("1 2 3", state=cache is stateful)
        cache.keep("1 2")
        cache.lock("r", "1 2 3")
        cache.release_window("r")
        assert cache.stands()
        cache.evict(**gone)
        assert not cache.stands()


def test_a_kept_match_ends_where_slots_may_be_exchanged(start: Start) -> None:
    """SWA that comes back above it may have come with other slots of FULL (semantics 4.1)."""
    cache = start(window=1)
    cache.put("1", evicted=1)
    cache.put("1 2", evicted=1)
    cache.keep("1 2")
    assert cache.stands()
    cache.put("1")
    assert not cache.stands()


def test_so_it_does_where_that_was_lost_since(start: Start) -> None:
    cache = start(window=1, host_pages=0)
    cache.put("1")
    cache.put("1 2")
    cache.keep("1 2")
    cache.lock("r", "1 2")
    cache.evict(swa=1)
    assert cache.tree() == {"1": "F|", "1 2": "FS|"}
    assert cache.stands()
    cache.unlock("r")
    cache.put("1")
    assert not cache.stands()
