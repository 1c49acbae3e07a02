"""The victims that a system chose on the device: judged, and adopted (semantics 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Component, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.following.breaches import out_of_order
from radixproof.model.key import Key
from radixproof.model.specification.trie import Amounts
from radixproof.model.verdict import Witness

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


@pytest.mark.parametrize(
    ("asked", "taken", "freed", "wrong"),
    [
        (1, ["1"], 1, []),
        (2, ["1", "2"], 2, []),
        (1, ["2"], 1, ["RECENCY/access-time"]),
        (2, ["1", "3"], 2, ["RECENCY/access-time"]),
        (1, [], 0, ["PROGRESS/stopped-early"]),
        (3, ["1", "2"], 2, ["PROGRESS/stopped-early"]),
        (1, ["1", "2"], 2, ["PROGRESS/freed-too-much"]),
        (0, ["1"], 1, ["PROGRESS/freed-too-much"]),
    ],
)
def test_the_choice_of_victims_is_judged_and_adopted(
    start: Start, asked: int, taken: list[str], freed: int, wrong: list[str]
) -> None:
    cache = start()
    for text in ("1", "2", "3"):
        cache.put(text)
    cache.settle()
    assert cache.evict_as((asked, 0, 0), {"F": taken}) == ((freed, 0, 0), wrong)
    assert cache.tree() == {text: "f|" if text in taken else "Ff|" for text in ("1", "2", "3")}


@pytest.mark.parametrize(
    ("waited", "taken", "wrong"),
    [
        (["1"], ["2"], []),
        (["1"], ["1"], []),
        (["1", "2"], [], []),
        (["2"], [], ["PROGRESS/stopped-early"]),
        (["3"], ["2"], ["RECENCY/access-time"]),
    ],
)
def test_what_a_backup_locked_that_the_eviction_waited_for_is_passed_over_by_right(
    start: Start, waited: list[str], taken: list[str], wrong: list[str]
) -> None:
    """Or goes, if it waited before (semantics 7.8)."""
    cache = start()
    for text in ("1", "2", "3"):
        cache.put(text)
    cache.settle()
    if not taken:
        cache.lock("r1", "3")
    assert cache.evict_as((1, 0, 0), {"F": taken}, waited=waited)[1] == wrong


def test_one_victim_may_free_more_than_was_asked_for(start: Start) -> None:
    cache = start()
    cache.put("1 2 3")
    cache.settle()
    assert cache.evict_as((1, 0, 0), {"F": ["1", "1 2", "1 2 3"]}) == ((3, 0, 0), [])


def test_a_small_victim_before_a_large_one_was_taken_out_of_order(start: Start) -> None:
    """Both went where the older one alone would have been enough: that is the order's fault, and
    not that of the amount."""
    cache = start()
    cache.put("1 2")
    cache.put("3")
    cache.settle()
    assert cache.evict_as((2, 0, 0), {"F": ["1", "1 2", "3"]})[1] == ["RECENCY/access-time"]


@pytest.mark.parametrize("policy", [EvictionPolicy.LFU, EvictionPolicy.SLRU])
def test_an_order_that_takes_inserts_for_hits_is_told_apart(
    start: Start, policy: EvictionPolicy
) -> None:
    """One prompt was used by two requests, the other by one, which inserted it three times."""
    cache = start(eviction_policy=policy, threshold=NEVER)
    for prompt, inserted in (("1", 0), ("1", 0), ("2", 0), ("2", 1), ("2", 1)):
        cache.put(prompt, inserted=inserted)
    assert cache.evict_as((1, 0, 0), {"F": ["1"]})[1] == ["RECENCY/hits-by-insert"]


def test_so_it_is_where_one_comes_into_reach_only_by_a_leaf_that_the_order_puts_later(
    start: Start,
) -> None:
    """The lower half of "2 3" was inserted twice, as "1" was, and later; the upper half, less often
    than both, can go after it only."""
    lfu = EvictionPolicy.LFU
    dialect = Dialect(hits_on_split_leaf=False)
    cache = start(window=1, eviction_policy=lfu, threshold=NEVER, dialect=dialect)
    for prompt, inserted in (("1", 0), ("1", 0), ("2 3", 0), ("2 3", 2)):
        cache.put(prompt, inserted=inserted)
    assert [cache.page(text).inserts for text in ("1", "2", "2 3")] == [2, 1, 2]
    gone = ["1", "2 3"]
    breaches = cache.evict_as((2, 0, 0), {"F": gone, "S": gone})[1]
    assert breaches == ["RECENCY/hits-by-insert"]


def test_recency_explains_what_comes_into_reach_only_by_what_was_used_less_recently(
    start: Start,
) -> None:
    """The upper half of "1 2" has no hits, but can go after the lower one only, which has as many
    as "3", and is older."""
    dialect = Dialect(hits_on_split_leaf=False)
    cache = start(window=1, eviction_policy=EvictionPolicy.LFU, threshold=NEVER, dialect=dialect)
    cache.put("1 2")
    cache.put("3")
    gone = ["3", "1 2"]
    assert cache.evict_as((2, 0, 0), {"F": gone, "S": gone})[1] == ["RECENCY/access-time"]
    cache = start(window=1, eviction_policy=EvictionPolicy.LFU, threshold=NEVER, dialect=dialect)
    cache.put("3")
    cache.put("1 2")
    cache.put("3")
    assert cache.evict_as((2, 0, 0), {"F": gone, "S": gone})[1] == ["RECENCY/lfu"]


@pytest.mark.parametrize(
    ("asked", "gone", "wrong"),
    [
        ((0, 1, 0), {"S": ["1"], "M": ["1"]}, []),
        ((0, 1, 0), {"S": ["1 2"], "M": ["1 2"]}, ["RECENCY/swa-list"]),
        ((0, 1, 0), {}, ["PROGRESS/stopped-early"]),
        ((0, 1, 0), {"S": ["1", "1 2"], "M": ["1", "1 2"]}, ["PROGRESS/freed-too-much"]),
        ((0, 0, 1), {"M": ["1"]}, []),
        ((0, 0, 1), {"M": ["1 2"]}, ["RECENCY/mamba-list"]),
        ((0, 0, 1), {}, ["PROGRESS/stopped-early"]),
        ((0, 0, 1), {"M": ["1", "1 2"]}, ["PROGRESS/freed-too-much"]),
        ((0, 0, 1), {"F": ["1 2 3"], "S": ["1 2 3"], "M": ["1 2 3"]}, ["RECENCY/mamba-list"]),
    ],
)
def test_victims_of_swa_and_mamba_are_judged_by_orders_of_their_own(
    start: Start, asked: tuple[int, int, int], gone: dict[str, list[str]], wrong: list[str]
) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    for text in ("1", "1 2", "1 2 3"):
        cache.put(text, state=True)
    assert cache.evict_as(asked, gone)[1] == wrong
    left = {
        prefix: "".join(letter for letter in "FSM" if prefix not in gone.get(letter, ()))
        for prefix in ("1", "1 2", "1 2 3")
    }
    assert cache.tree() == {prefix: letters + "|" for prefix, letters in left.items() if letters}


def test_an_interior_node_that_could_have_waited_to_be_a_leaf_went_out_of_order(
    start: Start,
) -> None:
    """Its child went in the same eviction, but after it."""
    cache = start(window=2)
    cache.put("1")
    cache.put("2")
    cache.settle()
    freed, wrong = cache.evict_as((0, 1, 0), {"S": ["1"]})
    assert freed == (0, 1, 0)
    assert wrong == ["RECENCY/swa-list"]
    assert cache.tree() == {"1": "Ffs|", "2": "FSfs|"}


@pytest.mark.parametrize(
    ("order", "ties"),
    [
        (EvictionPolicy.LRU, "1 2 3 5"),
        (EvictionPolicy.MRU, "1 3 4 5"),
        (EvictionPolicy.LFU, "2"),
        (EvictionPolicy.FIFO, ""),
        (EvictionPolicy.FILO, ""),
        (EvictionPolicy.PRIORITY, "2 5"),
        (EvictionPolicy.SLRU, "2"),
    ],
)
def test_a_system_is_held_to_its_order(
    used_differently: Start, order: EvictionPolicy, ties: str
) -> None:
    """The breach is named after the order, or, where that leaves the first victim tied with these,
    after the access times."""
    for text in ("1", "2", "3", "4", "5"):
        strict = used_differently(order)
        strict.evict(1)
        cache = used_differently(order)
        freed, wrong = cache.evict_as((1, 0, 0), {"F": [text]})
        assert freed == (1, 0, 0)
        rule = "access-time" if text in ties.split() else order.value
        assert wrong == ([f"RECENCY/{rule}"] if text in strict.tree() else [])
        assert text not in cache.tree()


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (EvictionPolicy.LFU, "it has 1 hit, and the other has 3"),
        (EvictionPolicy.SLRU, "it has 1 hit, and the other has 3, and is protected from 2 on"),
        (EvictionPolicy.FIFO, "insert number 2 made it, and number 3 made the other"),
        (EvictionPolicy.PRIORITY, "its priority is 1, and that of the other is 3"),
    ],
)
def test_a_breach_of_an_order_says_what_both_are_ranked_by(
    used_differently: Start, order: EvictionPolicy, why: str
) -> None:
    cache = used_differently(order)
    before, taken = ("2", "1") if order in (EvictionPolicy.LFU, EvictionPolicy.SLRU) else ("2", "3")
    breach = out_of_order(cache.page(taken), cache.page(before), Component.FULL, order)
    assert breach.text.endswith(f"which should have gone first: {why}")


@pytest.mark.parametrize(
    ("policy", "matched", "asked", "gone", "wrong"),
    [
        # What nobody asked for of a split node counts as used, and stays.
        (EvictionPolicy.LRU, "1", (1, 0, 0), ["9"], "access-time-of-half"),
        (EvictionPolicy.LRU, "1", (0, 1, 0), ["9"], "swa-list-of-half"),
        (EvictionPolicy.MRU, "1", (1, 0, 0), ["1 2 3"], "access-time-of-half"),
        # No split explains it.
        (EvictionPolicy.LRU, "1 2 3", (1, 0, 0), ["1 2 3"], "access-time"),
        (EvictionPolicy.LRU, "9", (1, 0, 0), ["9"], "access-time"),
        (EvictionPolicy.MRU, "9", (1, 0, 0), ["1 2 3"], "access-time"),
        (EvictionPolicy.FIFO, "1", (1, 0, 0), ["9"], "fifo"),
    ],
)
def test_a_split_that_counts_as_a_use_is_told_apart(
    start: Start,
    policy: EvictionPolicy,
    matched: str,
    asked: tuple[int, int, int],
    gone: list[str],
    wrong: str,
) -> None:
    cache = start(window=3, threshold=NEVER, eviction_policy=policy)
    cache.put("1 2 3")
    cache.put("9")
    cache.match(matched)
    if "1 2 3" in gone and matched == "1":
        gone = ["1 2", "1 2 3"]
    assert cache.evict_as(asked, {"F": gone, "S": gone})[1] == [f"RECENCY/{wrong}"]


def test_a_split_explains_nothing_once_both_were_used_since(start: Start) -> None:
    cache = start(threshold=NEVER)
    cache.put("1 2")
    cache.put("9")
    cache.match("1")
    cache.match("1 2")
    cache.match("9")
    assert cache.evict_as((1, 0, 0), {"F": ["9"]})[1] == ["RECENCY/access-time"]


def test_hits_that_count_every_insert_explain_what_should_have_waited(start: Start) -> None:
    """The request that inserted [8 9] twice has used it once."""
    cache = start(threshold=NEVER, eviction_policy=EvictionPolicy.LFU)
    cache.put("1 2 3")
    cache.put("1 2 3")
    cache.put("8 9")
    cache.lock("q", "1 2")
    cache.put("8 9", inserted=2)
    gone = {"F": ["1 2 3", "8", "8 9"]}
    assert cache.evict_as((2, 0, 0), gone)[1] == ["RECENCY/hits-by-insert"]


def test_hits_that_count_every_insert_explain_a_tie(start: Start) -> None:
    cache = start(threshold=NEVER, eviction_policy=EvictionPolicy.LFU)
    cache.put("1")
    cache.put("1", inserted=1)
    cache.put("9")
    assert cache.evict_as((1, 0, 0), {"F": ["9"]})[1] == ["RECENCY/hits-by-insert"]


def test_an_urgency_taken_from_elsewhere_explains_a_tie(start: Start) -> None:
    cache = start(eviction_policy=EvictionPolicy.PRIORITY)
    cache.put("5", priority=1)
    cache.fetch("1")
    cache.put("9")
    cache.settle()
    cache.evict(2)
    assert cache.evict_host_as(1, {"f": ["9"]})[1] == ["RECENCY/priority-of-root"]


def test_an_urgency_taken_from_elsewhere_explains_what_should_have_waited(start: Start) -> None:
    """What was fetched is less urgent than [9], and would have been enough."""
    cache = start(eviction_policy=EvictionPolicy.PRIORITY)
    cache.put("5", priority=1)
    cache.fetch("1 2")
    cache.put("9", priority=1)
    cache.settle()
    assert cache.load("1 2")
    cache.settle()
    gone = {"F": ["9", "1", "1 2"]}
    assert cache.evict_as((2, 0, 0), gone)[1] == ["RECENCY/priority-of-root"]


@pytest.mark.parametrize(
    ("policy", "split", "signature"),
    [
        (EvictionPolicy.LRU, False, "PROGRESS/unbacked-leaf-kept"),
        (EvictionPolicy.LRU, True, "RECENCY/access-time-of-half"),
        (EvictionPolicy.FIFO, False, "PROGRESS/unbacked-leaf-kept"),
        (EvictionPolicy.FIFO, True, "PROGRESS/unbacked-leaf-kept"),
    ],
)
def test_a_leaf_that_cannot_be_backed_up_is_kept_unless_a_split_explains_it(
    start: Start, policy: EvictionPolicy, split: bool, signature: str
) -> None:
    """The host is full, and what is there is locked. Where more than recency decides, a split that
    counts as a use explains nothing.
    """
    dialect = Dialect(host_values_in_order=False)
    cache = start(write_back=True, host_pages=1, eviction_policy=policy, dialect=dialect)
    cache.demote("9")
    cache.lock_host("h", "9")
    cache.put("7 8")
    cache.put("1")
    if split:
        cache.match("7")
    _, breaches = cache.evict_as((1, 0, 0), {"F": ["1"]})
    assert breaches[0] == signature


def test_the_witness_of_what_went_beyond_is_the_last_that_did(start: Start) -> None:
    cache = start()
    for text in ("1", "2"):
        cache.put(text)
    cache.settle()
    _, breaches = cache.follower.evict(Amounts(1), cache.choice({"F": ["1", "2"]}))
    assert [breach.witness for breach in breaches] == [Witness(Key((2,)), Pool.FULL, held=True)]
    cache = start()
    for text in ("1", "2", "3"):
        cache.put(text)
    cache.settle()
    _, breaches = cache.follower.evict(Amounts(2), cache.choice({"F": ["1", "3"]}))
    assert breaches[0].witness is not None
