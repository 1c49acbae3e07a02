"""Insert: what is where afterwards, where nodes end, and what becomes of the state that comes along
(semantics 4.1 to 4.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Pool

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


def test_a_new_prompt_is_cut_to_one_window(start: Start) -> None:
    cache = start(window=2)
    assert cache.put("1 2 3").existing == 0
    assert cache.tree() == {"1": "FSfs|", "1 2": "FSfs", "1 2 3": "FSfs|"}


def test_a_prompt_shorter_than_a_page_changes_nothing(start: Start) -> None:
    cache = start(page_size=4, mamba=True)
    insert = cache.put("1 2 3", state=True)
    assert (insert.path, insert.existing, insert.taken) == ([], 0, False)
    assert cache.tree() == {}


def test_an_overlapping_prompt_adds_its_rest(start: Start) -> None:
    cache = start()
    cache.put("1 2 3")
    assert cache.put("1 2 9").existing == 2
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|", "1 2 3": "Ff|", "1 2 9": "Ff|"}
    assert cache.put("1 2").existing == 2
    assert cache.trie.free(Pool.FULL) == 8


def test_bigram_prompts_leave_each_other_where_their_pairs_differ(start: Start) -> None:
    cache = start(bigram=True)
    cache.put("1 2 3")
    assert cache.put("1 2 9").existing == 1
    assert cache.tree() == {"1 2": "Ff|", "1 2 3": "Ff|", "1 2 9": "Ff|"}
    assert cache.trie.free(Pool.FULL) == 9


def test_namespaces_are_inserted_apart(start: Start) -> None:
    cache = start()
    cache.put("1 2")
    assert cache.put("a: 1 2").existing == 0
    assert cache.tree() == {"1": "Ff", "1 2": "Ff|", "a: 1": "Ff", "a: 1 2": "Ff|"}


def test_without_a_host_tier_hits_are_counted_and_nothing_is_backed_up(start: Start) -> None:
    cache = start(host_pages=0, window=2, mamba=True)
    cache.put("1 2", state=True)
    cache.put("1 2")
    assert cache.tree() == {"1": "FS", "1 2": "FSM|"}
    assert cache.page("1 2").hits == 2
    assert cache.flying() == []


def test_a_request_that_inserts_again_hits_only_what_is_new_to_it(start: Start) -> None:
    cache = start()
    cache.put("1 2")
    cache.put("1 2 3", protected=2, inserted=2)
    pages = [cache.page(text) for text in ("1", "1 2", "1 2 3")]
    assert [page.hits for page in pages] == [1, 1, 1]
    assert [page.inserts for page in pages] == [2, 2, 1]


def test_a_node_that_goes_on_after_what_was_inserted_is_hit_as_a_whole(start: Start) -> None:
    cache = start()
    cache.put("1")
    cache.put("1 2 3")
    cache.put("1 2 3", inserted=2)
    assert [cache.page(text).hits for text in ("1", "1 2", "1 2 3")] == [2, 2, 2]


# -- windows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evicted", "drawn"),
    [
        (0, {"1": "FS|", "1 2": "FS", "1 2 3": "FS|"}),
        (1, {"1": "F|", "1 2": "FS", "1 2 3": "FS|"}),
        (2, {"1": "F", "1 2": "F|", "1 2 3": "FS|"}),
        (3, {"1": "F", "1 2": "F", "1 2 3": "F|"}),
    ],
)
def test_the_swa_boundary_cuts_a_new_leaf(
    start: Start, evicted: int, drawn: dict[str, str]
) -> None:
    cache = start(window=2, threshold=NEVER)
    cache.put("1 2 3", evicted)
    assert cache.tree() == drawn


@pytest.mark.parametrize(
    ("evicted", "drawn"),
    [
        (0, {"1": "FS", "1 2": "FS|", "1 2 3": "FS", "1 2 3 4": "FS|"}),
        (1, {"1": "F|", "1 2": "FS|", "1 2 3": "FS", "1 2 3 4": "FS|"}),
        (2, {"1": "F", "1 2": "F|", "1 2 3": "FS", "1 2 3 4": "FS|"}),
        (3, {"1": "F", "1 2": "F|", "1 2 3": "F|", "1 2 3 4": "FS|"}),
    ],
)
def test_tombstones_recover_from_the_swa_boundary_on(
    start: Start, evicted: int, drawn: dict[str, str]
) -> None:
    cache = start(window=2, threshold=NEVER)
    cache.put("1 2", evicted=2)
    assert cache.tree() == {"1": "F", "1 2": "F|"}
    cache.put("1 2 3 4", evicted)
    assert cache.tree() == drawn


@pytest.mark.parametrize(
    ("protected", "drawn"),
    [(0, {"1": "FS", "1 2": "FS|"}), (1, {"1": "F|", "1 2": "FS|"}), (2, {"1": "F", "1 2": "F|"})],
)
def test_a_protected_prefix_does_not_recover(
    start: Start, protected: int, drawn: dict[str, str]
) -> None:
    """Its slots are the tree's own: the request has no SWA state for it."""
    cache = start(window=2, threshold=NEVER)
    cache.put("1 2", evicted=2)
    cache.put("1 2", protected=protected)
    assert cache.tree() == drawn


def test_live_swa_stays_whatever_the_boundary_of_a_later_insert(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    cache.put("1 2")
    cache.put("1 2", evicted=2)
    assert cache.tree() == {"1": "FS", "1 2": "FS|"}


@pytest.mark.parametrize(
    ("evicted", "drawn"),
    [
        (0, {"1": "FSfs", "1 2": "FSfs|"}),
        (1, {"1": "Ffs|", "1 2": "FSfs|"}),
        (2, {"1": "Ffs", "1 2": "Ffs|"}),
    ],
)
def test_a_host_only_node_revives_and_keeps_its_host_copy(
    start: Start, evicted: int, drawn: dict[str, str]
) -> None:
    cache = start(window=2)
    cache.demote("1 2")
    assert cache.tree() == {"1": "fs", "1 2": "fs|"}
    assert cache.put("1 2", evicted).existing == 2
    assert cache.tree() == drawn
    assert cache.flying() == []


# -- states ----------------------------------------------------------------------------------------


def test_a_state_goes_to_the_node_at_which_the_prompt_ends(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    assert cache.put("1 2 3 4 5", evicted=2, state=True).taken
    assert cache.tree() == {
        "1": "F",
        "1 2": "F|",
        "1 2 3": "FS|",
        "1 2 3 4": "FS",
        "1 2 3 4 5": "FSM|",
    }


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("1 2 3", False),
        ("1 2", True),
        ("1", True),
        ("1 2 9", True),
        ("1 2 3 4", True),
        ("a: 1 2 3", True),
    ],
)
def test_a_state_is_taken_where_there_is_none(start: Start, text: str, taken: bool) -> None:
    cache = start(mamba=True, threshold=NEVER)
    cache.put("1 2 3", state=True)
    insert = cache.put(text, state=True)
    assert insert.taken is taken
    assert cache.tree()[text].endswith("M|")
    assert cache.trie.used[Pool.MAMBA] == 1 + taken


def test_a_host_copy_of_a_state_stays_when_another_state_comes(start: Start) -> None:
    cache = start(mamba=True)
    cache.demote("1 2")
    assert cache.tree() == {"1": "f", "1 2": "fm|"}
    assert cache.put("1 2", state=True).taken
    assert cache.tree() == {"1": "Ff", "1 2": "FMfm|"}
    assert cache.flying() == [], "both tiers have it"


def test_a_node_that_comes_back_without_a_state_keeps_that_on_the_host(start: Start) -> None:
    cache = start(mamba=True)
    cache.demote("1 2")
    assert not cache.put("1 2").taken
    assert cache.tree() == {"1": "Ff", "1 2": "Ffm|"}
    assert cache.match("1 2") == (0, 2)


# -- recency, priority, number ---------------------------------------------------------------------


def test_an_insert_makes_its_path_the_most_recent(start: Start) -> None:
    cache = start()
    cache.put("1 2")
    cache.put("9")
    cache.put("1 3")
    assert cache.order() == ["1 2", "9", "1", "1 3"]


def test_of_states_an_insert_renews_only_that_of_its_end(start: Start) -> None:
    cache = start(mamba=True, threshold=NEVER)
    for text in ("1", "1 2", "9"):
        cache.put(text, state=True)
    cache.put("1 2", state=True)
    assert cache.order(Pool.MAMBA) == ["1", "9", "1 2"]
    cache.put("9 8")
    assert cache.order(Pool.MAMBA) == ["1", "9", "1 2"]


def test_a_new_node_has_the_given_priority_also_below_that_of_who_names_none(start: Start) -> None:
    cache = start()
    cache.put("1", priority=-1)
    cache.put("2")
    cache.put("2 3", priority=-2)
    assert [cache.page(text).priority for text in ("1", "2", "2 3")] == [-1, 0, -2]
    cache.put("1", priority=-3)
    cache.put("2 3", priority=-1)
    assert [cache.page(text).priority for text in ("1", "2 3")] == [-1, -1]


def test_every_walked_node_has_at_least_the_given_priority(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1", priority=1)
    cache.put("1 2", priority=3)
    cache.put("1 2 3", priority=2)
    assert [cache.page(text).priority for text in ("1", "1 2", "1 2 3")] == [3, 3, 2]


def test_nodes_are_numbered_by_the_insert_that_made_them(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1 2")
    cache.put("1 2 3")
    cache.put("1 9")
    assert [cache.page(text).created for text in ("1", "1 2", "1 2 3", "1 9")] == [1, 1, 2, 3]
    cache.put("1 2")
    assert cache.page("1 2").created == 1


def test_a_prompt_that_comes_back_after_it_was_deleted_is_new(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1", priority=5)
    cache.evict(1)
    cache.put("1")
    page = cache.page("1")
    assert (page.created, page.priority, page.hits) == (2, 0, 1)


def test_a_demoted_node_that_comes_back_keeps_its_number_and_its_hits(start: Start) -> None:
    cache = start()
    cache.demote("9", "1")
    cache.put("1")
    page = cache.page("1")
    assert (page.created, page.hits) == (2, 2)


# -- whether anything can have changed -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "evicted", "opens"),
    [
        ("1 2", 0, False),
        ("1", 0, True),
        ("1 2 3", 0, True),
        ("9", 0, True),
        ("1 2 4", 0, True),
        ("1 2", 2, False),
    ],
)
def test_a_prompt_that_is_there_backed_and_cut_opens_nothing(
    start: Start, text: str, evicted: int, opens: bool
) -> None:
    cache = start(window=2)
    cache.put("1 2")
    cache.settle()
    assert cache.put(text, evicted).opens is opens


def test_what_has_no_host_copy_yet_may_get_one(start: Start) -> None:
    cache = start(threshold=2)
    cache.put("1 2")
    assert cache.put("1 2").opens
    assert not cache.put("1 2").opens
