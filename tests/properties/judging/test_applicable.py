"""What can be judged of what a system shows: whatever is hidden is passed over, counted, and not
missed.
"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from radixproof.impl.obscured import BY_BEHAVIOUR, obscured
from radixproof.impl.operations import Evict, Insert, LoadBack, Match
from radixproof.impl.registry import find
from radixproof.impl.sight import NODES_ONLY, Sight
from radixproof.impl.system import Target
from radixproof.model.config import POOLS, Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.properties.drivers.soak import one
from radixproof.properties.judging.applicable import (
    Check,
    Moment,
    NotShown,
    Unjudged,
    applicable,
    passed_over,
)
from radixproof.properties.running.run import Run

from ..deeds import PLAIN, SETTLE

EVERYTHING = Config(window=2, swa_pages=8, mamba_states=4, swa_host_pages=16, mamba_host_states=8)
HIDDEN = {item.name: getattr(NODES_ONLY, item.name) for item in fields(Sight)}
NEEDED = {
    "slots": {
        Check.OWNERS,
        Check.CONTENT,
        Check.SERVED,
        Check.ROWS,
        Check.MAP,
        Check.FREE_LISTS,
    },
    "locks": {Check.LOCKS},
    "host_locks": {Check.LOCKS},
    "backup_marks": {Check.MARKS, Check.ALL_MARKS},
    "load_marks": {Check.MARKS, Check.ALL_MARKS},
    "marks_after_split": {Check.ALL_MARKS},
    "sizes": {Check.SIZES},
    "free_counts": {Check.FREE_COUNTS},
    "free_lists": {Check.FREE_LISTS},
    "swa_map": {Check.MAP},
    "leaf_sets": {Check.LEAF_SETS},
    "lru_lists": {Check.LRU_LISTS, Check.RECENCY_LISTS},
    "recency": {Check.RECENCY_LISTS, Check.AGES},
    "host_hits": {Check.HOST_HITS},
    "events": {Check.EVENTS},
}
"""The checks that are lost, in some pool, where a part of the sight is."""


def missing(sight: Sight, config: Config = EVERYTHING) -> set[Unjudged]:
    return {one for due in passed_over(sight, config).values() for one in due}


def test_everything_is_judged_of_a_system_that_shows_everything() -> None:
    assert missing(Sight()) == set()
    judged = applicable(Sight(), EVERYTHING)
    assert all(getattr(judged, check.name.lower()) == check.pools for check in Check)
    assert judged.locks == POOLS


def test_of_the_least_sight_nothing_is_left() -> None:
    assert {one.check for one in missing(NODES_ONLY)} == set(Check)
    judged = applicable(NODES_ONLY, EVERYTHING)
    assert not any(getattr(judged, item.name) for item in fields(judged))


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_hidden_is_what_cannot_be_judged(name: str) -> None:
    assert {one.check for one in missing(replace(Sight(), **{name: HIDDEN[name]}))} == NEEDED[name]


def test_what_is_hidden_of_one_pool_is_judged_of_the_others() -> None:
    assert missing(Sight(locks=(Component.FULL,))) == {
        Unjudged(Check.LOCKS, Pool.SWA),
        Unjudged(Check.LOCKS, Pool.MAMBA),
    }
    assert missing(Sight(free_counts=POOLS[1:])) == {Unjudged(Check.FREE_COUNTS, Pool.FULL)}
    assert missing(Sight(host_hits=(Component.FULL,)), PLAIN) == set()
    assert missing(Sight(host_hits=(Component.FULL,))) == {Unjudged(Check.HOST_HITS, Pool.FULL)}


def test_nothing_is_missed_that_a_cache_has_not() -> None:
    hostless = Config(host_pages=0)
    assert missing(Sight(host_locks=(), backup_marks=False, load_marks=False), hostless) == set()
    assert missing(Sight(swa_map=False, lru_lists=False), hostless) == set()


def test_a_check_says_what_could_not_be_judged() -> None:
    text = str(Unjudged(Check.LEAF_SETS, Pool.FULL_HOST))
    assert text == "FULL_HOST: the sets of evictable leaves are those of the definition"


@pytest.fixture(params=[*HIDDEN, "behaviour", "nodes only"])
def sight(request: pytest.FixtureRequest) -> Sight:
    named = {"behaviour": BY_BEHAVIOUR, "nodes only": NODES_ONLY}
    name = request.param
    return named.get(name) or replace(Sight(), **{name: HIDDEN[name]})


def test_what_is_hidden_is_not_held_against_a_system(radix: Target, sight: Sight) -> None:
    dim = obscured(radix, sight)
    assert not any(one(dim, 11, number, lambda _: False).breach for number in range(12))


def test_less_sight_draws_the_same_histories(radix: Target) -> None:
    dim = obscured(radix, NODES_ONLY)
    for number in range(6):
        seen, unseen = (one(target, 5, number, lambda _: False) for target in (radix, dim))
        assert seen.history == unseen.history


def test_what_is_passed_over_is_counted_when_it_is_due(radix: Target) -> None:
    run = Run(obscured(radix, Sight(sizes=False, leaf_sets=False, host_hits=())), PLAIN, every=2)
    for operation in (Insert(Key((1, 2))), SETTLE, Match(Key((1, 2))), Evict(2)):
        assert run.step(operation) == []
    assert run.unjudged == {
        Unjudged(Check.SIZES, Pool.FULL): 4,
        Unjudged(Check.LEAF_SETS, Pool.FULL): 2,
        Unjudged(Check.LEAF_SETS, Pool.FULL_HOST): 2,
        Unjudged(Check.HOST_HITS, Pool.FULL): 1,
    }
    run.close()


def test_an_order_that_no_list_shows_is_asked_of_what_goes() -> None:
    """Only where the dialect has one: elsewhere any may go first."""
    bug = obscured(find("fault:demoted-window-oldest"))
    orderless = replace(bug, dialect=Dialect(host_values_in_order=False))

    def breaches(target: Target) -> set[str]:
        ran = [one(target, 1, number, lambda _: False).breach for number in range(40)]
        return {breach.signature for breach in ran if breach is not None}

    assert "RECENCY/swa_host-order" in breaches(bug)
    assert breaches(orderless) == set()


def blind(name: str) -> Target:
    """A system that declares everything and hides one thing."""
    return replace(obscured(find("radix"), replace(Sight(), **{name: HIDDEN[name]})), sight=Sight())


UNNOTICED = {"slots", "backup_marks", "load_marks", "marks_after_split", "events"}
"""What is not there looks like something else: marks like none, slots like wrong ones; a missing
stream is a breach.
"""


@pytest.mark.parametrize("name", [name for name in HIDDEN if name not in UNNOTICED])
def test_what_is_declared_and_not_shown_is_an_error(name: str) -> None:
    with pytest.raises(NotShown, match="declares"):
        spend(Run(blind(name), EVERYTHING, every=1))


@pytest.mark.parametrize("name", sorted(UNNOTICED - {"marks_after_split"}))
def test_or_it_is_a_breach(name: str) -> None:
    assert spend(Run(blind(name), EVERYTHING, every=1))


def spend(run: Run) -> list[str]:
    """Signatures of what goes wrong while something is written, evicted and loaded back."""
    key = Key((1, 2))
    operations = (Insert(key, state=True), SETTLE, Match(key), Evict(2), LoadBack(key), Match(key))
    return [breach.signature for operation in operations for breach in run.step(operation)]


def test_there_is_a_check_for_every_moment() -> None:
    assert {check.moment for check in Check} == set(Moment)
