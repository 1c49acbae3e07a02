"""What an engine's own functions do wrong with a request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radixproof.impl.operations import Evict, Insert, Lock
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.specification.trie import Page, Trie
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.judging.carried_checks import (
    of_hand_over,
    of_insert,
    of_lock,
    of_released_state,
    of_room,
    of_state,
)
from radixproof.properties.performing.outcomes import Done, Freed, Inserted, Locked
from radixproof.properties.performing.step import Carried, HandOver, ReleaseState, Step

PAGED = Config(page_size=3, window=4, swa_pages=8, swa_host_pages=16)
BIGRAM = Config(page_size=2, window=3, swa_pages=8, swa_host_pages=16, bigram=True)
LONG = Config(page_size=4, window=1, swa_pages=8, swa_host_pages=16)


def key(tokens: int) -> Key:
    return Key(tuple(range(1, tokens + 1)))


def of(config: Config, tokens: int, carried: Carried | None, protected: int = 0) -> list[str]:
    insert = Insert(key(tokens))
    step = Step(insert, Inserted(0), protected=protected, carried=carried)
    return [breach.signature for breach in of_insert(config, step, insert)]


@pytest.mark.parametrize(
    ("config", "tokens", "carried", "found"),
    [
        (PAGED, 6, None, []),
        (PAGED, 6, Carried(told=0, evicted=0, computed=8), []),
        (PAGED, 0, Carried(told=0, evicted=3, computed=8), []),
        (PAGED, 9, Carried(told=3, evicted=3, computed=9), []),
        (PAGED, 9, Carried(told=0, evicted=3, computed=9), ["MAP/window-not-told"]),
        (PAGED, 6, Carried(told=3, evicted=3, computed=8), ["MATCH/window-not-in-whole-pages"]),
        (LONG, 4, Carried(told=4, evicted=4, computed=6), ["MAP/leaf-without-window"]),
        (LONG, 4, Carried(told=4, evicted=8, computed=9), ["MAP/leaf-without-window"]),
        (LONG, 8, Carried(told=4, evicted=4, computed=9), []),
        (BIGRAM, 5, Carried(told=2, evicted=2, computed=5), ["MAP/window-counted-in-tokens"]),
        (BIGRAM, 7, Carried(told=2, evicted=2, computed=7), []),
        (Config(), 6, Carried(told=0, evicted=3, computed=8), []),
    ],
)
def test_a_window_is_told_and_kept(
    config: Config, tokens: int, carried: Carried | None, found: list[str]
) -> None:
    assert of(config, tokens, carried) == found


def test_a_window_is_kept_before_the_state_that_was_tracked_last() -> None:
    insert = Insert(key(4), state=True)
    step = Step(insert, Inserted(0), carried=Carried(told=4, evicted=4, computed=9))
    (breach,) = of_insert(LONG, step, insert)
    assert breach.signature == "MATCH/window-of-state-freed"


def test_of_an_answer_that_is_not_kept_the_window_may_be_all_that_is_left() -> None:
    slid = Carried(told=6, evicted=6, computed=12)
    assert of(PAGED, 6, slid) == ["MAP/leaf-without-window"]
    assert of(PAGED, 6, replace(slid, cut=True)) == []
    assert of(PAGED, 6, replace(slid, told=3, cut=True)) == ["MAP/window-not-told"]


@pytest.mark.parametrize(
    ("summed", "rule"), [(8, "state-sums-up-more"), (6, "mamba"), (4, "mamba"), (None, "mamba")]
)
def test_a_state_of_more_than_is_inserted_is_told_apart(summed: int | None, rule: str) -> None:
    wrong = [
        Breach(Property.CONTENT, "mamba", "", Witness(key(6), Pool.MAMBA, content=True)),
        Breach(Property.CONTENT, "full", "", Witness(key(6), Pool.FULL, content=True)),
    ]
    carried = Carried(told=0, evicted=0, computed=8, summed=summed)
    found = of_state(Config(page_size=2), Insert(key(6)), carried, wrong)
    assert [breach.rule for breach in found] == [rule, "full"]
    (own, _) = of_state(Config(page_size=2), Insert(key(6)), replace(carried, own=True), wrong)
    assert own.rule == ("mamba" if rule == "mamba" else f"own-{rule}")
    assert [breach.witness for breach in found] == [breach.witness for breach in wrong]


def test_what_the_tree_had_before_is_its_own() -> None:
    assert of(PAGED, 6, Carried(told=0, evicted=3, computed=8), protected=3) == []


def test_a_window_that_was_lost_is_not_to_be_in_the_tree() -> None:
    insert = Insert(key(9))
    step = Step(insert, Inserted(0), carried=Carried(told=0, evicted=3, computed=9))
    (breach,) = of_insert(PAGED, step, insert)
    assert breach.witness == Witness(key(3), Pool.SWA, held=False)
    assert "below token 3" in breach.text


@pytest.mark.parametrize(
    ("asked", "lacking", "wrong"),
    [
        (Evict(2), None, ""),
        (Evict(2), (2, 0, 0), ""),
        (Evict(2), (1, 0, 0), "more"),
        (Evict(1, 1), (1, 1, 0), ""),
        (Evict(1, 1), (1, 0, 0), "more"),
        (Evict(1, 0), (1, 1, 0), "less"),
        (Evict(2, 0), (1, 1, 0), "more"),
        (Evict(), (1, 0, 0), "less"),
    ],
)
def test_room_is_made_for_what_is_lacking(
    asked: Evict, lacking: tuple[int, int, int] | None, wrong: str
) -> None:
    found = of_room(Step(asked, Freed(0), lacking=lacking), asked)
    rules = [f"PROGRESS/{wrong}-room-than-lacking"] if wrong else []
    assert [one.signature for one in found] == rules


@pytest.mark.parametrize(
    ("priority", "protected", "wrong"), [(2, 0, False), (3, 0, True), (1, 0, True), (3, 6, False)]
)
def test_what_a_request_inserts_has_its_priority(
    priority: int, protected: int, wrong: bool
) -> None:
    """Or the next one, where it is inserted again."""
    insert = Insert(key(6), priority=priority)
    carried = Carried(told=0, evicted=0, computed=6, priority=2)
    step = Step(insert, Inserted(0), protected=protected, carried=carried)
    found = [one.signature for one in of_insert(Config(page_size=3), step, insert)]
    assert found == ["RECENCY/priority-not-told"] * wrong


@pytest.mark.parametrize(
    ("act", "given", "rule"),
    [
        (HandOver("q", 3), 3, ""),
        (HandOver("q", 3), 2, "MATCH/computed-not-inserted"),
        (HandOver("f", 4, fetched=True), 4, ""),
        (HandOver("f", 4, fetched=True), 0, "PROGRESS/fetched-not-handed-over"),
        (HandOver("f", 0, fetched=True), 2, "PROGRESS/fetched-not-handed-over"),
    ],
)
def test_what_there_is_is_handed_over(act: HandOver, given: int, rule: str) -> None:
    found = of_hand_over(Step(act, Done(given)), act)
    assert [one.signature for one in found] == [rule] * bool(rule)


@pytest.mark.parametrize(
    ("consumed", "free", "found"),
    [
        (True, 0, []),
        (False, 0, ["LOCK/state-released-before-use"]),
        (False, 1, ["LOCK/state-released-before-use"]),
        (True, 1, ["LOCK/state-released-without-need"]),
    ],
)
def test_a_state_is_given_back_when_it_is_of_no_use_and_in_the_way(
    consumed: bool, free: int, found: list[str]
) -> None:
    breaches = of_released_state(ReleaseState("q's lock", consumed, free), refused=False)
    assert [breach.signature for breach in breaches] == found


def path(tokens: int) -> list[Page]:
    return Trie(Config()).extend(key(tokens))


def test_a_request_goes_on_with_all_that_it_handed_over() -> None:
    step = Step(Lock("q's lock 1", key(2)), Locked(1), given=2)
    (breach,) = of_lock(step, 1, path(2))
    assert breach.signature == "OWN/inserted-not-adopted"
    assert breach.witness == Witness(key(2), Pool.FULL, locks=1)
    assert of_lock(step, 2, path(2)) == []
    assert of_lock(Step(Lock("r", key(2)), Locked(1)), 1, path(2)) == []


def test_a_state_may_be_given_back_where_room_for_another_was_refused() -> None:
    assert of_released_state(ReleaseState("q's lock", True, 1), refused=True) == []
